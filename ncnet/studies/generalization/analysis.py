"""What S of the training items tells of held-out items, and whether it helps to choose a capacity.

The unit is the replica. Within a capacity first: over capacities both S and accuracy grow, so that
replicas of several capacities thrown together show a correlation that says nothing of S.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import mode, rankdata, spearmanr
from sklearn import config_context
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from threadpoolctl import threadpool_limits

from ncnet import chsh
from ncnet.checks import check
from ncnet.chsh.bootstrap import DIGITS_OF_SUMS, drawn_shares, percentile_interval, spearman
from ncnet.chsh.intervals import FEWEST_OFF_MODE, check_resampling, means_with_ends
from ncnet.claims import LEVEL, MARGIN
from ncnet.training import samples

# What replicas say.

PLACES = ("11", "12", "21", "22")
"""The contexts, by their settings."""
CORRELATORS = tuple(f"correlator_{place}" for place in PLACES)
ACCURACIES = tuple(f"accuracy_{place}" for place in PLACES)
LOSSES = tuple(f"loss_{place}" for place in PLACES)
TARGET = "held_out_accuracy"
TARGETS = (TARGET, "held_out_worst")
MEANS = ("accuracy", "loss")
CONTEXTS = (*ACCURACIES, *LOSSES)
TRACED = (0, 10, 30, 100, 300, 1000)


def traced(steps: int) -> list[int]:
    """Return the steps of a training at which the cosine of both heads' gradients is taken.

    >>> traced(100)
    [0, 10, 30, 100]
    """
    return [step for step in TRACED if step <= steps]


def trained(
    population: samples.Population, *, steps: int, trace: bool = False, **training: object
) -> pd.DataFrame:
    """Train replicas of a population, and return `by_replica` of them.

    Parameters
    ----------
    population
        Of four tasks.
    steps
        Training steps.
    trace
        Whether the rows have the cosine of the heads' gradients, at the `traced` steps.
    training
        Replicas, hidden size, seed and the rest, as `ncnet.training.samples.train` takes them.

    Examples
    --------
    >>> population = samples.named("overlap", training=6, held_out=4, seed=0)
    >>> rows = trained(population, replicas=[3, 5], steps=10, hidden_size=2, seed=0)
    >>> rows[["capacity", "replica"]].values.tolist()
    [[2, 3], [2, 5]]
    """
    training |= {"steps": steps, "trace_steps": traced(steps) if trace else ()}
    return by_replica(samples.train(population, **training))


def by_replica(outcomes: xr.Dataset) -> pd.DataFrame:
    """Return one row for each capacity and replica.

    Parameters
    ----------
    outcomes
        With training and held-out items, `capacity`, and `alice_loss` and `bob_loss` over the
        settings and replicas, such as `ncnet.training.samples.train` returns them.

    Returns
    -------
    pandas.DataFrame
        `capacity`, `replica`; of the training items `s`, `accuracy` (the share that heads get
        right) and `loss`, means over heads and contexts, and the same context by context
        (``correlator_11`` ..., ``accuracy_11`` ..., ``loss_11`` ...); of the held-out items
        `held_out_s`, `held_out_accuracy`, the mean over contexts, and `held_out_worst`, the lowest
        of the four; `cosine` of the heads' gradients, mean over contexts and traced steps, where
        there is one.

    Raises
    ------
    ValueError
        For outcomes without held-out items, capacity or losses, and for networks that diverged:
        they have no loss to go by.

    Examples
    --------
    >>> from ncnet import games
    >>> from ncnet.training import samples
    >>> population = samples.noisy_game(
    ...     games.overlap(), noise=0.5, training=6, held_out=4, seed=0
    ... )
    >>> outcomes = samples.train(population, hidden_size=3, replicas=range(5), seed=0, steps=10)
    >>> by_replica(outcomes)[["capacity", "replica"]].iloc[-1].tolist()
    [3, 4]
    """
    for name in ("capacity", "alice_loss", "bob_loss"):
        check(name in outcomes.variables, f"outcomes have no `{name}`", "it beside `a` and `b`")
    outcomes = outcomes if "capacity" in outcomes.dims else outcomes.expand_dims("capacity")
    settings = ("alice_setting", "bob_setting")
    losses = (outcomes["alice_loss"] + outcomes["bob_loss"]) / 2
    for of_capacity in losses.transpose("capacity", ...):
        count = int((~np.isfinite(of_capacity)).sum())
        found = f"{count} networks diverged at capacity {of_capacity['capacity'].item():g}"
        check(not count, found, "none, as with a lower learning rate")
    training = chsh.replica_means(outcomes)
    held_out = chsh.replica_means(outcomes, split="held_out")
    # The share of items that heads get right, mean over both heads.
    accuracy, right = ((2 + means.alice + means.bob) / 4 for means in (training, held_out))
    columns = {
        "s": chsh.s_value(training.correlator),
        "accuracy": accuracy.mean(settings),
        "loss": losses.mean(settings),
        "held_out_s": chsh.s_value(held_out.correlator),
        "held_out_accuracy": right.mean(settings),
        "held_out_worst": right.min(settings),
    }
    if "cosine" in outcomes:
        # A gradient that is 0 opposes nothing.
        columns["cosine"] = outcomes["cosine"].fillna(0).mean((*settings, "step"))
    by_context = {"correlator": training.correlator, "accuracy": accuracy, "loss": losses}
    for (name, values), i, j in itertools.product(by_context.items(), (1, 2), (1, 2)):
        columns[f"{name}_{i}{j}"] = values.sel(alice_setting=i, bob_setting=j, drop=True)
    return xr.Dataset(columns).to_dataframe(["capacity", "replica"]).reset_index()


def by_capacity(
    replicas: pd.DataFrame, *, level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> pd.DataFrame:
    """Return the means over replicas at each capacity, with intervals.

    Parameters
    ----------
    replicas
        As `by_replica` returns it.
    level, resamples, seed
        Of the intervals (`ncnet.chsh.replica_interval`).

    Returns
    -------
    pandas.DataFrame
        `capacity`, `replicas`, and of `s`, `held_out_s`, `accuracy`, `held_out_accuracy` and
        `held_out_worst` the mean, `_low` and `_high`; of `loss` and `cosine` the mean.
    """
    options = {"level": level, "resamples": resamples, "seed": seed}
    bounds = dict.fromkeys(("s", "held_out_s"), (-4, 4))
    bounds |= dict.fromkeys(("accuracy", *TARGETS), (0, 1))
    rows = []
    for capacity, part in replicas.groupby("capacity"):
        row = {"capacity": capacity, "replicas": len(part)}
        row |= means_with_ends(part, bounds, **options)
        rows.append(row | {n: part[n].mean() for n in ("loss", "cosine") if n in part})
    return pd.DataFrame(rows)


def halves(replicas: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the replicas that are correlated, and those that choose.

    >>> correlated, choosing = halves(pd.DataFrame({"replica": [0, 1, 2, 3]}))
    >>> correlated["replica"].tolist(), choosing["replica"].tolist()
    ([1, 3], [0, 2])
    """
    odd = replicas["replica"] % 2 == 1
    return replicas[odd], replicas[~odd]


