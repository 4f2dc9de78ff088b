"""The steps of the pipeline `batch_inference`."""
