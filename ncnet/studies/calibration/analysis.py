"""How often the intervals cover and the tests reject, in simulated experiments with known truth.

A *model* is a distribution of replicas. Each simulated experiment draws R replicas from it, makes
every interval and test of `ncnet.chsh.report` and of its plainer rivals, and compares with the
model's own means. What is nominal at 95 % should cover in 95 % of the experiments; a test at 5 %
should reject in at most 5 % of those where its hypothesis is true, and often where it is not.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy import optimize, stats

import ncnet  # whose `train` brings torch, when it is asked for
from ncnet import chsh, games
from ncnet.checks import check_choice, check_integer
from ncnet.chsh.betting import betting_interval
from ncnet.chsh.bootstrap import distinct_columns, percentile_interval, resampled_means
from ncnet.chsh.inference import (
    CHANGES,
    CORRELATORS,
    DELTA,
    INFLUENCES,
    inference,
    replica_rows,
    s_of_rows,
)
from ncnet.chsh.intervals import S_BOUNDS
from ncnet.chsh.outcomes import Outcomes
from ncnet.parts import Parts
from ncnet.sweeps import compute_grid

ITEMS = 8
POPULATION = 20_000
OUTCOMES = (2, 2, POPULATION, ITEMS)
"""The shape of each party's outcomes in a model: both settings, replicas, items."""
LEVEL = 0.95
ROUNDING = 1e-9  # a bound or a hypothesis that is met to the last digits holds
METHOD = ["quantity", "method"]
S_RANGE = dict(zip(("lowest", "highest"), S_BOUNDS, strict=True))
REPLICAS = (32, 200, 800, 1600)
RESAMPLES = 10_000  # as a report makes them
TRAINED = {
    f"{game}, n = {n}": (game, n)
    for game, sizes in {"overlap": (1, 2, 3, 5), "separate": (3,)}.items()
    for n in sizes
}
"""Models that are the ensemble's own: a game and a hidden size."""


@dataclass(frozen=True)
class Model:
    """A distribution over finitely many distinct replicas.

    Attributes
    ----------
    columns
        What the outcomes of each amount to [13, distinct], in the rows that `ncnet.chsh.report`
        reads.
    weights
        The probability of each [distinct].
    """

    columns: np.ndarray
    weights: np.ndarray

    @property
    def truth(self) -> dict[str, float]:
        """The model's own S and all else that the report has intervals or tests for."""
        means, bound = self.columns @ self.weights, chsh.CLASSICAL_BOUND
        s = float(chsh.SIGNS.values.ravel() @ means[CORRELATORS])
        delta = float(abs(means[CHANGES]).sum())
        largest = float((chsh.FACETS.values.reshape(8, 4) @ means[CORRELATORS]).max())
        return {
            "s": s,
            "delta": delta,
            "influence": float(means[INFLUENCES].sum()),
            "excess": s - bound - delta,
            "excess_within": s - bound - float(means[DELTA]),
            "any_facet": largest - delta - bound,
            "share_above": float(self.weights @ (s_of_rows(self.columns) > bound)),
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
        "local": lambda: _local(np.random.default_rng(1).random((POPULATION, ITEMS)) < 0.8),
        "ceiling": lambda: _local(np.tile(np.arange(POPULATION)[:, None] % 100 > 0, ITEMS)),
        "skewed": partial(_with_outliers, above=100, below=4),
        "two modes": partial(_with_outliers, above=24, below=1),
        "influence": partial(_influenced, seed=2, share=0.15, noise=0),
        "boundary": partial(_mixed, 0.0),
        "noise": partial(_box, np.full((2, 2), 0.25)),
        "singlet": partial(_box, chsh.SIGNS.values / np.sqrt(2)),
        "PR box": partial(_box, chsh.SIGNS.values),
        "contextual": partial(_mixed, 0.1),
    }
    return drawn | {name: partial(_trained, *which) for name, which in TRAINED.items()}