# S against held-out accuracy. Spearman's correlation of S of a replica's training items with its
# held-out accuracy, at each capacity by itself, then averaged over the capacities up to the one at
# which S first reaches 2, and beyond it. Which one that is, other replicas choose. Capacities with
# fewer than ten replicas off the most frequent S are at the ceiling and left out: there are no
# ranks to correlate.

MEASURES = {"spearman": (), "given means": MEANS, "given contexts": CONTEXTS}
"""Each with what is held fixed: nothing, mean training accuracy and loss, or each context's."""
UP_TO, BEYOND = "up to 2", "beyond 2"
AT_2 = chsh.CLASSICAL_BOUND - MARGIN
VARIABLES = ("s", *TARGETS, *MEANS, *CONTEXTS)
"""Of each replica, in the order of the arrays."""
VALUES_AT_ONCE = 2**21
EXPLAINED = 1e-6
"""Share of a variable's variance below which what is held fixed leaves nothing of it."""


def first_at_2(replicas: pd.DataFrame) -> float:
    """Return the smallest capacity at which the mean of S is at least 1.95, or NaN.

    >>> first_at_2(pd.DataFrame({"capacity": [1, 1, 2, 2], "s": [0.5, 0.7, 2.1, 1.9]}))
    2.0
    """
    means = replicas.groupby("capacity")["s"].mean()
    return float(means.index[means >= AT_2].min())


