"""Draws initial weights: of one shape, a replica's depend on the seed and its index alone.

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
"""The initialisations by name. Weights are normal and biases zero (LeCun: variance 1/fan_in, our
default; He: 2/fan_in; Glorot: 2/(fan_in + fan_out)), or both are uniform as in
``torch.nn.Linear``."""


def draw(
    initialisation: str,
    *,
    features: int,
    hidden_size: int,
    seed: int,
    replicas: Sequence[int],
    second_hidden_size: int = 0,
    context: int | None = None,
) -> tuple[np.ndarray, ...]:
    """Return the initial weights of replicas, given by their indices.

    They are those of all contexts, or of one that starts apart, given by its number, or by the
    number of `ncnet.keys.task_key`.

    Returns
    -------
    trunk
        float64 [hidden_size, features + 1, replicas]; the last feature is the bias.
    heads
        float64 [2, hidden_size + 1, replicas], Alice's head and Bob's; the last unit is the bias.
        They read the second hidden layer, if there is one.
    second
        float64 [second_hidden_size, hidden_size + 1, replicas], if there is a second hidden layer.

    Examples
    --------
    >>> trunk, heads = draw("he_normal", features=3, hidden_size=2, seed=0, replicas=[5, 70, 5])
    >>> trunk.shape, heads.shape, bool((trunk[..., 0] == trunk[..., 2]).all())
    ((2, 4, 3), (2, 3, 3), True)
    """
    draw_weights, indices = INITIALISATIONS[initialisation], np.array(replicas)
    blocks, places = np.unique(indices // BLOCK, return_inverse=True)
    further = () if context is None and not second_hidden_size else (second_hidden_size,)
    further += () if context is None else (context,)
    shape = features, hidden_size, second_hidden_size
    drawn = []
    for block in blocks.tolist():
        key = (features, hidden_size, block, *further)
        generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
        drawn.append(_draw_block(draw_weights, generator, *shape))
    at = places * BLOCK + indices % BLOCK
    return tuple(np.concatenate(parts, axis=-1)[..., at] for parts in zip(*drawn, strict=True))


def _draw_block(
    draw_weights: Draw,
    generator: np.random.Generator,
    features: int,
    hidden_size: int,
    second_hidden_size: int,
) -> list[np.ndarray]:
    """Return trunk, heads and, if there is one, the second layer of a block of replicas."""
    last = second_hidden_size or hidden_size
    layers = [((hidden_size, features, BLOCK), hidden_size), ((2, last, BLOCK), 1)]
    if second_hidden_size:
        layers.append(((second_hidden_size, hidden_size, BLOCK), second_hidden_size))
    drawn = [draw_weights(generator, shape, shape[1], fan_out) for shape, fan_out in layers]
    return [np.concatenate([weights, biases[..., None, :]], axis=-2) for weights, biases in drawn]
