"""Reading a table, checking its rules and splitting it."""
