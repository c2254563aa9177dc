"""Draws the items that each step shows to a network, and the labels that are flipped meanwhile.

The numbers come from Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as
easy as 1, 2, 3", SC 2011, https://doi.org/10.1145/2063384.2063405), which JAX uses: a number is a
function of a key and a counter. A network's draws therefore depend on its key and on the step
alone, and the compiled kernel draws the same ones.

Shapes: I items of a game, B items of a step, N networks.
"""

import itertools
import math
from collections.abc import Iterator

import numpy as np

from ncnet.training.initialisation import BLOCK

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = np.uint32(0x1BD11BDA)
DRAWN_AT_ONCE = 2**16
"""Numbers that are drawn together: fewer would be slower for each, more would leave the cache."""
MOST_SHUFFLED = 2**14
"""Items that can be shuffled: of more, the random numbers would often be equal."""
STREAM = 2**31
"""The first number of the keys of streams; that of initial weights is a number of inputs."""


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
    drawn = np.stack([counter[0] + schedule[0], counter[1] + schedule[1]])
    first, second = drawn
    turned = np.empty_like(second)
    for group in range(5):
        for rotation in ROTATIONS[group % 2]:
            first += second
            np.left_shift(second, np.uint32(rotation), out=turned)
            second >>= np.uint32(32 - rotation)
            second |= turned
            second ^= first
        first += schedule[(group + 1) % 3]
        second += schedule[(group + 2) % 3] + np.uint32(group + 1)
    return drawn


def draw_keys(
    *, features: int, hidden_size: int, seed: int, blocks: range, contexts: int
) -> np.ndarray:
    """Return the keys of some blocks of replicas, each replica's for so many contexts.

    Returns
    -------
    numpy.ndarray
        uint32 [2, 2, contexts * replicas]: of orders and of flips, two numbers each.

    Examples
    --------
    >>> drawn = {"features": 3, "hidden_size": 2, "seed": 0, "blocks": range(2)}
    >>> [draw_keys(**drawn, contexts=contexts).shape for contexts in (1, 4)]
    [(2, 2, 128), (2, 2, 512)]
    """
    shape = {"features": features, "hidden_size": hidden_size, "seed": seed}
    pairs = itertools.product(range(contexts), blocks)
    return np.concatenate([keys_of_block(*pair, **shape) for pair in pairs], axis=-1)


def keys_of_block(
    context: int, block: int, *, features: int, hidden_size: int, seed: int
) -> np.ndarray:
    """Return the keys of a context, or of what else has a number, in a block [2, 2, BLOCK]."""
    spawned = (STREAM, features, hidden_size, block, context)
    sequence = np.random.SeedSequence(seed, spawn_key=spawned)
    return sequence.generate_state(4 * BLOCK).reshape(2, 2, BLOCK)


def shuffled(keys: np.ndarray, epochs: range, items: int) -> np.ndarray:
    """Return the orders of the items in some epochs, int64 [epochs, I, N], for keys [2, N].

    Items are sorted by a random number each, whose lowest bits hold the item: none are equal.

    Examples
    --------
    >>> orders = shuffled(np.arange(6, dtype=np.uint32).reshape(2, 3), range(1), items=4)
    >>> np.sort(orders[0], axis=0).T.tolist()
    [[0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2, 3]]
    """
    first, second = threefry(keys[:, None, None], _counters((items + 1) // 2, epochs))
    drawn = np.stack([first, second], axis=2).reshape(len(epochs), -1, keys.shape[-1])[:, :items]
    lowest = np.uint32(2 ** (items - 1).bit_length() - 1)
    places = np.arange(items, dtype=np.uint32)[:, None]
    return np.sort(drawn & ~lowest | places, axis=1).astype(np.int64) & int(lowest)


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
    ahead = math.ceil(max(batch_size, DRAWN_AT_ONCE // keys.shape[-1]) / items)
    waiting = np.empty((0, keys.shape[-1]), np.int64)
    while True:
        drawn = shuffled(keys, range(epoch, epoch + ahead), items).reshape(-1, keys.shape[-1])
        waiting, place, epoch = np.concatenate([waiting, drawn[place:]]), 0, epoch + ahead
        while len(waiting) >= batch_size:
            yield waiting[:batch_size]
            waiting = waiting[batch_size:]


def flips(keys: np.ndarray, shown: int, label_noise: float, first: int) -> Iterator[np.ndarray]:
    """Yield which labels of one step after the other are flipped, bool [2, B, N], Alice's first.

    A number has sixteen bits for each of two items.

    Examples
    --------
    >>> keys = np.arange(2000, dtype=np.uint32).reshape(2, 1000)
    >>> round(float(next(flips(keys, shown=8, label_noise=0.25, first=0)).mean()), 2)
    0.25
    """
    ahead = math.ceil(DRAWN_AT_ONCE / (shown * keys.shape[-1]))
    for step in itertools.count(first, ahead):
        counters = _counters((shown + 1) // 2, range(step, step + ahead))
        drawn = threefry(keys[:, None, None], counters)
        halves = np.stack([drawn & np.uint32(0xFFFF), drawn >> np.uint32(16)], axis=3)
        halves = halves.reshape(2, ahead, -1, keys.shape[-1])[:, :, :shown]
        yield from np.moveaxis(halves < threshold(label_noise), 1, 0)


def _counters(pairs: int, rounds: range) -> np.ndarray:
    """Return counters [2, rounds, pairs, 1] of pairs of items in some epochs or steps."""
    numbers = np.array([number % 2**32 for number in rounds], np.uint32)
    found = np.meshgrid(np.arange(pairs, dtype=np.uint32), numbers)
    return np.stack(found)[..., None]


def threshold(label_noise: float) -> int:
    """Return the number of sixteen bits below which a label is flipped.

    >>> threshold(0.5)
    32768
    """
    return round(label_noise * 2**16)
