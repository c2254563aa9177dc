"""Initial weights: in one network shape, a replica's depend on the seed and its index alone.

Replicas are drawn in blocks of `BLOCK`, each block from a generator of its own, so that any
stretch of replicas can be drawn without those before it: 100 replicas are the first 100 of 1,000.
The shape is part of the key: replicas of different capacities, or of games with different
numbers of inputs, are independent. Trainings that differ in anything else start alike.
"""

from collections.abc import Callable, Sequence

import numpy as np

BLOCK = 64

Draw = Callable[[np.random.Generator, tuple[int, ...], int, int], tuple[np.ndarray, np.ndarray]]


def _normal(variance: Callable[[int, int], float]) -> Draw:
    def draw(generator, shape, fan_in, fan_out):
        weights = generator.standard_normal(shape) * variance(fan_in, fan_out) ** 0.5
        return weights, np.zeros(shape[:-2] + shape[-1:])

    return draw


def _torch_linear(generator, shape, fan_in, fan_out):
    bound = fan_in**-0.5
    biases = shape[:-2] + shape[-1:]
    return generator.uniform(-bound, bound, shape), generator.uniform(-bound, bound, biases)


INITIALISATIONS: dict[str, Draw] = {
    "lecun_normal": _normal(lambda fan_in, fan_out: 1 / fan_in),
    "he_normal": _normal(lambda fan_in, fan_out: 2 / fan_in),
    "glorot_normal": _normal(lambda fan_in, fan_out: 2 / (fan_in + fan_out)),
    "torch_linear": _torch_linear,
}
"""Normal weights with zero biases (LeCun: variance 1/fan_in, our default; He: 2/fan_in;
Glorot: 2/(fan_in + fan_out)), or the uniform weights and biases of ``torch.nn.Linear``."""


def draw(
    initialisation: str, *, features: int, hidden_size: int, seed: int, replicas: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the initial weights of any replicas, as `draw_block` returns those of a block.

    >>> trunk, _ = draw("he_normal", features=3, hidden_size=2, seed=0, replicas=[5, 70, 5])
    >>> trunk.shape, bool((trunk[..., 0] == trunk[..., 2]).all())
    ((2, 4, 3), True)
    """
    blocks, places = np.unique(np.array(replicas) // BLOCK, return_inverse=True)
    shape = {"features": features, "hidden_size": hidden_size, "seed": seed}
    drawn = [draw_block(initialisation, **shape, block=block) for block in blocks.tolist()]
    at = places * BLOCK + np.array(replicas) % BLOCK
    trunk, heads = (np.concatenate(parts, axis=-1)[..., at] for parts in zip(*drawn, strict=True))
    return trunk, heads


def draw_block(
    initialisation: str, *, features: int, hidden_size: int, seed: int, block: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the initial weights of replicas ``block * BLOCK`` ... ``(block + 1) * BLOCK - 1``.

    Returns
    -------
    trunk
        float64 [hidden_size, features + 1, BLOCK]; the last feature is the bias.
    heads
        float64 [2, hidden_size + 1, BLOCK], Alice's head and Bob's; the last unit is the bias.

    Examples
    --------
    >>> trunk, heads = draw_block("lecun_normal", features=3, hidden_size=2, seed=0, block=0)
    >>> trunk.shape, heads.shape
    ((2, 4, 64), (2, 3, 64))
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(features, hidden_size, block))
    generator = np.random.default_rng(sequence)
    draw = INITIALISATIONS[initialisation]
    trunk = draw(generator, (hidden_size, features, BLOCK), features, hidden_size)
    heads = draw(generator, (2, hidden_size, BLOCK), hidden_size, 1)
    return tuple(
        np.concatenate([weights, biases[..., None, :]], axis=-2)
        for weights, biases in (trunk, heads)
    )
