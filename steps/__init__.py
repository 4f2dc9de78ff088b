"""Thin ZenML steps, a file for each stage: artifacts in, a call into `tabular`, named artifacts out."""
