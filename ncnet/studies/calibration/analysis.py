"""How often the intervals cover and the tests reject, in simulated experiments with known truth.

A *model* is a distribution of replicas. Each simulated experiment draws R replicas from it, makes
every interval and test of `ncnet.chsh.report` and of its plainer rivals, and compares with the
model's own means. What is nominal at 95 % should cover in 95 % of the experiments; a test at 5 %
should reject in at most 5 % of those where its hypothesis is true, and often where it is not.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy import optimize, stats
from tqdm import tqdm

from ncnet import chsh, games
from ncnet.checks import check_choice, check_integer
from ncnet.chsh.betting import mean_interval
from ncnet.chsh.bootstrap import distinct_columns, percentile_interval, resampled_means
from ncnet.chsh.intervals import S_BOUNDS
from ncnet.chsh.outcomes import Outcomes
from ncnet.chsh.report import (
    CHANGES,
    CORRELATORS,
    DELTA,
    INFLUENCES,
    replica_rows,
    s_of_rows,
    summary,
)
from ncnet.parts import Parts
from ncnet.training import train

ITEMS = 8
POPULATION = 20_000
LEVEL = 0.95
ROUNDING = 1e-9
"""A bound or a hypothesis that is met to the last digits holds."""
S_RANGE = dict(zip(("lowest", "highest"), S_BOUNDS, strict=True))
REPLICAS = (32, 200, 800, 1600)
RESAMPLES = 10_000
"""As a report makes them."""
TRAINED = {
    "overlap, n = 1": ("overlap", 1),
    "overlap, n = 2": ("overlap", 2),
    "overlap, n = 3": ("overlap", 3),
    "overlap, n = 5": ("overlap", 5),
    "separate, n = 3": ("separate", 3),
}
"""Models that are the ensemble's own: a game and a hidden size."""


@dataclass(frozen=True)
class Model:
    """A distribution of replicas, as weights of finitely many kinds of them.

    Attributes
    ----------
    columns
        Replica means [13, kinds], rows as `ncnet.chsh.report` reads them.
    weights
        Probability of each kind.
    """

    columns: np.ndarray
    weights: np.ndarray

    @property
    def truth(self) -> dict[str, float]:
        """The model's own S and all else that the report has intervals or tests for."""
        means = self.columns @ self.weights
        s = float(chsh.SIGNS.values.reshape(4) @ means[CORRELATORS])
        delta = float(abs(means[CHANGES]).sum())
        odd = (chsh.FACETS.values.reshape(8, 4) @ means[CORRELATORS]).max()
        above = s_of_rows(self.columns) > chsh.CLASSICAL_BOUND
        excess = s - chsh.CLASSICAL_BOUND
        return {
            "s": s,
            "delta": delta,
            "influence": float(means[INFLUENCES].sum()),
            "contextuality": excess - delta,
            "contextuality_within": excess - float(means[DELTA]),
            "any_facet": float(odd) - delta - chsh.CLASSICAL_BOUND,
            "share_above": float(self.weights @ above),
        }


def models() -> dict[str, Callable[[], Model]]:
    """Return what makes each model, by name.

    Those of outcomes drawn by hand have 8 items that are independent unless said otherwise.

    - "local": no influence; S_r from -2 to 2.
    - "ceiling": no influence; all replicas have S_r = 2 but one in a hundred, which has -2.
    - "skewed": S is exactly 2; nearly all replicas lie a little above, few far below.
    - "two modes": S is exactly 2; most replicas have 2, many a little more, and one in a hundred
      has -4.
    - "influence": Alice's outcome of A2 changes with Bob's setting on some items; the marginals
      explain all of S > 2, in every replica.
    - "boundary": influence and noise, mixed with correlations that nothing explains just so that
      S - Delta - 2 is 0.
    - "noise": outcomes change at random with the other's setting, no marginal does.
    - "singlet", "PR box": S = 2 sqrt(2) and 4 with marginals 0.
    - "contextual": as "boundary", with a larger share of what nothing explains.
    - `TRAINED`: networks of this book.
    """
    drawn = {
        "local": _local,
        "ceiling": _ceiling,
        "skewed": _skewed,
        "two modes": _two_modes,
        "influence": _influence,
        "boundary": partial(_mixed, 0.0),
        "noise": partial(_box, np.full((2, 2), 0.25)),
        "singlet": partial(_box, chsh.SIGNS.values / np.sqrt(2)),
        "PR box": partial(_box, chsh.SIGNS.values),
        "contextual": partial(_mixed, 0.1),
    }
    return drawn | {name: partial(_trained, *which) for name, which in TRAINED.items()}


