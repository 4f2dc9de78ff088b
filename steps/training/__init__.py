"""The steps of the pipeline `training`."""
