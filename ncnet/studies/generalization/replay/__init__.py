"""Replays of S against held-out accuracy (RQ4), and of rules that choose a capacity (RQ5)."""

from ncnet.studies.generalization.replay import correlation, selection

REPLAYS = (*correlation.REPLAYS, *selection.REPLAYS)
