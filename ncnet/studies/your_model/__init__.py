"""A network that the reader wrote: which of its tasks disturb each other."""
