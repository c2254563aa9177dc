"""Replays of the search over all games, and of the explorer's tables."""

from ncnet.studies.atlas.replay import explorer, search

REPLAYS = (*search.REPLAYS, *explorer.REPLAYS)
