"""The steps of the pipeline `monitoring`."""
