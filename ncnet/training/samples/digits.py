"""Draws handwritten digits (those that come with scikit-learn), and defines tasks on them."""

import itertools
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from ncnet.checks import check_choice, check_integer
from ncnet.training.samples.population import NOTHING, Items, Population, sampled

QUARTETS = ("hard_together", "hard_apart", "middling")
"""The names that `digit_tasks` knows."""
NAMED_TASKS = {
    "odd": (1, 3, 5, 7, 9),
    "at least 5": (5, 6, 7, 8, 9),
    "prime": (2, 3, 5, 7),
    "square": (0, 1, 4, 9),
    "multiple of 3": (0, 3, 6, 9),
    "triangular": (0, 1, 3, 6),
    "power of 2": (1, 2, 4, 8),
    "Fibonacci": (0, 1, 2, 3, 5, 8),
    "closed loop": (0, 6, 8, 9),
    "straight strokes": (1, 4, 7),
}
"""Ten properties of a digit and the digits that have them: those that have a name of their own."""


def digits(
    tasks: Iterable[Sequence[int]], *, name: str = "digits", **sampling: float
) -> Population:
    """Return the population of handwritten digits with these tasks.

    The 1,797 images of 8 x 8 pixels that come with scikit-learn, in two halves that are the same
    for all replicas: a replica draws its training items from one, without replacement, and its
    held-out items from the other. Pixels are scaled to -1 ... 1.

    Parameters
    ----------
    tasks
        The digits that are of class 1, for each task; no digits stand for `NOTHING`. The tasks of
        the four contexts of a game are A1, A2, B1, B2.
    name
        The population's name.
    sampling
        `training`, up to 898, `held_out`, up to 899, `label_noise` and `seed`, as `sampled` takes
        them.

    Raises
    ------
    ValueError
        For a number out of range, or something that is no digit.

    Examples
    --------
    >>> population = digits([(0, 2, 4, 6, 8), (5, 6, 7, 8, 9)], training=20, held_out=10, seed=0)
    >>> population.draw([0, 1]).inputs.shape, population.tasks
    ((2, 30, 64), ('02468', '56789'))
    """
    members = tuple(
        tuple(sorted({check_integer("digit", digit, at_least=0, at_most=9) for digit in task}))
        for task in tasks
    )
    halves = _images()

    def sample(split: str, generator: np.random.Generator, count: int) -> Items:
        images, labels = halves[split]
        places = generator.permutation(len(labels))[:count]
        return images[places], np.stack([_targets(labels[places], task) for task in members])

    names = tuple("".join(map(str, task)) or NOTHING for task in members)
    population = sampled(sample, name=name, tasks=names, features=64, **sampling)
    for split, (_, labels) in halves.items():
        check_integer(split, getattr(population, split), at_least=1, at_most=len(labels))
    return population


def digit_tasks(quartet: str) -> tuple[tuple[int, ...], ...]:
    """Return the tasks A1, A2, B1, B2 of a quartet, each as the digits of class 1.

    They are taken by a rule from `splits_by_separability`: going down from the easiest split, the
    first two, and going up from the hardest, the first two; each time passing over splits that are
    not nearly independent of those taken before (that do not agree on 4 or 6 digits with them).
    "hard_together": easy tasks in setting 1, hard ones in setting 2 of each party. "hard_apart":
    both easy ones are Alice's, both hard ones Bob's. "middling": four from the middle of the order
    upwards.

    Examples
    --------
    >>> digit_tasks("hard_together")[0]
    (0, 4, 5, 6, 7)
    """
    check_choice("quartet of digits", quartet, QUARTETS)
    order = [split for split, _ in splits_by_separability()]
    if quartet == "middling":
        return tuple(_nearly_independent(order[len(order) // 2 :], 4, ()))
    easy = _nearly_independent(order, 2, ())
    hard = _nearly_independent(order[::-1], 2, easy)
    if quartet == "hard_apart":
        return (*easy, *hard)
    return (easy[0], hard[0], easy[1], hard[1])


@lru_cache
def splits_by_separability() -> tuple[tuple[tuple[int, ...], float], ...]:
    """Return all splits of the ten digits into five and five, the easiest first.

    Each is given as the half that holds 0, with the share of training images that a linear
    classifier (ridge regression on the class as +-1) gets right in cross-validation: a measure of
    difficulty that knows nothing of any network, let alone of S.

    Examples
    --------
    >>> len(splits_by_separability())
    126
    """
    # Imported where they are used: a second.
    from sklearn.linear_model import Ridge
    from sklearn.model_selection import KFold, cross_val_predict

    images, labels = _images()["training"]
    halves = [half for half in itertools.combinations(range(10), 5) if 0 in half]
    classes = np.stack([_targets(labels, half) for half in halves], axis=1)
    folds = KFold(5, shuffle=True, random_state=0)
    predicted = cross_val_predict(Ridge(), images, classes.astype(float), cv=folds)
    right = ((predicted > 0) == (classes > 0)).mean(axis=0)
    order = np.argsort(-right, kind="stable")
    return tuple((halves[place], float(right[place])) for place in order)


def _nearly_independent(
    order: Iterable[tuple[int, ...]], count: int, taken: Sequence[tuple[int, ...]]
) -> list[tuple[int, ...]]:
    """Return the first splits in this order that are nearly independent, also of those taken."""
    chosen = []
    for split in order:
        # Two halves that share 2 or 3 digits of five agree on 4 or 6 of the ten.
        if all(len(set(split) & set(other)) in (2, 3) for other in (*taken, *chosen)):
            chosen.append(split)
    return chosen[:count]


def _targets(labels: np.ndarray, digits: Sequence[int]) -> np.ndarray:
    if not digits:
        return np.zeros(len(labels), np.int8)
    return (2 * np.isin(labels, digits) - 1).astype(np.int8)


@lru_cache
def _images() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the images and labels of both halves, each with its share of every digit."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    parts = train_test_split(images / 8 - 1, labels, test_size=0.5, stratify=labels, random_state=0)
    return {"training": (parts[0], parts[2]), "held_out": (parts[1], parts[3])}
