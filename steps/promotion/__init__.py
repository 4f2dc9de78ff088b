"""The steps of the pipeline `promotion`."""
