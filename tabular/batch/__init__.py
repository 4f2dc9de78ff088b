"""Scoring a table of any length, a chunk at a time."""
