"""Sending results to MLflow, W&B, alerters and the terminal."""
