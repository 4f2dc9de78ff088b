"""What `run.py` does once its arguments are valid: a file for each command."""