def study(
    name: str, *, replicas: int, simulations: int, seed: int, resamples: int = RESAMPLES
) -> pd.DataFrame:
    """Simulate experiments on one model and count what covers and what rejects.

    Parameters
    ----------
    name
        One of `models`.
    replicas
        Replicas in each experiment.
    simulations, seed
        Number of experiments, and the seed of all of them.
    resamples
        Bootstrap resamples in each experiment.

    Returns
    -------
    pandas.DataFrame
        One row a method: ``model``, ``replicas``, ``kind`` ("interval" or "test"), ``quantity``
        (what it is about), ``method``, ``share`` (of experiments that it covers or rejects in),
        ``width`` (mean, of intervals), ``truth`` (the quantity in the model), ``null`` (whether a
        test's hypothesis is true), ``simulations``.

    Examples
    --------
    >>> table = study("singlet", replicas=32, simulations=20, seed=0)
    >>> table.query("kind == 'test' and quantity == 's'")[["method", "null"]].values.tolist()
    [['betting', False], ['Hoeffding', False], ['t', False], ['interval', False]]
    """
    made = models()
    check_choice("model", name, made)
    replicas = check_integer("replicas", replicas, at_least=2)
    simulations = check_integer("simulations", simulations, at_least=1)
    seed = check_integer("seed", seed, at_least=0)
    model = made[name]()
    truth = model.truth
    generator = np.random.default_rng([seed, replicas, list(made).index(name)])
    rows = []
    for number in range(simulations):
        drawn = generator.multinomial(replicas, model.weights)
        experiment = Experiment(
            model.columns[:, drawn > 0], drawn[drawn > 0], resamples=resamples, seed=number
        )
        rows += experiment.intervals(truth, bca=name in TRAINED)
        rows += experiment.tests(truth)
    labels = ["kind", "quantity", "method"]
    found = pd.DataFrame(rows).groupby(labels, sort=False, as_index=False)
    table = found.agg({"share": "mean", "width": "mean", "truth": "first", "null": "first"})
    return table.assign(model=name, replicas=replicas, simulations=simulations)


def run(
    names: Sequence[str],
    *,
    replicas: Sequence[int] = REPLICAS,
    simulations: int,
    seed: int,
    parts: Parts | None = None,
) -> pd.DataFrame:
    """Return the tables of `study` for several models and numbers of replicas.

    Parameters
    ----------
    names
        Some of `models`.
    replicas
        Numbers of replicas.
    simulations, seed
        See `study`.
    parts
        Keeps each table, for a run that may be cut off.
    """
    tables = []
    cells = [(name, count) for name in names for count in replicas]
    for name, count in tqdm(cells, "calibration", disable=None):
        asked = {"name": name, "replicas": count, "simulations": simulations, "seed": seed}
        compute = partial(study, **asked)
        tables.append(parts.part(asked, compute) if parts else compute())
    return pd.concat(tables, ignore_index=True)


