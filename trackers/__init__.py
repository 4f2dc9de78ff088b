"""What MLflow, W&B, alerters and the terminal are sent."""
