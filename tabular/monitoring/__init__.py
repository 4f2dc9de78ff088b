"""Monitoring: from the prediction log and the training statistics to a verdict."""
