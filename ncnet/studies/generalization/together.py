"""Trains all tasks in one trunk, once, to see which of them pull the trunk alike.

Published ways to group tasks look at gradients in such a training instead of training pairs: at the
cosine between those of two tasks, and at *inter-task affinity*, by what share one step on the trunk
for one task lowers the loss of another (arXiv 2109.04617).
"""

import itertools
from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import softplus

from ncnet.studies.generalization.measurements import trace_steps
from ncnet.training import samples
from ncnet.training.network import with_bias
from ncnet.training.samples.networks import initial_weights


def affinities(
    population: samples.Population,
    names: Sequence[str],
    *,
    hidden_size: int,
    replicas: Sequence[int],
    seed: int,
    steps: int,
    learning_rate: float = 0.5,
) -> pd.DataFrame:
    """Train one network on all tasks of a population; return how alike each pair pulls its trunk.

    Trunk and heads start as those of pairs do (`ncnet.training.samples.train_pairs`), and are
    trained by the same gradient descent. A head follows the gradient of its own loss; the trunk
    follows twice the mean of all, so that it is pushed as far as by a pair.

    Parameters
    ----------
    population
        A population of two tasks or more.
    names
        What the rows call its tasks.
    hidden_size, replicas, seed, steps, learning_rate
        As `ncnet.training.samples.train_pairs` takes them.

    Returns
    -------
    pandas.DataFrame
        ``first``, ``second``, ``replica``; ``joint_cosine`` of the gradients of both losses on the
        trunk, and ``lookahead``, the mean of the affinities of each task to the other: means over
        the traced steps.

    Examples
    --------
    >>> population = samples.digits([(0, 1), (2, 3), (4,)], training=8, held_out=4, seed=0)
    >>> rows = affinities(
    ...     population, ["a", "b", "c"], hidden_size=2, replicas=[5], seed=0, steps=10
    ... )
    >>> rows[["first", "second", "replica"]].values.tolist()
    [['a', 'b', 5], ['a', 'c', 5], ['b', 'c', 5]]
    """
    network = _Network(population, hidden_size, replicas, seed)
    schedule, found = trace_steps(steps), []
    for step in range(steps + 1):
        if step in schedule:
            found.append(network.pulls(learning_rate))
        network.step(learning_rate)
    cosine, lookahead = (torch.stack(parts).mean(0) for parts in zip(*found, strict=True))
    both_ways = (lookahead + lookahead.mT) / 2
    rows = []
    for s, t in itertools.combinations(range(len(names)), 2):
        about = {"first": names[s], "second": names[t], "replica": list(replicas)}
        pulls = {"joint_cosine": cosine[:, s, t], "lookahead": both_ways[:, s, t]}
        rows.append(pd.DataFrame(about | {name: values.numpy() for name, values in pulls.items()}))
    return pd.concat(rows, ignore_index=True)


class _Network:
    """A network with a head for each task: R replicas, K tasks, H hidden units, I items."""

    def __init__(
        self, population: samples.Population, hidden_size: int, replicas: Sequence[int], seed: int
    ):
        inputs, targets = population.draw(replicas)
        seen = slice(population.training)
        self.inputs = with_bias(torch.from_numpy(inputs[:, seen]))  # [R, I, F + 1]
        self.targets = torch.from_numpy(targets[..., seen]).transpose(0, 1).float()  # [R, K, I]
        pairs = [(task, task) for task in population.tasks]
        shape = {"features": population.features, "hidden_size": hidden_size, "seed": seed}
        weights = initial_weights(replicas, pairs, **shape)
        self.trunk = weights.trunk[:, :hidden_size].clone().requires_grad_()  # [R, H, F + 1]
        self.heads = weights.heads[:, :, 0].clone().requires_grad_()  # [R, K, H + 1]

    def losses(self, trunk: Tensor) -> Tensor:
        """Return the loss of each task [R, K], with another trunk perhaps."""
        hidden = with_bias(torch.tanh(self.inputs @ trunk.mT))
        return softplus(-self.targets * (self.heads @ hidden.mT)).mean(-1)

    def step(self, rate: float) -> None:
        """Make one step of gradient descent."""
        losses = self.losses(self.trunk)
        of_trunk, of_heads = torch.autograd.grad(losses.sum(), (self.trunk, self.heads))
        with torch.no_grad():
            self.trunk -= rate * 2 / losses.shape[1] * of_trunk
            self.heads -= rate * of_heads

    def pulls(self, rate: float) -> tuple[Tensor, Tensor]:
        """Return cosines and affinities of each task to each [R, K, K]."""
        losses = self.losses(self.trunk)
        gradients = torch.stack(
            [
                torch.autograd.grad(loss.sum(), self.trunk, retain_graph=True)[0]
                for loss in losses.unbind(1)
            ],
            dim=1,
        )
        units = torch.nn.functional.normalize(gradients.flatten(2), dim=-1)
        with torch.no_grad():
            after = [self.losses(self.trunk - rate * one) for one in gradients.unbind(1)]
            affinity = 1 - torch.stack(after, dim=1) / losses[:, None]
        return units @ units.mT, affinity
