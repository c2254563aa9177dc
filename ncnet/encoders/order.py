"""In which order a head sees its items: a function of seed, replica, head and step alone."""

import numpy as np


def batch_at(step: int, *, count: int, size: int, key: tuple[int, ...]) -> np.ndarray:
    """Return the items of one batch, [size], where epochs of shuffled items follow one another.

    Parameters
    ----------
    step
        Number of the batch, from 0.
    count
        Number of items.
    size
        Items in a batch.
    key
        What the order depends on besides: seed, replica, and the head's key.

    Examples
    --------
    Every item comes once before any comes again:

    >>> batches = [batch_at(step, count=6, size=4, key=(0,)) for step in range(3)]
    >>> sorted(np.concatenate(batches).tolist())
    [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    """
    places = np.arange(step * size, (step + 1) * size)
    shuffled = {
        epoch: np.random.default_rng([*key, epoch]).permutation(count)
        for epoch in np.unique(places // count).tolist()
    }
    return np.array([shuffled[place // count][place % count] for place in places.tolist()])