def study(name: str, *, replicas: int, simulations: int, seed: int) -> pd.DataFrame:
    """Simulate experiments on one model and count what covers and what rejects.

    Parameters
    ----------
    name
        One of `models`.
    replicas
        Replicas in each experiment.
    simulations, seed
        Number of experiments, and the seed of all of them.

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
    generator = np.random.default_rng([seed, replicas, list(made).index(name)])
    rows = []
    for number in range(simulations):
        drawn = generator.multinomial(replicas, model.weights)
        there = drawn > 0
        experiment = Experiment(model.columns[:, there], drawn[there], seed=number)
        intervals = experiment.intervals(bca=name in TRAINED)
        rows += [(*which, low, high, np.nan) for which, (low, high) in intervals.items()]
        rows += [(*which, np.nan, np.nan, p) for which, p in experiment.tests().items()]
    counted = {"share": "mean", "width": "mean", "truth": "first", "null": "first"}
    found = _counted(pd.DataFrame(rows, columns=[*METHOD, "low", "high", "p"]), model.truth)
    table = found.groupby(["kind", *METHOD], sort=False, as_index=False).agg(counted)
    return table.assign(model=name, replicas=replicas, simulations=simulations)


def _counted(found: pd.DataFrame, truth: dict[str, float]) -> pd.DataFrame:
    """Return which intervals cover the truth, how wide they are, and which tests reject."""
    value, is_test = found["quantity"].map(truth), found["p"].notna()
    covers = (found["low"] - ROUNDING <= value) & (value <= found["high"] + ROUNDING)
    bound = np.where(found["quantity"] == "s", chsh.CLASSICAL_BOUND, 0)
    return found.assign(
        kind=np.where(is_test, "test", "interval"),
        share=np.where(is_test, found["p"] <= 1 - LEVEL, covers),
        width=found["high"] - found["low"],
        truth=value,
        null=(value <= bound + ROUNDING).where(is_test, None),
    )


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
    axes = {"name": names, "replicas": replicas}
    return compute_grid(study, axes, parts=parts, simulations=simulations, seed=seed)


class Experiment:
    """One simulated experiment, analysed in every way.

    Parameters
    ----------
    columns, counts
        The distinct replicas that were drawn [13, distinct], and how often each is there.
    seed
        The seed of the bootstrap.
    """

    def __init__(self, columns: np.ndarray, counts: np.ndarray, *, seed: int) -> None:
        self.counts, self.seed = counts, seed
        self.s = s_of_rows(columns)
        self.draws = resampled_means(columns, counts, resamples=RESAMPLES, seed=seed)
        self.report = inference(columns, counts, self.draws, level=LEVEL)

    def intervals(self, *, bca: bool) -> dict[tuple[str, str], tuple[float, float]]:
        """Return the ends of each interval, by quantity and method."""
        s, delta = s_of_rows(self.draws), abs(self.draws[CHANGES]).sum(axis=0)
        excess = s - delta - chsh.CLASSICAL_BOUND
        in_report = ("delta", "influence", "share_above", "excess", "excess_within")
        return {
            ("s", "report"): self.report["interval"],
            **{(name, "report"): self.report[f"{name}_interval"] for name in in_report},
            ("s", "percentile"): percentile_interval(s, LEVEL),
            ("s", "betting"): betting_interval(
                self.s, counts=self.counts, level=LEVEL, bounds=S_BOUNDS
            ),
            ("delta", "percentile"): percentile_interval(delta, LEVEL),
            ("excess", "percentile"): percentile_interval(excess, LEVEL),
            **({("s", "BCa"): self._bca()} if bca else {}),
        }

    def tests(self) -> dict[tuple[str, str], float]:
        """Return the p-value of each test, by quantity and method; the interval of S is one."""
        s = np.repeat(self.s, self.counts)
        bound = chsh.CLASSICAL_BOUND
        return {
            ("s", "betting"): self.report["p_value"],
            ("s", "Hoeffding"): chsh.hoeffding_test(s, mean=bound, **S_RANGE),
            ("s", "t"): _t_test(s),
            ("s", "interval"): 0.0 if self.report["interval"][0] > bound else 1.0,
            ("delta", "betting, Holm"): self.report["no_signalling_p_values"].min(),
            ("excess", "fixed facet"): self.report["excess_p_value"],
            ("any_facet", "times eight"): self.report["any_facet_p_value"],
        }

    def _bca(self) -> tuple[float, float]:
        values = np.repeat(self.s, self.counts)
        if np.ptp(values) == 0:
            return values[0], values[0]
        options = {"confidence_level": LEVEL, "n_resamples": RESAMPLES, "rng": self.seed}
        return stats.bootstrap((values,), np.mean, **options).confidence_interval


def _t_test(s: np.ndarray) -> float:
    if np.ptp(s) == 0:  # no spread at all: the test statistic is infinite, or undefined
        return 0.0 if s[0] > chsh.CLASSICAL_BOUND else 1.0
    return float(stats.ttest_1samp(s, chsh.CLASSICAL_BOUND, alternative="greater").pvalue)


def _model_of(outcomes: Outcomes) -> Model:
    means = chsh.replica_means(outcomes)
    columns, counts = distinct_columns(replica_rows(means, chsh.influence(outcomes)))
    return Model(columns, counts / counts.sum())


def _local(agreeing: np.ndarray) -> Model:
    """Return a model without influence, of S = 2 where `agreeing` [replicas, items], else -2."""
    generator = np.random.default_rng(0)
    answers = np.array(list(itertools.product((1, -1), repeat=4)))
    a1, a2, b1, b2 = answers.T
    s = a1 * (b1 + b2) + a2 * (b1 - b2)
    of_2, of_minus_2 = (generator.choice(np.flatnonzero(s == of), agreeing.shape) for of in (2, -2))
    a1, a2, b1, b2 = np.moveaxis(answers[np.where(agreeing, of_2, of_minus_2)], -1, 0)
    return _model_of((np.array([[a1, a1], [a2, a2]]), np.array([[b1, b2], [b1, b2]])))


def _with_outliers(above: int, below: int) -> Model:
    """Return a model of S_r = 2.25 in the first `above` of 100 replicas, -4 in the last `below`.

    All other replicas have S_r = 2.
    """
    a, b = np.ones((2, *OUTCOMES), int)
    place = np.arange(POPULATION) % 100
    a[1, 1, place < above, 0] = -1
    a[:, :, place >= 100 - below] = np.array([[-1, -1], [-1, 1]])[..., None, None]
    return _model_of((a, b))


def _influenced(seed: int, share: float, noise: float) -> Model:
    """Return a model in which A2 changes with Bob's setting in a share of all items."""
    generator = np.random.default_rng(seed)
    a, b = np.ones((2, *OUTCOMES), int)
    a[1, 1] = np.where(generator.random((POPULATION, ITEMS)) < share, -1, 1)
    return _model_of([np.where(generator.random(x.shape) < noise, -x, x) for x in (a, b)])


