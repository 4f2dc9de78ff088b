"""What a table that nobody has described is like, and the run configuration that follows from it."""
