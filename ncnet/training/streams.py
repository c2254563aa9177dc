"""Draws the items that each step shows to a network, and the labels that are flipped meanwhile.

The numbers come from Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as
easy as 1, 2, 3", SC 2011, https://doi.org/10.1145/2063384.2063405), which JAX uses: a number is a
function of a key and a counter. A network's draws therefore depend on its key and on the step
alone, and the compiled kernel draws the same ones.

Shapes: I items of a game, B items of a step, N networks.
"""

from collections.abc import Iterator

import numpy as np

from ncnet.training.initialisation import BLOCK

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = np.uint32(0x1BD11BDA)
STREAM = 2**31
"""The first number of the keys of streams; that of initial weights is a number of inputs."""
NUMBERS = 2**32
"""A draw is one of so many numbers."""


def threefry(key: np.ndarray, counter: np.ndarray) -> np.ndarray:
    """Return two random numbers for each pair of a key and a counter.

    Parameters
    ----------
    key, counter
        uint32 [2, ...] each; what comes after is broadcast.

    Returns
    -------
    numpy.ndarray
        uint32 [2, ...]

    Examples
    --------
    >>> zeros = np.zeros((2, 1), np.uint32)
    >>> [f"{number:x}" for number in threefry(zeros, zeros).ravel().tolist()]
    ['6b200159', '99ba4efe']
    """
    schedule = (key[0], key[1], PARITY ^ key[0] ^ key[1])
    first, second = counter[0] + schedule[0], counter[1] + schedule[1]
    for group in range(5):
        for rotation in ROTATIONS[group % 2]:
            first = first + second
            second = first ^ (second << np.uint32(rotation) | second >> np.uint32(32 - rotation))
        first = first + schedule[(group + 1) % 3]
        second = second + schedule[(group + 2) % 3] + np.uint32(group + 1)
    return np.stack([first, second])


def draw_keys(
    *, features: int, hidden_size: int, seed: int, blocks: range, contexts: int, own: bool
) -> np.ndarray:
    """Return the keys of the networks of some blocks of replicas, contexts in row order.

    Returns
    -------
    numpy.ndarray
        uint32 [2, 2, N]: of orders and of flips, two numbers each. The contexts of a replica have
        the same keys, unless each has its `own`.

    Examples
    --------
    >>> drawn = {"features": 3, "hidden_size": 2, "seed": 0, "blocks": range(1), "contexts": 4}
    >>> [np.unique(draw_keys(**drawn, own=own)[0, 0]).size for own in (False, True)]
    [64, 256]
    """

    def of_block(block: int, context: int) -> np.ndarray:
        spawned = (STREAM, features, hidden_size, block, context)
        sequence = np.random.SeedSequence(seed, spawn_key=spawned)
        return sequence.generate_state(4 * BLOCK).reshape(2, 2, BLOCK)

    keys = [
        of_block(block, context + 1 if own else 0)
        for context in range(contexts)
        for block in blocks
    ]
    return np.concatenate(keys, axis=-1)


def shuffled(keys: np.ndarray, epoch: int, items: int) -> np.ndarray:
    """Return the order of the items in an epoch, int64 [I, N], for keys [2, N].

    Items are sorted by a random number each, whose lowest bits hold the item: none are equal.

    Examples
    --------
    >>> orders = shuffled(np.arange(6, dtype=np.uint32).reshape(2, 3), epoch=0, items=4)
    >>> np.sort(orders, axis=0).T.tolist()
    [[0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3]]
    """
    places = np.arange(items, dtype=np.uint32)
    counters = np.stack([places // 2, np.full(items, epoch % NUMBERS, np.uint32)])[..., None]
    drawn = threefry(keys[:, None], counters)
    drawn = np.where((places % 2 == 0)[:, None], *drawn)
    lowest = np.uint32(2 ** (items - 1).bit_length() - 1)
    return np.sort(drawn & ~lowest | places[:, None], axis=0).astype(np.int64) & int(lowest)


def batches(keys: np.ndarray, items: int, batch_size: int, first: int) -> Iterator[np.ndarray]:
    """Yield the items of one step after the other, int64 [B, N], from step `first` on.

    A network is shown its items in a stream of shuffled epochs, of which a step takes the next
    `batch_size`, in the middle of an epoch or across the end of one.

    Examples
    --------
    >>> keys = np.zeros((2, 1), np.uint32)
    >>> shown = [step for step, _ in zip(batches(keys, 4, 6, first=0), range(2))]
    >>> np.unique(shown, return_counts=True)[1].tolist()
    [3, 3, 3, 3]
    """
    epoch, place = divmod(first * batch_size, items)
    waiting = shuffled(keys, epoch, items)[place:]
    while True:
        while len(waiting) < batch_size:
            epoch += 1
            waiting = np.concatenate([waiting, shuffled(keys, epoch, items)])
        yield waiting[:batch_size]
        waiting = waiting[batch_size:]


def flips(keys: np.ndarray, step: int, shown: int, label_noise: float) -> np.ndarray:
    """Return which labels of a step are flipped, bool [2, B, N], Alice's first, for keys [2, N].

    Examples
    --------
    >>> keys = np.arange(2000, dtype=np.uint32).reshape(2, 1000)
    >>> round(float(flips(keys, step=0, shown=8, label_noise=0.25).mean()), 2)
    0.25
    """
    counters = np.stack([np.arange(shown, dtype=np.uint32), np.full(shown, step, np.uint32)])
    return threefry(keys[:, None], counters[..., None]) < threshold(label_noise)


def threshold(label_noise: float) -> int:
    """Return the number below which a draw flips a label.

    >>> threshold(0.5) == NUMBERS // 2
    True
    """
    return round(label_noise * NUMBERS)