def _box(correlators: np.ndarray) -> Model:
    """Return a model with fair marginals and these correlators, drawn anew in every context."""
    generator = np.random.default_rng(3)
    a = generator.choice([-1, 1], OUTCOMES)
    agree = generator.random(OUTCOMES) < (1 + correlators[..., None, None]) / 2
    model = _model_of((a, np.where(agree, a, -a)))
    # Mixed with itself under a -> -a, b -> -b no marginal changes.
    turned = model.columns.copy()
    turned[CHANGES] *= -1
    return _mixture(model, Model(turned, model.weights), 0.5)


def _mixed(excess: float) -> Model:
    """Return a mixture of noisy influence and noisy boxes in which S - Delta - 2 is `excess`."""
    influenced = _influenced(seed=4, share=0.25, noise=0.02)
    box = _box(0.95 * chsh.SIGNS.values)

    def too_much(share: float) -> float:
        return _mixture(influenced, box, share).truth["excess"] - excess

    return _mixture(influenced, box, optimize.brentq(too_much, 0, 1, xtol=1e-14))


def _mixture(one: Model, other: Model, share: float) -> Model:
    columns = np.concatenate([one.columns, other.columns], axis=1)
    return Model(columns, np.concatenate([(1 - share) * one.weights, share * other.weights]))


def _trained(game: str, hidden_size: int) -> Model:
    training = {"hidden_size": hidden_size, "replicas": POPULATION, "seed": 0}
    return _model_of(ncnet.train(games.named(game), **training))