def correlations(
    replicas: pd.DataFrame,
    choosing: pd.DataFrame,
    *,
    level: float = LEVEL,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the correlations of S with held-out accuracy, with intervals.

    The bootstrap goes through the whole pipeline: in each resample the replicas that choose and the
    replicas that are correlated are drawn anew, jointly over capacities, the capacity at which S
    first reaches 2 is found again, and so are the capacities at the ceiling.

    Parameters
    ----------
    replicas
        As `by_replica` returns it; the same replicas at every capacity.
    choosing
        Other replicas, of which `capacity`, `replica` and `s` are read: they say at which capacity
        S first reaches 2.
    level
        Nominal coverage of each interval by itself.
    resamples, seed
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row for each `target` ("held_out_accuracy", "held_out_worst"), `measure` ("spearman";
        "given means", Spearman's partial correlation at given mean training accuracy and loss;
        "given contexts", at given accuracies and losses of all four contexts) and `part`: "at" each
        `capacity`, or the means "up to 2" and "beyond 2". `estimate`, `low`, `high`, NaN where
        there is none; `off_mode`, replicas off the most frequent S, and `at_ceiling`; `first`, the
        capacity at which S first reaches 2; `defined`, the share of resamples that have a value.

    Raises
    ------
    ValueError
        If capacities differ between the tables, or replicas between capacities; for fewer resamples
        than the level needs.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> columns = ["s", *TARGETS, *MEANS, *CONTEXTS]
    >>> table = pd.DataFrame(rng.normal(size=(80, len(columns))), columns=columns)
    >>> table = table.assign(capacity=[1] * 40 + [2] * 40, replica=[*range(40)] * 2)
    >>> found = correlations(table, table, resamples=200)
    >>> found.loc[found["capacity"] == 2, "measure"].unique().tolist()
    ['spearman', 'given means', 'given contexts']
    """
    level, resamples, seed = check_resampling(level, resamples, seed)
    capacities, values, s_of_others = _arrays_of_both(replicas, VARIABLES, choosing)
    count, of_choosing = values.shape[-1], s_of_others.shape[-1]
    generator = np.random.default_rng(seed)
    found = [_estimates(values[..., None, :], s_of_others[:, None])]
    # [capacities, variables, resamples, replicas] at once.
    batch = max(1, VALUES_AT_ONCE // values[0].size)
    for size in np.diff([*range(0, resamples, batch), resamples]):
        drawn = generator.integers(count, size=(size, count))
        chosen = generator.integers(of_choosing, size=(size, of_choosing))
        found.append(_estimates(values[..., drawn], s_of_others[:, chosen]))
    estimates = np.concatenate(found, axis=-1)
    parts = [*(("at", capacity) for capacity in capacities), (UP_TO, np.nan), (BEYOND, np.nan)]
    rows = pd.DataFrame(itertools.product(TARGETS, MEASURES), columns=["target", "measure"])
    rows = rows.merge(pd.DataFrame(parts, columns=["part", "capacity"]), how="cross")
    low, high = _intervals_of_defined(estimates, level, count).T
    off_modes = np.tile([*_off_mode(values[:, 0]), -1, -1], len(TARGETS) * len(MEASURES))
    return rows.assign(
        estimate=estimates[:, 0],
        low=low,
        high=high,
        defined=np.isfinite(estimates[:, 1:]).mean(axis=1),
        replicas=count,
        off_mode=off_modes,
        at_ceiling=(off_modes >= 0) & (off_modes < FEWEST_OFF_MODE),
        first=first_at_2(choosing),
    )


def pooled(replicas: pd.DataFrame, target: str = "held_out_accuracy") -> float:
    """Return Spearman's correlation over replicas of all capacities thrown together.

    Not a result: capacity moves both. It is here to be shown beside those within capacities.

    >>> pooled(pd.DataFrame({"s": [1, 2, 3], "held_out_accuracy": [0.1, 0.2, 0.3]}))
    1.0
    """
    return float(spearmanr(replicas["s"], replicas[target]).statistic)


def across(replicas: pd.DataFrame, target: str = "held_out_accuracy") -> tuple[float, int]:
    """Return Spearman's correlation of the capacities' means, and how many capacities there are.

    Descriptive: a handful of capacities that somebody chose are no sample.

    >>> columns = {"capacity": [1, 1, 2], "s": [1, 2, 3], "held_out_accuracy": [0, 1, 2]}
    >>> table = pd.DataFrame(columns)
    >>> across(table)
    (1.0, 2)
    """
    means = replicas.groupby("capacity")[["s", target]].mean()
    return round(pooled(means, target), 12), len(means)


def _estimates(values: np.ndarray, s_of_others: np.ndarray) -> np.ndarray:
    """Return the estimates of each target, measure and part [rows, resamples].

    Of arrays [capacities, variables, resamples, replicas] and [capacities, resamples, replicas].
    """
    at_2 = s_of_others.mean(-1) >= AT_2
    first = np.where(at_2.any(0), at_2.argmax(0), len(values))
    up_to = np.arange(len(values))[:, None] <= first
    at_ceiling = _off_mode(values[:, 0]) < FEWEST_OFF_MODE
    matrices = [_rank_correlations(of_capacity) for of_capacity in values]
    found = []
    for target, given in itertools.product(TARGETS, MEASURES.values()):
        at = np.stack([_partial(matrix, target, given) for matrix in matrices])
        at[at_ceiling] = np.nan
        parts = (np.ma.masked_invalid(np.where(part, at, np.nan)) for part in (up_to, ~up_to))
        found += [*at, *(part.mean(0).filled(np.nan) for part in parts)]
    return np.stack(found)


def _off_mode(s: np.ndarray) -> np.ndarray:
    """Return how many of the replicas [..., replicas] differ from the most frequent value."""
    return s.shape[-1] - mode(s.round(DIGITS_OF_SUMS), axis=-1).count


def _rank_correlations(values: np.ndarray) -> np.ndarray:
    """Return the correlations of the ranks of [variables, resamples, replicas], by resample."""
    ranks = rankdata(values, axis=-1)
    ranks -= ranks.mean(-1, keepdims=True)
    spread = np.linalg.norm(ranks, axis=-1, keepdims=True)
    # What never varies correlates with nothing.
    ranks /= np.where(spread > 0, spread, np.inf)
    by_resample = ranks.transpose(1, 0, 2)
    return by_resample @ by_resample.transpose(0, 2, 1)


def _partial(matrices: np.ndarray, target: str, given: tuple[str, ...]) -> np.ndarray:
    """Return the partial correlation of S and the target in each matrix, NaN where undefined."""
    pair = [0, VARIABLES.index(target)]
    held = [VARIABLES.index(name) for name in given]
    left = matrices[:, pair][:, :, pair].copy()
    if held:
        between = matrices[:, pair][:, :, held]
        inverse = np.linalg.pinv(matrices[:, held][:, :, held], rcond=EXPLAINED, hermitian=True)
        left -= between @ inverse @ between.transpose(0, 2, 1)
    variances = left[:, [0, 1], [0, 1]]
    defined = (variances > EXPLAINED).all(-1)
    scale = np.sqrt(np.where(defined, variances.prod(-1), np.nan))
    return (left[:, 0, 1] / scale).clip(-1, 1)


def _arrays(
    replicas: pd.DataFrame, names: tuple[str, ...], index: str | list[str] = "capacity"
) -> tuple[list, np.ndarray]:
    """Return the capacities, or what else is named, and columns as [capacities, names, replicas].

    Raises
    ------
    ValueError
        If a capacity lacks replicas that others have.
    """
    wide = replicas.pivot(index=index, columns="replica", values=list(names))
    lacks = wide.isna().any(axis=1)
    check(not lacks.any(), f"capacity {lacks.idxmax()} lacks a replica", "the same at all")
    return wide.index.tolist(), wide.to_numpy(float).reshape(len(wide), len(names), -1)


def _arrays_of_both(
    replicas: pd.DataFrame, names: tuple[str, ...], choosing: pd.DataFrame
) -> tuple[list, np.ndarray, np.ndarray]:
    """Return what `_arrays` does, and S of the replicas that choose [capacities, replicas].

    Raises
    ------
    ValueError
        If they have other capacities.
    """
    capacities, values = _arrays(replicas, names)
    others, s_of_others = _arrays(choosing, ("s",))
    check(capacities == others, f"capacities are {capacities} and {others}", "the same")
    return capacities, values, s_of_others[:, 0]


def _intervals_of_defined(estimates: np.ndarray, level: float, replicas: int) -> np.ndarray:
    """Return the intervals of estimates [rows, 1 + resamples], the sample itself first, [rows, 2].

    They are of the resamples that have a value, and NaN where there is none or the sample has none.
    """
    found = np.full((len(estimates), 2), np.nan)
    for row, interval in zip(estimates, found, strict=True):
        draws = row[1:][np.isfinite(row[1:])]
        if len(draws) and np.isfinite(row[0]):
            interval[:] = percentile_interval(draws, level, replicas)
    return found


# What S adds to training accuracy and loss: not a p-value but a comparison of predictions. Two
# models, with and without S, are fitted and tried on replicas that neither their fit nor the choice
# of their form has seen.

GIVEN = {"means": MEANS, "contexts": CONTEXTS}
"""What is known beside S: mean training accuracy and loss, or those of all four contexts."""
FOLDS = 5
PENALTIES = tuple(np.logspace(-2, 4, 13))


def gains(
    replicas: pd.DataFrame,
    *,
    first: float,
    level: float = LEVEL,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how much of held-out accuracy is predicted, without S and with it.

    At each capacity not at the ceiling, at which held-out accuracy varies: five outer folds of
    replicas; in the rest, five inner ones choose between linear and quadratic ridge regression and
    its penalty. The score is R^2, 1 less the mean squared error over the variance.

    Parameters
    ----------
    replicas
        As `by_replica` returns it; the same replicas at every capacity.
    first
        The capacity at which S first reaches 2, chosen on other replicas.
    level, resamples, seed
        Of the intervals: replicas' squared errors are resampled, jointly over capacities, the
        predictions and `first` being given; `seed` divides the folds too.

    Returns
    -------
    pandas.DataFrame
        One row for each `given` ("means", "contexts") and `part`: "at" each `capacity`, and the
        means "up to 2" and "beyond 2". `without` and `with_s`, both R^2; `gain`, their difference,
        and its interval `gain_low`, `gain_high`.

    Raises
    ------
    ValueError
        For fewer resamples than the level needs, or replicas that differ between capacities.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> columns = ["s", *MEANS, *CONTEXTS]
    >>> table = pd.DataFrame(rng.normal(size=(60, len(columns))), columns=columns)
    >>> table = table.assign(capacity=1, replica=range(60), held_out_accuracy=table["s"])
    >>> bool(gains(table, first=1, resamples=200)["gain"].iloc[0] > 0.9)
    True
    """
    level, resamples, seed = check_resampling(level, resamples, seed)
    capacities, values = _arrays(replicas, (TARGET, "s"))
    varies = (values[:, 0].std(-1) > 0) & (_off_mode(values[:, 1]) >= FEWEST_OFF_MODE)
    capacities, targets = np.array(capacities)[varies], values[varies, 0]
    count = values.shape[-1]
    drawn = np.random.default_rng(seed).integers(count, size=(resamples, count))
    beyond = capacities > first
    parts = [("at", capacity, capacities == capacity) for capacity in capacities]
    parts += [(UP_TO, np.nan, ~beyond), (BEYOND, np.nan, beyond)]
    rows = []
    for given, names in GIVEN.items():
        _, features = _arrays(replicas, (*names, "s"))
        errors = [
            (_errors(target, known_and_s[:-1], seed), _errors(target, known_and_s, seed))
            for target, known_and_s in zip(targets, features[varies], strict=True)
        ]
        for part, capacity, chosen in parts:
            without, with_s = np.full((2, count), np.nan)
            if chosen.any():
                without, with_s = np.array(errors)[chosen].mean(axis=0)
            gain = without - with_s
            ends = percentile_interval(gain[drawn].mean(-1), level, count)
            scores = (1 - without.mean(), 1 - with_s.mean(), gain.mean(), *ends)
            rows.append((given, part, capacity, *scores))
    columns = ["given", "part", "capacity", "without", "with_s", "gain", "gain_low", "gain_high"]
    return pd.DataFrame(rows, columns=columns)


def _errors(target: np.ndarray, features: np.ndarray, seed: int) -> np.ndarray:
    """Return the squared errors of the predictions as shares of the variance [replicas]."""
    pipeline = make_pipeline(StandardScaler(), PolynomialFeatures(), RidgeCV(PENALTIES))
    outer, inner = (KFold(FOLDS, shuffle=True, random_state=(seed + k) % 2**32) for k in (0, 1))
    degrees = {"polynomialfeatures__degree": [1, 2]}
    search = GridSearchCV(pipeline, degrees, cv=inner, scoring="neg_mean_squared_error")
    # Hundreds of fits of small models, whose parameters are all given here.
    with threadpool_limits(1), config_context(skip_parameter_validation=True):
        predicted = cross_val_predict(search, features.T, target, cv=outer)
    return (target - predicted) ** 2 / target.var()


# Choosing a capacity. All criteria see networks trained in all four contexts of as many replicas:
# the same budget. They are given equally many replicas, and their choice is judged on others, whose
# items are drawn afresh.

ENOUGH = 0.01
"""Share of held-out items within which the smallest capacity counts as enough; fixed in advance."""
Criterion = Callable[[pd.DataFrame, pd.DataFrame], float]


def _smallest(replicas: pd.DataFrame, *conditions: Callable[[pd.DataFrame], bool]) -> float:
    for capacity, part in replicas.groupby("capacity"):
        if all(holds(part) for holds in conditions):
            return float(capacity)
    return float("nan")


def _one_standard_error(replicas: pd.DataFrame, score: pd.Series) -> float:
    """Return the smallest capacity within a standard error of the highest score.

    Breiman, Friedman, Olshen and Stone, Classification and Regression Trees, 1984.
    """
    by = score.groupby(replicas["capacity"])
    means, errors = by.mean(), by.sem()
    best = means.idxmax()
    return float(means.index[means >= means[best] - errors[best]].min())


def _s_at_2(part: pd.DataFrame) -> bool:
    (low, high), _ = chsh.s_interval(part["s"].to_numpy(), resamples=2000)
    return low >= AT_2 and high <= chsh.CLASSICAL_BOUND + MARGIN


def _all_fitted(part: pd.DataFrame) -> bool:
    return (part[list(CORRELATORS)].mean() >= 1 - MARGIN).all()


def _accurate(part: pd.DataFrame) -> bool:
    # As lenient as a mean correlator of 1 - 2 * MARGIN, if no two failures coincide.
    accuracy = part["accuracy"].to_numpy()
    (low, _), _ = chsh.replica_interval(accuracy, bounds=(0, 1), resamples=2000)
    return low >= 1 - MARGIN / 2


CRITERIA: dict[str, Criterion] = {
    "S at 2": lambda seen, _: _smallest(seen, _s_at_2),
    "S at 2, all fitted": lambda seen, _: _smallest(seen, _all_fitted, _s_at_2),
    "S first at 2": lambda seen, _: first_at_2(seen),
    "training accuracy": lambda seen, _: _smallest(seen, _accurate),
    "training loss": lambda seen, _: _one_standard_error(seen, -seen["loss"]),
    "gradient conflict": lambda seen, _: _one_standard_error(seen, seen["cosine"]),
    "validation": lambda _, validated: _one_standard_error(validated, validated[TARGET]),
    "largest": lambda seen, _: float(seen["capacity"].max()),
}
"""Each takes the replicas that choose (`by_replica`), and the same replicas trained on a part of
their training items and tried on the rest; it returns a capacity, or NaN where none will do.

- "S at 2": the smallest whose 95 % interval of S lies within 0.05 of 2.
- "S at 2, all fitted": the smallest for which also every correlator is at least 0.95.
- "S first at 2": the smallest whose mean of S is at least 1.95.
- "training accuracy": the smallest whose interval of training accuracy lies above 0.975.
- "training loss": the smallest within one standard error of the lowest loss.
- "gradient conflict": the smallest within one standard error of the highest mean cosine of the
  heads' gradients.
- "validation": the smallest within one standard error of the best accuracy on items set aside.
- "largest": the largest there is, whatever is seen."""


def selections(
    replicas: pd.DataFrame, validated: pd.DataFrame, *, repetition_size: int
) -> pd.DataFrame:
    """Let every criterion choose, again and again on replicas of its own.

    Parameters
    ----------
    replicas
        As `by_replica` returns it.
    validated
        The same replicas, trained on a part of their training items; ``held_out_accuracy`` is that
        on the rest of these (`ncnet.training.samples.set_aside`).
    repetition_size
        Replicas that one repetition of the selection sees.

    Returns
    -------
    pandas.DataFrame
        `repetition`, `criterion`, `capacity`, and `found`: whether any capacity meets the
        criterion. Where none does, the largest capacity stands in.

    Raises
    ------
    ValueError
        Where the replicas do not divide into repetitions.
    """
    indices = np.sort(replicas["replica"].unique())
    found = f"{len(indices)} replicas do not divide into repetitions of {repetition_size}"
    check(len(indices) % repetition_size == 0, found, "a divisor")
    rows = []
    for repetition, chosen in enumerate(indices.reshape(-1, repetition_size)):
        seen, set_aside = (table[table["replica"].isin(chosen)] for table in (replicas, validated))
        rows += [
            (repetition, name, criterion(seen, set_aside)) for name, criterion in CRITERIA.items()
        ]
    table = pd.DataFrame(rows, columns=["repetition", "criterion", "capacity"])
    found = table["capacity"].notna()
    return table.assign(capacity=table["capacity"].fillna(replicas["capacity"].max()), found=found)


def regrets(
    chosen: pd.DataFrame,
    fresh: pd.DataFrame,
    *,
    level: float = LEVEL,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return what each criterion's choice costs: how much better the best capacity generalizes.

    The best capacity is the best of the fresh replicas, on which regret is measured too: it errs on
    the high side where several are nearly as good, and is never below 0.

    Parameters
    ----------
    chosen
        As `selections` returns it.
    fresh
        Replicas that no criterion has seen, as `by_replica` returns them.
    level, resamples, seed
        Of the intervals: repetitions and fresh replicas are resampled, each by themselves, and the
        best capacity is found again in each resample.

    Returns
    -------
    pandas.DataFrame
        One row a criterion: `regret`, the best capacity's mean held-out accuracy less that of the
        capacity chosen, mean over repetitions, `regret_low`, `regret_high`; `lowest` and `highest`
        capacity chosen; `enough`, the share of repetitions that choose the smallest capacity within
        0.01 of the best (`enough_capacity`), `units_more`, how much larger than that the choice is
        on average; `met`, the share of repetitions in which the criterion is met at all.
    """
    level, resamples, seed = check_resampling(level, resamples, seed)
    capacities, values = _arrays(fresh, (TARGET,))
    generator = np.random.default_rng(seed)
    curves = _means(values[:, 0], resamples, generator)
    losses = curves.max(1, keepdims=True) - curves
    enough = capacities[(losses[0] <= ENOUGH).argmax()]
    places, more = np.searchsorted(capacities, chosen["capacity"]), chosen["capacity"] - enough
    rows = chosen.assign(place=places, regret=losses[0, places], enough=more == 0)
    by_criterion = rows.assign(units_more=more, met=rows["found"]).groupby("criterion", sort=False)
    ends = []
    for _, of_criterion in by_criterion["place"]:
        drawn = generator.integers(len(of_criterion), size=(resamples, len(of_criterion)))
        draws = np.take_along_axis(losses[1:], of_criterion.to_numpy()[drawn], axis=1).mean(1)
        ends.append(percentile_interval(draws, level, len(of_criterion)))
    table = by_criterion[["regret", "enough", "units_more", "met"]].mean()
    table[["regret_low", "regret_high"]] = ends
    chosen_by = by_criterion["capacity"].agg(lowest="min", highest="max", repetitions="size")
    best = capacities[losses[0].argmin()]
    table = table.join(chosen_by).assign(best=float(best), enough_capacity=float(enough))
    return table.reset_index()


def regret_at_first(
    replicas: pd.DataFrame,
    choosing: pd.DataFrame,
    *,
    level: float = LEVEL,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return what is lost at the capacity at which S first reaches 2.

    Parameters
    ----------
    replicas, choosing
        As `ncnet.studies.generalization.analysis.correlations` takes them.
    level, resamples, seed
        Of the intervals: both tables' replicas are resampled, that capacity and the best one are
        found again in each resample.

    Returns
    -------
    pandas.DataFrame
        One row for each `target` ("held_out_accuracy", "held_out_worst"): `first`, the capacity;
        `at_first`, `best` and `at_smallest`, the means there, at the best and at the smallest
        capacity; `best_capacity`, and `largest_capacity` of those tried: where they are one, a
        larger might be better still, and the regret is a lower bound; `regret`, best less at first,
        `regret_low`, `regret_high`; `share_of_rise`, how much of the rise from the smallest
        capacity to the best is reached; `reached`, the share of resamples in which S reaches 2 at
        all. Where it does not, there is no such capacity: NaN, or left out of the interval.

    Examples
    --------
    >>> table = pd.DataFrame({"capacity": [1, 1, 2, 2, 3, 3], "replica": [0, 1] * 3})
    >>> table = table.assign(s=[1, 1, 2, 2, 2, 2], held_out_accuracy=[.5, .5, .8, .8, .9, .9])
    >>> table = table.assign(held_out_worst=table["held_out_accuracy"])
    >>> regret_at_first(table, table, resamples=200).round(3)[["first", "regret"]].iloc[0].tolist()
    [2.0, 0.1]
    """
    level, resamples, seed = check_resampling(level, resamples, seed)
    capacities, values, s_of_others = _arrays_of_both(replicas, TARGETS, choosing)
    count = min(values.shape[-1], s_of_others.shape[-1])
    generator = np.random.default_rng(seed)
    at_2 = _means(s_of_others, resamples, generator) >= AT_2
    reached = at_2.any(1)
    # [targets, 1 + resamples, capacities]
    curves = np.stack(
        [_means(of_target, resamples, generator) for of_target in values.swapaxes(0, 1)]
    )
    at_first = np.where(reached, curves[:, np.arange(len(at_2)), at_2.argmax(1)], np.nan)
    best, smallest = curves.max(-1), curves[..., 0]
    low, high = _intervals_of_defined(best - at_first, level, count).T
    found = {"at_first": at_first, "best": best, "at_smallest": smallest, "regret": best - at_first}
    table = pd.DataFrame({name: values[:, 0] for name, values in found.items()}, TARGETS)
    risen, rise = (table[name] - table["at_smallest"] for name in ("at_first", "best"))
    table = table.assign(
        first=first_at_2(choosing),
        best_capacity=np.array(capacities, float)[curves[:, 0].argmax(-1)],
        largest_capacity=float(capacities[-1]),
        regret_low=low,
        regret_high=high,
        share_of_rise=(risen / rise).where(rise > 0),
        reached=reached[1:].mean(),
    )
    return table.rename_axis("target").reset_index()


def _means(values: np.ndarray, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """Return means of [capacities, replicas], the sample first [1 + resamples, capacities]."""
    shares = drawn_shares(values.shape[-1], resamples, generator)
    return np.concatenate([values.mean(-1)[None], shares @ values.T])


# Which tasks disturb which. Of a pair of tasks s and t a game is made whose setting 1 asks nothing
# of a head: A2 is s, B2 is t, and the outcome of a head that is asked nothing is +1. Then
#
#     S = 2 + (<s> alone - <s> beside t) + (<t> alone - <t> beside s) - 4 P(both wrong, together):
#
# above 2 the two hurt each other by more than they fail together. All of it is signalling, and here
# signalling is what is asked for.

PREDICTORS = ("s", "training_drop", "cosine", "likeness")
PAIR = ["first", "second"]


def trained_pairs(
    tasks: Mapping[str, Sequence[int]],
    *,
    training: int,
    held_out: int,
    label_noise: float = 0.0,
    seed: int,
    steps: int,
    **kind: object,
) -> pd.DataFrame:
    """Train each pair of tasks on digits, and each task alone, and return their `interference`.

    Parameters
    ----------
    tasks
        By name, the digits that are of class 1.
    training, held_out, label_noise
        Of the items, as `ncnet.training.samples.digits` takes them.
    seed
        Of items and of initial weights.
    steps
        Training steps.
    kind
        Hidden size, replicas and the rest, as `ncnet.training.samples.train_pairs` takes them.

    Examples
    --------
    >>> tasks = {"odd": (1, 3, 5, 7, 9), "prime": (2, 3, 5, 7)}
    >>> rows = trained_pairs(
    ...     tasks, training=8, held_out=4, seed=0, steps=10, hidden_size=1, replicas=range(3)
    ... )
    >>> rows[["first", "second", "replica"]].values.tolist()
    [['odd', 'prime', 0], ['odd', 'prime', 1], ['odd', 'prime', 2]]
    """
    names = (*tasks, samples.NOTHING)
    items = {"training": training, "held_out": held_out, "label_noise": label_noise}
    images = samples.digits([*tasks.values(), ()], seed=seed, **items)
    kind |= {"seed": seed, "steps": steps, "trace_steps": traced(steps)}
    outcomes = samples.train_pairs(images, pairs_with_nothing(names), **kind)
    return interference(outcomes, names)


def pairs_with_nothing(tasks: tuple[str, ...]) -> list[tuple[int, int]]:
    """Return the pairs of places to train: all pairs of tasks, and each beside nothing, either way.

    Raises
    ------
    ValueError
        If the last task is not `ncnet.training.samples.NOTHING`.

    Examples
    --------
    >>> pairs_with_nothing(("odd", "prime", "nothing"))
    [(0, 1), (0, 2), (1, 2), (2, 0), (2, 1)]
    """
    check(tasks[-1] == samples.NOTHING, f"the last task is `{tasks[-1]}`", f"`{samples.NOTHING}`")
    last = len(tasks) - 1
    alone = [(last, task) for task in range(last)]
    return [*itertools.combinations(range(last + 1), 2), *alone]


def interference(trained: xr.Dataset, tasks: tuple[str, ...]) -> pd.DataFrame:
    """Return one row for each pair of tasks and replica.

    Parameters
    ----------
    trained
        Of `pairs_with_nothing`, as `ncnet.training.samples.train_pairs` returns it, with traced
        steps.
    tasks
        Names of the tasks, `ncnet.training.samples.NOTHING` last.

    Returns
    -------
    pandas.DataFrame
        `first`, `second` task, `replica`; `s` of the training items; `training_drop` and
        `held_out_drop`, by how much the share of items right is lower together than alone, mean
        over both tasks; `cosine` of their gradients, mean over traced steps.
    """
    places = {pair: place for place, pair in enumerate(pairs_with_nothing(tasks))}
    last = len(tasks) - 1
    both = list(itertools.combinations(range(last), 2))
    together = [places[pair] for pair in both]
    first, second = ([places[s, last] for s, _ in both], [places[last, t] for _, t in both])
    outcomes = trained[["a", "b"]].assign(both=trained["a"] * trained["b"])
    means = outcomes.groupby("split").mean().transpose("split", ...)
    correlator = means["both"].sel(split="training").values
    # Both asked nothing, the parties agree.
    columns = {"s": 1 + correlator[first] + correlator[second] - correlator[together]}
    for name in ("training", "held_out"):
        alice, bob = ((1 + means[head].sel(split=name).values) / 2 for head in ("a", "b"))
        alone = alice[first] + bob[second]
        columns[f"{name}_drop"] = (alone - alice[together] - bob[together]) / 2
    # A gradient that is 0 opposes nothing.
    columns["cosine"] = trained["cosine"].fillna(0).mean("step").values[together]
    replicas = trained["replica"].values
    index = [(tasks[s], tasks[t], replica) for (s, t), replica in itertools.product(both, replicas)]
    rows = pd.DataFrame(index, columns=[*PAIR, "replica"])
    return rows.assign(**{name: values.ravel() for name, values in columns.items()})


def likeness(tasks: Mapping[str, Sequence[int]]) -> pd.DataFrame:
    """Return how alike each pair of tasks on digits is, before any training.

    The absolute correlation of their classes over the ten digits: 1 where they divide the digits
    alike, 0 where one says nothing of the other.

    Examples
    --------
    >>> likeness({"odd": (1, 3, 5, 7, 9), "even": (0, 2, 4, 6, 8)})["likeness"].round(6).tolist()
    [1.0]
    """
    classes = {name: np.isin(range(10), members) for name, members in tasks.items()}
    rows = [
        (first, second, abs(np.corrcoef(classes[first], classes[second])[0, 1]))
        for first, second in itertools.combinations(classes, 2)
    ]
    return pd.DataFrame(rows, columns=[*PAIR, "likeness"])


def interference_map(
    seen: pd.DataFrame,
    fresh: pd.DataFrame,
    likeness: pd.DataFrame,
    *,
    level: float = LEVEL,
    resamples: int = 10_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return one row a pair, ordered by S, the most interfering first.

    Parameters
    ----------
    seen, fresh
        Of different replicas, as `interference` returns them.
    likeness
        As `likeness` returns it.
    level
        Of the intervals of S, together over all pairs (Bonferroni).
    resamples, seed
        Of their bootstrap.

    Returns
    -------
    pandas.DataFrame
        `first`, `second`; `s`, `s_low`, `s_high`, `training_drop` and `cosine`, means over `seen`;
        `held_out_drop`, over `fresh`; `likeness`.
    """
    groups = seen.groupby(PAIR, sort=False)
    options = {"level": 1 - (1 - level) / groups.ngroups, "resamples": resamples, "seed": seed}
    ends = [chsh.s_interval(s.to_numpy(), **options)[0] for _, s in groups["s"]]
    table = groups[["s", "training_drop", "cosine"]].mean()
    table[["s_low", "s_high"]] = ends
    table = table.join(fresh.groupby(PAIR)["held_out_drop"].mean()).join(likeness.set_index(PAIR))
    return table.sort_values("s", ascending=False).reset_index()


def predictors(
    seen: pd.DataFrame,
    fresh: pd.DataFrame,
    likeness: pd.DataFrame,
    *,
    level: float = LEVEL,
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how well each predictor orders the pairs by what they lose on fresh replicas.

    Parameters
    ----------
    seen, fresh
        Of different replicas, as `interference` returns them.
    likeness
        As `likeness` returns it.
    level, resamples, seed
        Of the intervals: replicas of both tables are resampled, the pairs being given.

    Returns
    -------
    pandas.DataFrame
        One row a predictor: `s`, `training_drop`, `cosine` (the more opposed, the more is lost) and
        `likeness` (the less alike, the more); `rho`, Spearman's correlation over the pairs with the
        held-out drop of fresh replicas, `low`, `high`; `s_ahead`, by how much that of `s` is
        larger, `s_ahead_low`, `s_ahead_high`. Noise in the means of pairs draws all of them to 0.
    """
    level, resamples, seed = check_resampling(level, resamples, seed)
    generator = np.random.default_rng(seed)
    means = []
    for table, names in ((seen, PREDICTORS[:3]), (fresh, ["held_out_drop"])):
        _, values = _arrays(table, names, PAIR)
        count = values.shape[-1]
        shares = np.vstack([np.full(count, 1 / count), drawn_shares(count, resamples, generator)])
        # [1 + resamples, pairs, names], the sample itself first
        means.append(np.einsum("pnr,kr->kpn", values, shares))
    known, lost = means
    alike = np.broadcast_to(likeness.sort_values(PAIR)[["likeness"]], (*lost.shape,))
    signs = [1, 1, -1, -1]
    rho = spearman(signs * np.concatenate([known, alike], axis=-1), lost, axis=1)
    ahead = rho[:, :1] - rho
    replicas = min(table["replica"].nunique() for table in (seen, fresh))
    (low, high), (ahead_low, ahead_high) = (
        percentile_interval(draws[1:].T, level, replicas).T for draws in (rho, ahead)
    )
    columns = {"predictor": PREDICTORS, "rho": rho[0], "low": low, "high": high}
    columns |= {"s_ahead": ahead[0], "s_ahead_low": ahead_low, "s_ahead_high": ahead_high}
    return pd.DataFrame(columns)


# The tables of one condition.

SHOWN = 400
"""Replicas of which those that are correlated are kept one by one."""


def _gains(replicas: pd.DataFrame, **options: float) -> pd.DataFrame:
    correlated, choosing = halves(replicas)
    return gains(correlated, first=first_at_2(choosing), **options)


def _one_by_one(replicas: pd.DataFrame, **_: float) -> pd.DataFrame:
    correlated, _ = halves(replicas[replicas["replica"] < SHOWN])
    return correlated.astype(dict.fromkeys(correlated.select_dtypes("float64"), "float32"))


TABLES: dict[str, Callable[..., pd.DataFrame]] = {
    "generalization": lambda replicas, **options: correlations(*halves(replicas), **options),
    "generalization_gains": _gains,
    "generalization_capacity": lambda replicas, *, seed, **_: by_capacity(
        halves(replicas)[0], seed=seed
    ),
    "generalization_replicas": _one_by_one,
    "first_at_2": lambda replicas, **options: regret_at_first(*halves(replicas), **options),
}
"""The tables of one condition: what its replicas say of S and held-out accuracy.

Each takes the replicas (`by_replica`), and level, resamples and seed. Half of the replicas, those
with an odd number, are correlated; the other half choose the capacity at which S first reaches 2.
"""
