"""The BentoML service: requests in, predictions out, from whatever model the release manifest names."""
