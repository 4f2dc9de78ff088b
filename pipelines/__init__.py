"""The DAGs and nothing else; a pipeline reads as a table of contents."""
