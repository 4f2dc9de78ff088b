"""Materializers: they store artifacts as skops, JSON, YAML and Parquet, with a content hash and pictures."""