class Experiment:
    """One simulated experiment, analysed in every way.

    Parameters
    ----------
    columns, counts
        The replicas drawn, by kind.
    resamples, seed
        Of the bootstrap.
    """

    def __init__(
        self, columns: np.ndarray, counts: np.ndarray, *, resamples: int, seed: int
    ) -> None:
        self.counts = counts
        self.s = s_of_rows(columns)
        self.draws = resampled_means(columns, counts, resamples=resamples, seed=seed)
        self.report = summary(columns, counts, self.draws, level=LEVEL)
        self.resampling = {"n_resamples": resamples, "rng": seed}

    def intervals(self, truth: dict, *, bca: bool) -> Iterator[dict]:
        """Yield whether each interval covers the truth, and its width."""
        s, delta = s_of_rows(self.draws), abs(self.draws[CHANGES]).sum(axis=0)
        excess = s - delta - chsh.CLASSICAL_BOUND
        found = {
            ("s", "report"): self.report["interval"],
            ("s", "percentile"): percentile_interval(s, LEVEL),
            ("s", "betting"): mean_interval(self.s, counts=self.counts, level=LEVEL, **S_RANGE),
            ("delta", "report"): self.report["delta_interval"],
            ("delta", "percentile"): percentile_interval(delta, LEVEL),
            ("influence", "report"): self.report["influence_interval"],
            ("share_above", "report"): self.report["share_above_interval"],
            ("contextuality", "report"): self.report["contextuality_interval"],
            ("contextuality_within", "report"): self.report["contextuality_within_interval"],
            ("contextuality", "percentile"): percentile_interval(excess, LEVEL),
        }
        if bca:
            found["s", "BCa"] = self._bca()
        for (quantity, method), (low, high) in found.items():
            value = truth[quantity]
            yield {
                "kind": "interval",
                "quantity": quantity,
                "method": method,
                "share": low - ROUNDING <= value <= high + ROUNDING,
                "width": high - low,
                "truth": value,
                "null": None,
            }

    def tests(self, truth: dict) -> Iterator[dict]:
        """Yield whether each test rejects its hypothesis; the interval of S alone is one too."""
        s = np.repeat(self.s, self.counts)
        bound = chsh.CLASSICAL_BOUND
        found = {
            ("s", "betting", bound): self.report["p_value"],
            ("s", "Hoeffding", bound): chsh.hoeffding_test(s, mean=bound, **S_RANGE),
            ("s", "t", bound): _t_test(s),
            ("s", "interval", bound): 0.0 if self.report["interval"][0] > bound else 1.0,
            ("delta", "betting, Holm", 0): self.report["no_signalling_p_values"].min(),
            ("contextuality", "fixed facet", 0): self.report["contextuality_p_value"],
            ("any_facet", "times eight", 0): self.report["any_facet_p_value"],
        }
        for (quantity, method, bound), p in found.items():
            yield {
                "kind": "test",
                "quantity": quantity,
                "method": method,
                "share": p <= 1 - LEVEL,
                "width": None,
                "truth": truth[quantity],
                "null": truth[quantity] <= bound + ROUNDING,
            }

    def _bca(self) -> tuple[float, float]:
        values = np.repeat(self.s, self.counts)
        if len(self.s) == 1 or np.ptp(values) == 0:
            return values[0], values[0]
        return stats.bootstrap(
            (values,), np.mean, confidence_level=LEVEL, **self.resampling
        ).confidence_interval


def _t_test(s: np.ndarray) -> float:
    if np.ptp(s) == 0:  # no spread at all: the test statistic is infinite, or undefined
        return 0.0 if s[0] > chsh.CLASSICAL_BOUND else 1.0
    return float(stats.ttest_1samp(s, chsh.CLASSICAL_BOUND, alternative="greater").pvalue)


def _of_outcomes(outcomes: Outcomes) -> Model:
    means = chsh.replica_means(outcomes)
    columns, counts = distinct_columns(replica_rows(means, chsh.influence(outcomes)))
    return Model(columns, counts / counts.sum())


