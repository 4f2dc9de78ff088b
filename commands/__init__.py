"""The commands of `run.py`, a file for each, which run once the arguments are valid."""
