"""Plain data that one step hands on to another."""
