"""How artifacts are stored and pictured: skops, JSON, YAML and Parquet, each with a content hash."""