def _strategies(agreeing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return outcomes without influence, of S = 2 where `agreeing` [replicas, items], else -2."""
    generator = np.random.default_rng(0)
    answers = np.array(list(itertools.product((1, -1), repeat=4)))
    s = answers[:, 0] * (answers[:, 2] + answers[:, 3]) + answers[:, 1] * (
        answers[:, 2] - answers[:, 3]
    )
    chosen = np.where(
        agreeing,
        generator.choice(np.flatnonzero(s == 2), agreeing.shape),
        generator.choice(np.flatnonzero(s == -2), agreeing.shape),
    )
    a1, a2, b1, b2 = np.moveaxis(answers[chosen], -1, 0)
    return np.array([[a1, a1], [a2, a2]]), np.array([[b1, b2], [b1, b2]])


def _local() -> Model:
    generator = np.random.default_rng(1)
    return _of_outcomes(_strategies(generator.random((POPULATION, ITEMS)) < 0.8))


def _ceiling() -> Model:
    every_hundredth = np.arange(POPULATION) % 100 == 0
    return _of_outcomes(_strategies(np.tile(~every_hundredth[:, None], ITEMS)))


def _skewed() -> Model:
    """S_r = 2.25 or -4: with probability .96 and .04 the mean is 2."""
    a, b = (np.ones((2, 2, POPULATION, ITEMS), int) for _ in range(2))
    a[1, 1, :, 0] = -1
    low = np.arange(POPULATION) % 25 == 0
    a[:, :, low] = np.array([[-1, -1], [-1, 1]])[..., None, None]
    return _of_outcomes((a, b))


def _two_modes() -> Model:
    """S_r = 2, 2.25 or -4, in shares of .75, .24 and .01."""
    a, b = (np.ones((2, 2, POPULATION, ITEMS), int) for _ in range(2))
    place = np.arange(POPULATION) % 100
    a[1, 1, place < 24, 0] = -1
    a[:, :, place == 99] = np.array([[-1, -1], [-1, 1]])[..., None, None]
    return _of_outcomes((a, b))


def _influence() -> Model:
    a, b = (np.ones((2, 2, POPULATION, ITEMS), int) for _ in range(2))
    a[1, 1] = np.where(np.random.default_rng(2).random((POPULATION, ITEMS)) < 0.15, -1, 1)
    return _of_outcomes((a, b))


def _box(correlators: np.ndarray) -> Model:
    """Outcomes with fair marginals and these correlators, drawn anew in every context."""
    generator = np.random.default_rng(3)
    shape = (2, 2, POPULATION, ITEMS)
    a = generator.choice([-1, 1], shape)
    agree = generator.random(shape) < (1 + correlators[..., None, None]) / 2
    return _exactly_fair(_of_outcomes((a, np.where(agree, a, -a))))


def _exactly_fair(model: Model) -> Model:
    """Return the model mixed with itself under a -> -a, b -> -b: then no marginal changes."""
    turned = model.columns.copy()
    turned[CHANGES] *= -1
    return _mixture(model, Model(turned, model.weights), 0.5)


def _mixed(excess: float) -> Model:
    """Noisy influence and noisy boxes in such shares that S - Delta - 2 is `excess`."""
    generator = np.random.default_rng(4)
    a, b = (np.ones((2, 2, POPULATION, ITEMS), int) for _ in range(2))
    a[1, 1] = np.where(generator.random((POPULATION, ITEMS)) < 0.25, -1, 1)
    a, b = (np.where(generator.random(x.shape) < 0.02, -x, x) for x in (a, b))
    influenced = _of_outcomes((a, b))
    box = _box(0.95 * chsh.SIGNS.values)

    def too_much(share: float) -> float:
        return _mixture(influenced, box, share).truth["contextuality"] - excess

    return _mixture(influenced, box, optimize.brentq(too_much, 0, 1, xtol=1e-14))


def _mixture(one: Model, other: Model, share: float) -> Model:
    columns = np.concatenate([one.columns, other.columns], axis=1)
    return Model(columns, np.concatenate([(1 - share) * one.weights, share * other.weights]))


def _trained(game: str, hidden_size: int) -> Model:
    return _of_outcomes(
        train(games.named(game), hidden_size=hidden_size, replicas=POPULATION, seed=0)
    )
