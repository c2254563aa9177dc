"""Pairs of tasks, trained once: a head follows from its task, and not from whose it is."""

from __future__ import annotations

from collections.abc import Sequence

from ncnet.chsh.pairs import sorted_pair
from ncnet.encoders.catalogue import Encoder
from ncnet.encoders.hyperparameters import Hyperparameters
from ncnet.encoders.model import TwoHeads
from ncnet.encoders.tasks import EncodedTask
from ncnet.encoders.training import Outcome, train_context
from ncnet.keys import task_key


def train_pair(
    encoder: Encoder,
    tasks: Sequence[EncodedTask],
    *,
    rank: float,
    hyperparameters: Hyperparameters,
    replica: int,
) -> tuple[Outcome, TwoHeads]:
    """Train one network on a pair of tasks, or on one task alone; return its outcomes and itself.

    Of all pairs that a task is in, its head starts from the same weights and sees its items in the
    same order. The trunk starts from the same weights in all pairs.

    Parameters
    ----------
    encoder, rank, hyperparameters, replica
        See `TwoHeads`.
    tasks
        Two different tasks in any order, or one, with equally many items to read outcomes of. They
        are trained in canonical order, sorted by name, so that the result is the same bit by bit
        whoever's they are.

    Returns
    -------
    Outcome
        The outcomes of the tasks in canonical order, as `ncnet.chsh.collect_pairs` takes them.
    TwoHeads
        The network; `tasks` are its own, in that order.

    Raises
    ------
    ValueError
        For a task that is paired with itself: before any work starts.
    """
    by_name = {task.data.name: task for task in tasks}
    names = sorted_pair([task.data.name for task in tasks])
    own, keys = [by_name[name] for name in names], [(task_key(name),) for name in names]
    model = TwoHeads(encoder, own, rank, hyperparameters, replica, keys=keys)
    return train_context(model), model
