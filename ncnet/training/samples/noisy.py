"""Adds Gaussian noise to the inputs of truth tables."""

import itertools

import numpy as np

from ncnet.checks import check_choice, check_positive
from ncnet.games import LAYOUTS, Game
from ncnet.training.samples.population import NOTHING, Items, Population, sampled

FUNCTIONS = {
    "both": lambda one, other: np.where((one > 0) & (other > 0), 1, -1),
    "first alone": lambda one, other: np.where((one > 0) & (other < 0), 1, -1),
    "second alone": lambda one, other: np.where((one < 0) & (other > 0), 1, -1),
    "neither": lambda one, other: np.where((one < 0) & (other < 0), 1, -1),
    "differ": lambda one, other: np.where(one != other, 1, -1),
    "first": lambda one, _: np.where(one > 0, 1, -1),
    "second": lambda _, other: np.where(other > 0, 1, -1),
}
"""The functions of two bits that are not constant, but for their negations."""


def noisy_game(game: Game, *, noise: float, **sampling: float) -> Population:
    """Return the population of a game's inputs with Gaussian noise.

    An item is a row of the truth table, each as likely as the other, plus noise; its classes are
    the row's. Some items lie nearer to another row than to their own: no network gets all of the
    held-out items right.

    Parameters
    ----------
    game
        From `ncnet.games`.
    noise
        Standard deviation of each input; the distance of neighbouring rows is 2.
    sampling
        `training`, `held_out`, `label_noise` and `seed`, as `sampled` takes them.

    Raises
    ------
    ValueError
        For a number out of range.

    Examples
    --------
    >>> from ncnet import games
    >>> population = noisy_game(games.overlap(), noise=0.5, training=6, held_out=4, seed=0)
    >>> drawn = population.draw(range(3))
    >>> drawn.inputs.shape, drawn.targets.shape
    ((3, 10, 3), (4, 3, 10))
    """
    classes = np.concatenate([game.alice_targets, game.bob_targets])
    tasks = tuple(task.name for task in game.alice + game.bob)
    return _noisy(game.inputs, classes, noise, name=game.name, tasks=tasks, **sampling)


def noisy_functions(layout: str, *, noise: float, **sampling: float) -> Population:
    """Return the noisy inputs of a game with all of its tasks, and one that asks nothing.

    Parameters
    ----------
    layout
        "overlap" or "separate": which two bits Alice's and Bob's tasks read.
    noise, sampling
        As `noisy_game` takes them.

    Returns
    -------
    Population
        Alice's tasks are the seven functions of two bits that are neither constant nor another's
        negation, then come Bob's; the last task is `NOTHING`.

    Examples
    --------
    >>> population = noisy_functions("overlap", noise=0.5, training=6, held_out=4, seed=0)
    >>> population.tasks[:2], population.tasks[-2:]
    (('Alice both', 'Alice first alone'), ('Bob second', 'nothing'))
    """
    check_choice("layout", layout, LAYOUTS)
    bits, *read = LAYOUTS[layout]
    inputs = np.array(list(itertools.product((-1.0, 1.0), repeat=bits)))
    classes = {
        f"{party} {name}": function(*inputs.T[list(places)])
        for party, places in zip(("Alice", "Bob"), read, strict=True)
        for name, function in FUNCTIONS.items()
    }
    classes[NOTHING] = np.zeros(len(inputs))
    stacked = np.stack(list(classes.values())).astype(np.int8)
    return _noisy(inputs, stacked, noise, name=layout, tasks=tuple(classes), **sampling)


def _noisy(inputs: np.ndarray, classes: np.ndarray, noise: float, **sampling: object) -> Population:
    """Return the population of these rows [rows, bits] with their classes [tasks, rows]."""
    noise, bits = check_positive("noise", noise), inputs.shape[1]

    def sample(split: str, generator: np.random.Generator, count: int) -> Items:
        # Two generators: the rows of a larger sample then begin with those of a smaller one.
        (of_rows,) = generator.spawn(1)
        rows = of_rows.integers(len(inputs), size=count)
        blur = generator.standard_normal((count, bits))
        return inputs[rows] + noise * blur, classes[:, rows]

    return sampled(sample, features=bits, **sampling)
