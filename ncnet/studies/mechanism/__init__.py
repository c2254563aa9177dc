"""Asks whether the competition of gradients causes S above 2 (RQ2)."""
