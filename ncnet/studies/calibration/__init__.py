"""Whether the intervals and tests can be trusted."""
