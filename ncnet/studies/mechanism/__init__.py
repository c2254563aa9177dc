"""RQ2: whether the competition of gradients causes it."""
