"""The prediction log: the format of its lines, how the service writes them, and how a monitor reads them."""
