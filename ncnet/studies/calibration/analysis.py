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

VALUES = 100
"""So many values of S, equally likely, stand for each continuous part of a model."""
ITEMS = 8
POPULATION = 20_000
OUTCOMES = (2, 2, POPULATION, ITEMS)
"""The shape of each party's outcomes in a model: both settings, replicas, items."""
LEVEL = 0.95
ROUNDING = 1e-9  # a bound or a hypothesis that is met to the last digits holds
METHOD = ["quantity", "method"]
LOWEST = S_BOUNDS[0]
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
    - "rare and low", "narrow with a tail", "ceiling with skew": S is exactly 2, as the first is
      continuous but for one replica in a hundred at -4; the second lies in a narrow range just
      above 2, but for two in a hundred, which follow a beta distribution down to -4; and the third
      is 2, but for five in a hundred above and one in two hundred far below. They are drawn by S
      alone: see `_of_s`.
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
        "rare and low": lambda: _around_2(0.1, (0.01, np.array([LOWEST]))),
        "narrow with a tail": lambda: _around_2(0.02, (0.02, _tail())),
        "ceiling with skew": _skewed_ceiling,
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
    >>> table.query("kind == 'test' and quantity == 's'")["method"].tolist()
    ['betting', 'Hoeffding', 't', 'interval', 'verdict']
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
    value = found["quantity"].map(truth | {"s_below": truth["s"]})
    is_test, is_below = found["p"].notna(), found["quantity"] == "s_below"
    covers = (found["low"] - ROUNDING <= value) & (value <= found["high"] + ROUNDING)
    bound = np.where(found["quantity"].isin(["s", "s_below"]), chsh.CLASSICAL_BOUND, 0)
    beyond = np.where(is_below, bound - value, value - bound)
    return found.assign(
        kind=np.where(is_test, "test", "interval"),
        share=np.where(is_test, found["p"] <= 1 - LEVEL, covers),
        width=found["high"] - found["low"],
        truth=value,
        null=pd.Series(beyond <= ROUNDING, found.index).where(is_test, None),
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
            ("s", "betting"): self.report["betting_interval"],
            ("delta", "percentile"): percentile_interval(delta, LEVEL),
            ("excess", "percentile"): percentile_interval(excess, LEVEL),
            **({("s", "BCa"): self._bca()} if bca else {}),
        }

    def tests(self) -> dict[tuple[str, str], float]:
        """Return the p-value of each test, by quantity and method.

        Where an interval lies is a test, too: that of S by bootstrap, and by betting the verdict.
        """
        s = np.repeat(self.s, self.counts)
        bound = chsh.CLASSICAL_BOUND
        low, high = self.report["betting_interval"]
        return {
            ("s", "betting"): self.report["p_value"],
            ("s", "Hoeffding"): chsh.hoeffding_test(s, mean=bound, **S_RANGE),
            ("s", "t"): _t_test(s),
            ("s", "interval"): 0.0 if self.report["interval"][0] > bound else 1.0,
            ("s", "verdict"): 0.0 if low > bound else 1.0,
            ("s_below", "verdict"): 0.0 if high < bound else 1.0,
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


def _of_s(*parts: tuple[float, np.ndarray]) -> Model:
    """Return a model with no outcomes but a wanted S in each replica.

    Each correlator has a fourth of S, and all marginals are fair in all contexts. The influence is
    the least that such correlators allow, abs(S) - 2 or none, all of it on A2: mixtures of
    deterministic answers, in some of which A2 changes, and of their mirror images have just these
    means.

    Parameters
    ----------
    parts
        The probability of each part, and values of S that are equally likely in it.
    """
    s = np.concatenate([values for _, values in parts])
    columns = np.zeros((DELTA + 1, s.size))
    columns[CORRELATORS] = np.outer(chsh.SIGNS.values, s / 4)
    columns[INFLUENCES][1] = np.maximum(0, abs(s) - chsh.CLASSICAL_BOUND)
    weights = [np.full(values.size, share / values.size) for share, values in parts]
    return Model(columns, np.concatenate(weights))


def _around_2(half: float, rare: tuple[float, np.ndarray]) -> Model:
    """Return a model of S = 2 that is uniform but for a rare part, over `half` to either side."""
    share, values = rare
    centre = (chsh.CLASSICAL_BOUND - share * values.mean()) / (1 - share)
    return _of_s((1 - share, _even(centre - half, centre + half)), rare)


def _skewed_ceiling() -> Model:
    """Return a model of S = 2 in most replicas; what few have more makes up for the rare lowest."""
    above, below = _even(2, 2.8), _even(LOWEST, 0)
    return _of_s((0.945, np.array([chsh.CLASSICAL_BOUND])), (0.05, above), (0.005, below))


def _tail() -> np.ndarray:
    """Return S of a replica in the tail: the more the nearer to 2, in proportion."""
    return LOWEST + (chsh.CLASSICAL_BOUND - LOWEST) * stats.beta.ppf(_even(0, 1), 2, 1)


def _even(low: float, high: float) -> np.ndarray:
    """Return values that stand for a uniform distribution."""
    return low + (high - low) * (np.arange(VALUES) + 0.5) / VALUES


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
