"""Lists the populations of the recorded runs by name."""

from ncnet import games
from ncnet.checks import check_choice
from ncnet.training.samples.digits import QUARTETS, digit_tasks, digits
from ncnet.training.samples.noisy import noisy_game
from ncnet.training.samples.population import Population

NAMES = (*games.NAMED, *QUARTETS)
"""The names that `named` knows."""


BY_STEPS = ", by steps"
"""Ends the name of a condition in which the number of training steps is the capacity."""


def label(name: str, *, training: int, label_noise: float = 0.0, by_steps: bool = False) -> str:
    """Return the name that tables have for a population with so many training items.

    >>> label("overlap", training=64), label("middling", training=128, label_noise=0.1)
    ('overlap, 64 items', 'middling, 128 items, 10 % flipped')
    >>> label("overlap", training=64, by_steps=True)
    'overlap, 64 items, by steps'
    """
    flipped = f", {100 * label_noise:g} % flipped" if label_noise else ""
    return f"{name}, {training} items{flipped}{BY_STEPS if by_steps else ''}"


def named(name: str, *, noise: float = 0.5, **sampling: float) -> Population:
    """Return the population of this name: a noisy XORnet game, or a quartet of tasks on digits.

    Parameters
    ----------
    name
        "overlap" or "separate" (`noisy_game`), "hard_together", "hard_apart" or "middling"
        (`digits` with the tasks of `digit_tasks`).
    noise
        Standard deviation of the noise on a game's inputs. Digits take none.
    sampling
        `training`, `held_out`, `label_noise` and `seed`, as `sampled` takes them.

    Examples
    --------
    >>> named("hard_apart", training=128, held_out=200, seed=0).features
    64
    """
    check_choice("population", name, NAMES)
    if name in games.NAMED:
        return noisy_game(games.named(name), noise=noise, **sampling)
    return digits(digit_tasks(name), name=name, **sampling)
