"""From a fitted pipeline to a bundle: compile it, compare it with the original, describe it, write it."""
