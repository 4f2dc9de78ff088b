"""The BentoML service: it answers requests with predictions of the model that the release manifest names."""
