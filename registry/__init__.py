"""The life of a model: its versions in the MLflow registry, their history, and the manifest that services follow."""
