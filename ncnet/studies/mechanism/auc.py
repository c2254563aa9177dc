"""Says how much area under the curve (AUC) a decoder loses where it is given less of a trace.

The interval is exact: it assumes nothing but that replicas are independent, and is about the
decoders as they were trained. Given the decoder of a fold, the replicas that are held out there are
independent, and so are pairs of them that share none. Of each pair it counts how often the right
trace scores higher, a number between 0 and 1 whose mean is the AUC; with the whole trace and with
less, the difference is between -1 and 1. A bet on these differences makes an e-value, see
`ncnet.chsh.betting`, that the mean in this fold is as low as some m.

What one fold holds out another one learns from, so that e-values of several folds may not be
multiplied. Their average is an e-value however they depend on each other (Vovk and Wang, Annals of
Statistics 49, 1736, 2021), and so is that over several ways to pair the replicas. But with all
folds no more is shown than by one of them: few folds, which hold out many replicas, show most.
"""

from collections.abc import Sequence

import numpy as np

from ncnet.chsh.betting import BETS
from ncnet.chsh.bootstrap import DIGITS
from ncnet.estimates import Estimate

PAIRINGS = 10
"""The ways to pair replicas whose e-values are averaged: the interval hardly depends on chance."""
DISTANCES = np.geomspace(1e-4, 2, 200)
"""From the estimate, where means are tried: a bound errs outwards, by a twentieth of them."""
SLOPES = np.geomspace(1e-1, 1e5, 300)
"""Of the logarithm of an e-value: of as many bounds, all of which hold, the best one is taken."""
RUIN = -1e9
"""The logarithm of what is left where everything was lost."""


def wins(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return whether replica r with setting 2 scores above replica s with setting 1 [r, s].

    Parameters
    ----------
    first, second
        The decoder's scores with the other head's setting 1 and 2 [tasks, replicas].

    Returns
    -------
    numpy.ndarray
        1 where it does, 0 where not, 1/2 where both score alike; means over tasks. Its mean is the
        AUC.

    Examples
    --------
    >>> wins(np.array([[0.0, 2.0]]), np.array([[1.0, 2.0]])).tolist()
    [[1.0, 0.0], [1.0, 0.5]]
    """
    signs = sum(np.sign(np.subtract.outer(*task)) for task in zip(second, first, strict=True))
    return (1 + signs / len(first)) / 2


def lost_auc(
    less: Sequence[np.ndarray], whole: Sequence[np.ndarray], *, level: float, seed: int
) -> Estimate:
    """Return how much AUC is lost from one decoding to another, with its exact interval.

    Parameters
    ----------
    less, whole
        What `wins` returns for the replicas that each fold holds out, with less of a trace and with
        the whole; the same folds.
    level
        Coverage: of the mean over folds of what their decoders lose, as they were trained.
    seed
        Seeds how replicas are paired.

    Examples
    --------
    Whole traces are told apart in nine of ten pairs, with less of them it is a guess:

    >>> generator = np.random.default_rng(0)
    >>> whole = [generator.random((400, 400)) < 0.9 for _ in range(2)]
    >>> less = [generator.random((400, 400)) < 0.5 for _ in range(2)]
    >>> estimate = lost_auc(less, whole, level=0.95, seed=0)
    >>> 0.3 < estimate.low < 0.4 < estimate.high < 0.5
    True
    """
    lost = [np.asarray(one, float) - other for one, other in zip(whole, less, strict=True)]
    alpha, generator = (1 - level) / 2, np.random.default_rng(seed)
    pairs = [_of_pairs(fold, generator) for fold in lost]
    value = float(np.mean([fold.mean() for fold in lost]))
    low = _lower_bound(pairs, value, alpha)
    high = -_lower_bound([-fold for fold in pairs], -value, alpha)
    return Estimate(value, low, high)


def _of_pairs(lost: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return the mean of both orders in each of many pairs that share no replica [pairings, pairs].

    If their number is odd, a replica is left out, another one each time.
    """
    drawn = generator.permuted(np.tile(np.arange(len(lost)), (PAIRINGS, 1)), axis=1)
    one, other = drawn[:, : len(lost) // 2], drawn[:, -(len(lost) // 2) :]
    return ((lost[one, other] + lost[other, one]) / 2).round(DIGITS)


def _lower_bound(folds: list[np.ndarray], value: float, alpha: float) -> float:
    """Return a bound that the mean over folds lies below with probability at most `alpha`.

    Let e_k(m) be the e-value of fold k against "its mean is at most m". At the true means m_k their
    average exceeds 1 / alpha with probability at most alpha. Else, for whatever c > 0, the mean
    over folds of m_k is at least that of m_k + c (e_k(m_k) - 1 / alpha), which is at least that of
    the smallest such sum over all m. The best c gives the bound.
    """
    tried = np.unique(np.clip(value + np.concatenate([-DISTANCES, [0], DISTANCES]), -1, 1))
    # From one mean that is tried to the next the e-value falls: it is at least that of the latter.
    evidence = np.array([_e_values(fold, tried[1:]) for fold in folds])
    sums = tried[:-1] + alpha / SLOPES[:, None, None] * (evidence - 1 / alpha)
    return float(max(-1.0, sums.min(axis=-1).mean(axis=-1).max()))


def _e_values(pairs: np.ndarray, means: np.ndarray) -> np.ndarray:
    """Return e-values against "the mean is at most m" for each m [means], averages over pairings.

    They are those of `ncnet.chsh.betting.log_evidence` for values of at least -1, many at once.
    """
    values, places = np.unique(pairs, return_inverse=True)
    counts = np.array(
        [np.bincount(one, minlength=len(values)) for one in places.reshape(pairs.shape)]
    )
    gains = np.maximum((values[:, None] - means) / (means + 1), -1)
    with np.errstate(divide="ignore"):  # a bet of everything may lose everything: log 0
        won = np.maximum(np.log1p(gains[..., None] * BETS), RUIN)
    # More than e^500 would show nothing that e^500 does not.
    worth = np.exp(np.minimum(np.tensordot(counts, won, axes=1), 500))
    return ((worth[..., -1] + worth.mean(axis=-1)) / 2).mean(axis=0)
