"""Bounds on the mean of a bounded variable by betting: exact at any number of replicas.

A mixture of constant bets against "the mean is at most m" (Waudby-Smith and Ramdas, arXiv
2010.09686) is an e-value: it exceeds 1/p with probability at most p if the replicas are
independent. It holds where the bootstrap does not, near the ceiling at which almost every
replica has the same value and a resample shows no spread.
"""

import numpy as np

BETS = np.linspace(0.01, 1, 100)


def log_evidence(values: np.ndarray, mean: float, lowest: float) -> float:
    """Return the log e-value against "the mean is at most `mean`", all values >= `lowest`.

    With y = (x - mean) / (mean - lowest) >= -1, the e-value is half the product of 1 + y over
    replicas, plus half the average over u in {.01, .02, ..., 1} of the product of 1 + u y.

    Examples
    --------
    Where every replica has S = s, the best bet gives ((s + 4) / 6)^R against S <= 2:

    >>> best = 62 * np.log(6.3 / 6)
    >>> bool(best + np.log(0.5) < log_evidence(np.full(62, 2.3), 2.0, -4.0) < best)
    True
    """
    distinct, counts = np.unique(values, return_counts=True)
    gains = (distinct - mean) / (mean - lowest)
    with np.errstate(divide="ignore"):  # a bet of everything may lose everything: log 0
        logs = counts @ np.log1p(np.outer(gains, BETS))
    mixture = np.logaddexp.reduce(logs) - np.log(len(BETS))
    return float(np.logaddexp(logs[-1], mixture) - np.log(2))


def mean_interval(
    values: np.ndarray, *, lowest: float, highest: float, level: float
) -> tuple[float, float]:
    """Return an interval for the mean of independent values in [`lowest`, `highest`].

    Inverts the two one-sided tests, each at half of 1 - `level`. Never of zero width.

    Examples
    --------
    1,600 replicas that all have S = 2 leave room for a mean a little below and above:

    >>> low, high = mean_interval(np.full(1600, 2.0), lowest=-4, highest=4, level=0.95)
    >>> round(low, 3), round(high, 3)
    (1.984, 2.005)
    """
    below = _lower_bound(np.asarray(values, float), lowest, level)
    above = -_lower_bound(-np.asarray(values, float), -highest, level)
    return below, above


def _lower_bound(values: np.ndarray, lowest: float, level: float) -> float:
    # Imported where it is used: it takes half a second, and few reports bet.
    from scipy.optimize import brentq

    needed = np.log(2 / (1 - level))
    average = values.mean()
    margin = 1e-9 * max(1.0, abs(lowest))

    def excess(mean: float) -> float:
        return log_evidence(values, mean, lowest) - needed

    if average - lowest <= 2 * margin or excess(lowest + margin) <= 0:
        return float(lowest)
    return float(brentq(excess, lowest + margin, average, xtol=1e-9))
