"""Puts the studies together: all claims, all notebooks, batches, replays, the pages' figures."""
