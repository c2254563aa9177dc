"""Adds Gaussian noise to the inputs of a game on truth tables."""

import numpy as np

from ncnet.checks import check_positive
from ncnet.games import Game
from ncnet.training.samples.population import Items, Population, sampled


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
    noise = check_positive("noise", noise)
    classes = np.concatenate([game.alice_targets, game.bob_targets])

    def sample(split: str, generator: np.random.Generator, count: int) -> Items:
        # Two generators: the rows of a larger sample then begin with those of a smaller one.
        (of_rows,) = generator.spawn(1)
        rows = of_rows.integers(len(game.inputs), size=count)
        blur = generator.standard_normal((count, game.bits))
        return game.inputs[rows] + noise * blur, classes[:, rows]

    return sampled(
        sample,
        name=game.name,
        tasks=tuple(task.name for task in game.alice + game.bob),
        features=game.bits,
        **sampling,
    )
