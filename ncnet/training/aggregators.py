"""Combines the gradients of both heads into one step of the shared trunk.

Every rule here moves the trunk along ``c_A g_A + c_B g_B``, over the whole trunk at once, with
coefficients that depend on no more than the three products of the two gradients. For two gradients
each has a closed form, which `compiled.cpp` repeats. All are scaled as a sum is: two equal
gradients move the trunk twice as far as one, under any rule.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

PLAIN = "sum"
WEIGHTED = "weighted"
CAGRAD_RADIUS = 0.5
"""The radius c of CAGrad, as in most experiments of its paper."""
SMALLEST = 1e-37
"""Keeps a quotient finite where a squared gradient is smaller than float32 can hold."""
NEAR_ZERO = 1e-7
"""A squared length, relative to what it is added up from, that single precision takes for 0."""


class Products(NamedTuple):
    """The inner products of the two heads' gradients.

    Attributes
    ----------
    alice, bob
        |g_A|^2 and |g_B|^2.
    both
        g_A . g_B.
    """

    alice: Tensor
    both: Tensor
    bob: Tensor


Coefficients = tuple[Tensor, Tensor]


def pcgrad(products: Products) -> Coefficients:
    """Take out of each gradient its part against the other, then add them.

    Algorithm 1 of Yu et al., arXiv 2001.06782. Half of it is UPGrad (arXiv 2406.16232).

    >>> pcgrad(Products(*torch.tensor([[1.0], [-0.5], [1.0]])))
    (tensor([1.5000]), tensor([1.5000]))
    """
    against = products.both.clamp(max=0)
    return (
        1 - against / products.alice.clamp(min=SMALLEST),
        1 - against / products.bob.clamp(min=SMALLEST),
    )


def mgda(products: Products) -> Coefficients:
    """Return twice the shortest vector between both gradients.

    Désidéri, C. R. Math. 350, 313, 2012; Sener and Koltun, arXiv 1810.04650, algorithm 1.

    >>> mgda(Products(*torch.tensor([[4.0], [0.0], [1.0]])))
    (tensor([0.4000]), tensor([1.6000]))
    """
    share = _shortest(products).clamp(0, 1)
    return 2 * share, 2 * (1 - share)


def cagrad(products: Products) -> Coefficients:
    """Stay near the mean of both gradients, and do the best for the head that gains less.

    Algorithm 1 of Liu et al., arXiv 2110.14048, with radius c = `CAGRAD_RADIUS`, times 2 / (1 + c).
    Its inner problem, min over w in [0, 1] of ``g_w . g_0 + c |g_0| |g_w|`` with g_0 the mean and
    ``g_w = w g_A + (1 - w) g_B``, has a closed form. Where g_w vanishes, nothing moves: both heads
    cannot gain.

    >>> cagrad(Products(*torch.tensor([[1.0], [0.0], [1.0]])))
    (tensor([1.]), tensor([1.]))
    """
    alice, both, bob = products
    scale = alice + bob
    gap = (scale - 2 * both).clamp(min=SMALLEST)
    shortest = _shortest(products)
    least = ((alice * bob - both * both) / gap).clamp(min=0)
    radius = CAGRAD_RADIUS * (scale + 2 * both).clamp(min=0).sqrt() / 2
    slope = (alice - bob) / 2
    bend = radius * radius * gap - slope * slope
    inner = shortest - slope * (least / gap).sqrt() / bend.clamp(min=SMALLEST).sqrt()
    inner = torch.where(bend > 0, inner, (slope < 0).to(inner)).clamp(0, 1)
    # Of gradients that are alike any share will do, and the formula has none.
    share = torch.where(gap > NEAR_ZERO * scale, inner, 0.5)
    other = 1 - share
    separate = alice * share * share + bob * other * other
    square = separate + 2 * both * share * other
    pull = 2 * radius / square.clamp(min=SMALLEST).sqrt()
    moves = (square > NEAR_ZERO * separate).to(share) / (1 + CAGRAD_RADIUS)
    return moves * (1 + pull * share), moves * (1 + pull * other)


def _shortest(products: Products) -> Tensor:
    """Return the w at which ``w g_A + (1 - w) g_B`` is shortest, for w not bounded."""
    alice, both, bob = products
    return (bob - both) / (alice - 2 * both + bob).clamp(min=SMALLEST)


AGGREGATORS: dict[str, Callable[[Products], Coefficients] | None] = {
    PLAIN: None,
    "pcgrad": pcgrad,
    "mgda": mgda,
    "cagrad": cagrad,
}
"""The rules by name; the plain sum needs no products."""
