"""The prediction log: its format, who writes it and who reads it."""
