"""A table: reading it, what its cells mean, its rules, and splitting it."""
