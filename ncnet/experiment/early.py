"""Says how early in a training a measure of pairs of tasks tells what finished pairs lose."""

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from ncnet.checks import check
from ncnet.chsh.bootstrap import drawn_shares, percentile_interval, spearman
from ncnet.experiment.grouping import PAIR

RESAMPLES = 2000
"""Number of bootstrap resamples."""
DIGITS = 12
"""Means over replicas that agree to so many digits are tied: what is beyond is rounding."""


def early_signs(
    seen: pd.DataFrame,
    fresh: pd.DataFrame,
    *,
    measures: Mapping[str, int],
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how well each measure tells, at each look, what finished pairs lose.

    Parameters
    ----------
    seen
        Rows of replicas that are measured, as `interference` returns them, at each ``look``: the
        share of the steps that is done.
    fresh
        Rows of other replicas, at the end of training, with held-out items.
    measures
        What is measured, each with the sign that it should have against what pairs lose: columns of
        `seen`, and "delta", the signalling of the game of a pair, which means over replicas give.
    level, seed
        The level of each interval, and the seed of the bootstrap: replicas of both are resampled,
        the pairs being given.

    Returns
    -------
    pandas.DataFrame
        A row each ``measure`` and ``look``: ``rho``, Spearman's correlation over pairs with what
        is lost on held-out items, positive where the measure has the sign that it should have;
        ``short``, by how much it is lower than at the last look; both with the ends of their
        intervals; ``pairs``.

    Raises
    ------
    ValueError
        If a pair lacks a replica that others have.

    Examples
    --------
    >>> pairs = pd.DataFrame({"first": "a", "second": list("bcdefg"), "drop": range(6)})
    >>> rows = pairs.merge(pd.DataFrame({"replica": range(20)}), how="cross")
    >>> rows = rows.assign(held_out_drop=rows["drop"], first_drop=rows["drop"], second_drop=0)
    >>> seen = pd.concat([rows.assign(look=0.5, drop=-rows["drop"]), rows.assign(look=1.0)])
    >>> early_signs(seen, rows, measures={"drop": 1})[["look", "rho", "short"]].values.tolist()
    [[0.5, -1.0, 2.0], [1.0, 1.0, 0.0]]
    """
    generator = np.random.default_rng(seed)
    columns = [name for name in (*measures, "first_drop", "second_drop") if name != "delta"]
    looks = sorted(seen["look"].unique())
    shares = None
    found = []
    for look in looks:
        values = _arrays(seen[seen["look"] == look], columns)
        shares = _shares(values.shape[-1], generator) if shares is None else shares
        means = np.einsum("pnr,kr->nkp", values, shares)
        found.append(_measured(dict(zip(columns, means, strict=True)), measures))
    lost = _arrays(fresh, ["held_out_drop"])
    lost = np.einsum("pr,kr->kp", lost[:, 0], _shares(lost.shape[-1], generator)).round(DIGITS)
    # [looks, measures, 1 + resamples], the sample itself first
    rho = np.array([[spearman(of_one, lost) for of_one in of_look] for of_look in found])
    rho = np.nan_to_num(rho)  # what does not differ between pairs orders none
    replicas = min(table["replica"].nunique() for table in (seen, fresh))
    rows = []
    for (at, look), (place, measure) in itertools.product(enumerate(looks), enumerate(measures)):
        row = {"measure": measure, "look": look, "pairs": lost.shape[-1]}
        for name, draws in (("rho", rho[at, place]), ("short", rho[-1, place] - rho[at, place])):
            low, high = percentile_interval(draws[1:], level, replicas)
            row |= {name: draws[0], f"{name}_low": low, f"{name}_high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def _arrays(rows: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Return columns as an array [pairs, names, replicas]."""
    wide = rows.pivot(index=PAIR, columns="replica", values=names)
    lacks = wide.isna().any(axis=1)
    check(not lacks.any(), f"{' beside '.join(wide.index[lacks.argmax()])} lacks a replica", "all")
    return wide.to_numpy(float).reshape(len(wide), len(names), -1)


def _shares(count: int, generator: np.random.Generator) -> np.ndarray:
    """Return the share of each replica in the sample and in each resample."""
    return np.vstack([np.full(count, 1 / count), drawn_shares(count, RESAMPLES, generator)])


def _measured(means: Mapping[str, np.ndarray], measures: Mapping[str, int]) -> list[np.ndarray]:
    """Return measures [resamples, pairs] of means over replicas, with the sign they should have."""
    delta = 2 * (abs(means["first_drop"]) + abs(means["second_drop"]))
    known = {**means, "delta": delta}
    return [np.round(sign * known[name], DIGITS) for name, sign in measures.items()]
