"""Files and buckets: reading, atomic writing, and estimators as files."""
