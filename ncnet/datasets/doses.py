"""Makes a task harder by dose: a share of its training labels is shuffled."""

from dataclasses import replace

import numpy as np

from ncnet.checks import check_integer, check_number
from ncnet.datasets.items import Item, TaskData
from ncnet.keys import task_key


def shuffled_labels(task: TaskData, share: float, *, seed: int) -> TaskData:
    """Return a task of which a share of the training labels is shuffled among themselves.

    Texts stay as they are, and so do held-out items. How often each label comes stays the same, so
    that some labels fall back on their own place. What is shuffled follows from the task's name and
    the seed: the items of a smaller share are among those of a larger.

    Parameters
    ----------
    task
        The task; its further items are training items, too.
    share
        The share of the training items whose labels are shuffled, from 0 to 1.
    seed
        The seed of the draw.

    Examples
    --------
    >>> from ncnet import datasets
    >>> task = datasets.load(["toy/mood"], items=8, held_out=2, seed=0)["toy/mood"]
    >>> [item.label for item in task.training]
    [1, 1, 1, 1, 0, 0, 0, 1]
    >>> [item.label for item in shuffled_labels(task, 1, seed=0).training]
    [0, 1, 1, 1, 1, 0, 0, 1]
    """
    share = check_number("share", share, 0, 1)
    generator = np.random.default_rng(
        [check_integer("seed", seed, at_least=0), task_key(task.name)]
    )
    items = [*task.training, *task.further]
    chosen = generator.permutation(len(items))[: round(share * len(items))]
    labels = np.array([item.label for item in items])
    labels[chosen] = labels[generator.permutation(chosen)]
    made: list[Item] = [
        replace(item, label=label) for item, label in zip(items, labels.tolist(), strict=True)
    ]
    training, further = tuple(made[: len(task.training)]), tuple(made[len(task.training) :])
    source = task.source | {"shuffled": share, "shuffled_seed": seed} if share else task.source
    return replace(task, training=training, further=further, source=source)
