"""Looks at networks while they are trained: outcomes so far, and how both tasks pull the trunk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor
from torch.optim import Adam

from ncnet.encoders.model import Networks
from ncnet.encoders.outcomes import losses_of, outcomes_of


def look(
    networks: Networks, optimizer: Adam, items: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return what can be seen of networks between two steps, on the items of the next.

    Parameters
    ----------
    networks, optimizer
        The networks, and what trains them.
    items
        The items of each task in the next step.

    Returns
    -------
    dict
        `along`, the outcomes so far as `ncnet.encoders.outcomes.Outcomes` has them [networks, 2,
        items]. `cosine`, that of the angle between the gradients of both losses on the trunk
        [networks]. `lookahead` [networks, 2], of each head the share by which its loss falls
        through one step for the other head's task alone (inter-task affinity, arXiv 2109.04617).
        The step is as long as Adam's: each gradient over the root of its mean square so far. Of a
        task alone, both are not numbers.
    """
    weights = [weight for weight in networks.trunks.parameters() if weight.requires_grad]
    losses = losses_of(networks, items)
    gradients = {
        name: torch.autograd.grad(loss.sum(), weights, retain_graph=True)
        for name, loss in losses.items()
    }
    before = _by_head(networks, losses)
    count = len(networks.pairs)
    cosine, lookahead = np.full(count, np.nan), np.full((count, 2), np.nan)
    both = [k for k, pair in enumerate(networks.pairs) if len(pair) > 1]
    for k in both:
        first, second = (
            torch.cat([part[k].ravel() for part in gradients[name]]) for name in networks.pairs[k]
        )
        cosine[k] = torch.cosine_similarity(first, second, dim=0).item()
    for head in (0, 1):
        with _stepped(networks, optimizer, weights, gradients, 1 - head), torch.no_grad():
            after = _by_head(networks, losses_of(networks, items))
        lookahead[both, head] = (1 - after / before)[both, head]
    along = outcomes_of(networks).correct
    return {"along": along, "cosine": cosine, "lookahead": lookahead}


@contextmanager
def _stepped(
    networks: Networks,
    optimizer: Adam,
    weights: list[Tensor],
    gradients: dict[str, tuple[Tensor, ...]],
    head: int,
) -> Iterator[None]:
    """Make one step for the task of one head of each pair, and take it back in the end."""
    [group] = optimizer.param_groups
    kept = [weight.detach().clone() for weight in weights]
    with torch.no_grad():
        for at, weight in enumerate(weights):
            state = optimizer.state[weight]
            corrected = state["exp_avg_sq"] / (1 - group["betas"][1] ** state["step"])
            scale = group["lr"] / (corrected.sqrt() + group["eps"])
            for k, pair in enumerate(networks.pairs):
                if len(pair) > 1:
                    weight[k] -= scale[k] * gradients[pair[head]][at][k]
    try:
        yield
    finally:
        with torch.no_grad():
            for weight, before in zip(weights, kept, strict=True):
                weight.copy_(before)


def _by_head(networks: Networks, losses: dict[str, Tensor]) -> np.ndarray:
    """Return losses by network and head [networks, 2]."""
    found = np.full((len(networks.pairs), 2), np.nan)
    for name, loss in losses.items():
        for k, value in zip(networks.networks[name].tolist(), loss.tolist(), strict=True):
            found[k, networks.pairs[k].index(name)] = value
    return found
