"""Making a bundle from a fitted pipeline: compile it, compare it with the original, describe it, write it."""
