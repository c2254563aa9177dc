"""RQ6: what survives, over capacities and over all games; and the explorer's tables."""
