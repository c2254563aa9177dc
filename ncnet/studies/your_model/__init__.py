"""A network that the reader wrote."""
