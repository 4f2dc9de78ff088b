"""Reports: plain data that one step hands on to another."""
