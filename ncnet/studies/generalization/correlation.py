"""Ask whether S of the training items goes with held-out accuracy, and what it adds.

*Two readings*: within a capacity, over replicas, and across capacities, within a replica. The rules
judge both, each by the mean of independent values with an exact interval.

*Correlation*: Spearman's correlation of S with held-out accuracy is computed at each capacity by
itself. It is then averaged over the capacities up to the one at which S first reaches 2, and over
those beyond it; other replicas say which one that is. Capacities with fewer than ten replicas off
the most frequent S are at the ceiling and left out: there are no ranks to correlate.

*Prediction*: two models of held-out accuracy, with and without S, are fitted and tried on replicas
that neither their fit nor the choice of their form has seen. The result is no p-value, but how much
better one predicts.
"""

import itertools

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from sklearn import config_context
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from threadpoolctl import threadpool_limits

from ncnet.checks import check, check_number
from ncnet.chsh.bootstrap import DIGITS_OF_SUMS, percentile_interval
from ncnet.chsh.intervals import FEWEST_OFF_MODE
from ncnet.claims import GROUP, LEVEL
from ncnet.estimates import UNKNOWN, columns_of, mean_of_replicas
from ncnet.studies.generalization import measurements as measured
from ncnet.studies.generalization.measurements import FIT_BY_CONTEXT, MEAN_FIT, TARGET, TARGETS

MEASURES = {"spearman": (), "given means": MEAN_FIT, "given contexts": FIT_BY_CONTEXT}
"""Measures of correlation, each with what is held fixed."""
UP_TO, BEYOND = "up to 2", "beyond 2"
"""Names of the means over capacities, up to the one at which S first reaches 2 and beyond it."""
VARIABLES = ("s", *TARGETS, *MEAN_FIT, *FIT_BY_CONTEXT)
"""Columns that are ranked, in the order of the arrays."""
VALUES_AT_ONCE = 2**21
"""Values that are resampled at once: 16 MiB."""
EXPLAINED = 1e-6
"""Share of a variable's variance below which what is held fixed leaves nothing of it."""


def correlations_by_reading(
    correlated: pd.DataFrame, choosing: pd.DataFrame, *, level: float = LEVEL
) -> pd.DataFrame:
    """Return the correlation of S with held-out accuracy within capacities, and across them.

    Both are Spearman's, and about the capacities up to the one at which S first reaches 2, without
    those at the ceiling. Other replicas say which these are, so intervals are exact, given them.
    Where S reaches 2 nowhere, they are all capacities.

    Parameters
    ----------
    correlated
        Rows as `ncnet.studies.generalization.measurements.by_replica` returns them, with the same
        replicas at every capacity.
    choosing
        Rows of other replicas, which choose the capacities. Read are `capacity`, `replica`, `s`.
    level
        Coverage of each of the two intervals.

    Returns
    -------
    pandas.DataFrame
        A row for each `reading`. "within": over the replicas of a group of `GROUP`, mean over
        capacities; a value a group. In so small a group, of normal variables, it is nearer to 0
        than in large ones by a factor of about `GROUP` / (`GROUP` + 1). "across": over capacities;
        a value a replica. What does not vary correlates with nothing: 0. `correlation`,
        `correlation_low` and `correlation_high` are the mean of these values with its interval,
        NaN where there are too few capacities: none within, less than two across. `independent`
        is the number of values, `capacities` that of capacities; `first` is the capacity at which
        S first reaches 2.

    Raises
    ------
    ValueError
        For fewer replicas than a group has, or tables whose capacities or replicas differ.

    Examples
    --------
    >>> table = pd.DataFrame({"capacity": [1] * 20 + [2] * 20, "replica": [*range(20)] * 2})
    >>> table["s"] = 1 + np.arange(40) / 39
    >>> found = correlations_by_reading(table.assign(held_out_accuracy=table["s"] / 2), table)
    >>> found[["reading", "correlation", "independent", "capacities"]].values.tolist()
    [['within', 1.0, 2, 2], ['across', 1.0, 20, 2]]
    """
    check_number("level", level, 0, 1, inside=True)
    _, values, s_of_others = measured.as_arrays_with_s(correlated, ("s", TARGET), choosing)
    fitting = measured.off_mode(s_of_others) >= FEWEST_OFF_MODE
    # Sums in another order must not break ties.
    used = values[_up_to_2(s_of_others) & fitting].round(DIGITS_OF_SUMS)
    first = measured.first_capacity_at_2(choosing)
    rows = []
    for reading, (correlate, fewest) in READINGS.items():
        found = correlate(used) if len(used) >= fewest else np.empty(0)
        mean = mean_of_replicas(found, bounds=(-1, 1), level=level) if len(found) else UNKNOWN
        row = {"reading": reading} | columns_of("correlation", mean)
        rows.append(row | {"independent": len(found), "capacities": len(used), "first": first})
    return pd.DataFrame(rows)


def _within(values: np.ndarray) -> np.ndarray:
    """Return the correlation over the replicas of each group, mean over capacities [groups].

    The values of S and of held-out accuracy are [capacities, 2, replicas].
    """
    count = values.shape[-1]
    check(count >= GROUP, f"{count} replicas are correlated", f"at least {GROUP}")
    grouped = values[..., : count - count % GROUP].reshape(len(values), 2, -1, GROUP)
    return np.mean([_spearman(of_capacity) for of_capacity in grouped], axis=0)


def _across(values: np.ndarray) -> np.ndarray:
    """Return the correlation over capacities of each replica [replicas]."""
    return _spearman(values.transpose(1, 2, 0))


READINGS = {"within": (_within, 1), "across": (_across, 2)}
"""What each reading correlates, and the fewest capacities that it takes."""


def correlations(replicas: pd.DataFrame, choosing: pd.DataFrame, **options: float) -> pd.DataFrame:
    """Return the correlations of S with held-out accuracy, with intervals.

    The bootstrap goes through the whole analysis. Each resample draws the replicas that choose and
    the replicas that are correlated anew, jointly over capacities. It then finds the capacity at
    which S first reaches 2 again, and so the capacities at the ceiling.

    Parameters
    ----------
    replicas
        Rows as `by_replica` returns them, with the same replicas at every capacity.
    choosing
        Rows of other replicas, which say at which capacity S first reaches 2. Read are `capacity`,
        `replica` and `s`.
    options
        `level`, `resamples` and `seed` of the bootstrap, as
        `ncnet.studies.generalization.measurements.resampling_options` takes them.

    Returns
    -------
    pandas.DataFrame
        One row for each `target` ("held_out_accuracy", "held_out_worst"), `measure` and `part`.
        Measures are "spearman"; "given means", Spearman's partial correlation at given mean
        training accuracy and loss; and "given contexts", that at given accuracies and losses of all
        four contexts. Parts are "at" each `capacity`, and the means "up to 2" and "beyond 2".
        Columns are `estimate`, `low` and `high`, NaN where there is none; `defined`, the share of
        resamples that have a value; `replicas`; `off_mode`, the replicas off the most frequent S,
        and `at_ceiling`; and `first`, the capacity at which S first reaches 2.

    Raises
    ------
    ValueError
        If capacities differ between the tables, or replicas between capacities; for fewer resamples
        than the level needs.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> table = pd.DataFrame(rng.normal(size=(80, len(VARIABLES))), columns=VARIABLES)
    >>> table = table.assign(capacity=[1] * 40 + [2] * 40, replica=[*range(40)] * 2)
    >>> found = correlations(table, table, resamples=200)
    >>> found.loc[found["capacity"] == 2, "measure"].unique().tolist()
    ['spearman', 'given means', 'given contexts']
    """
    level, resamples, seed = measured.resampling_options(**options)
    capacities, values, s_of_others = measured.as_arrays_with_s(replicas, VARIABLES, choosing)
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
    low, high = measured.intervals_of_defined(estimates, level, count).T
    off_modes = np.tile([*measured.off_mode(values[:, 0]), -1, -1], len(TARGETS) * len(MEASURES))
    return rows.assign(
        estimate=estimates[:, 0],
        low=low,
        high=high,
        defined=np.isfinite(estimates[:, 1:]).mean(axis=1),
        replicas=count,
        off_mode=off_modes,
        at_ceiling=(off_modes >= 0) & (off_modes < FEWEST_OFF_MODE),
        first=measured.first_capacity_at_2(choosing),
    )


def _estimates(values: np.ndarray, s_of_others: np.ndarray) -> np.ndarray:
    """Return the estimates of each target, measure and part [rows, resamples].

    The arrays are [capacities, variables, resamples, replicas] and [capacities, resamples,
    replicas].
    """
    up_to = _up_to_2(s_of_others)
    at_ceiling = measured.off_mode(values[:, 0]) < FEWEST_OFF_MODE
    matrices = [_rank_correlations(of_capacity) for of_capacity in values]
    found = []
    for target, given in itertools.product(TARGETS, MEASURES.values()):
        at = np.stack([_partial(matrix, target, given) for matrix in matrices])
        at[at_ceiling] = np.nan
        parts = (np.ma.masked_invalid(np.where(part, at, np.nan)) for part in (up_to, ~up_to))
        found += [*at, *(part.mean(0).filled(np.nan) for part in parts)]
    return np.stack(found)


def _up_to_2(s: np.ndarray) -> np.ndarray:
    """Return which capacities are up to the first at 2, from S [capacities, ..., replicas]."""
    at_2 = s.mean(-1) >= measured.AT_2
    return at_2.cumsum(0) == at_2  # at 2 at no smaller capacity


def _spearman(values: np.ndarray) -> np.ndarray:
    """Return Spearman's correlation of two variables [2, samples, size], by sample."""
    return _rank_correlations(values)[:, 0, 1].clip(-1, 1)


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
    between = matrices[:, pair][:, :, held]
    inverse = np.linalg.pinv(matrices[:, held][:, :, held], rcond=EXPLAINED, hermitian=True)
    left = matrices[:, pair][:, :, pair] - between @ inverse @ between.transpose(0, 2, 1)
    variances = left[:, [0, 1], [0, 1]]
    defined = (variances > EXPLAINED).all(-1)
    scale = np.sqrt(np.where(defined, variances.prod(-1), np.nan))
    return (left[:, 0, 1] / scale).clip(-1, 1)


def r2_gains(replicas: pd.DataFrame, choosing: pd.DataFrame, **options: float) -> pd.DataFrame:
    """Return how much of held-out accuracy is predicted without S and with it.

    Capacities at the ceiling are left out, and those at which held-out accuracy does not vary. At
    each other capacity five outer folds of replicas try the predictions. Within the rest, five
    inner folds choose between linear and quadratic ridge regression, and the penalty. The score is
    R^2: 1 less the mean squared error over the variance.

    Parameters
    ----------
    replicas
        Rows as `by_replica` returns them, with the same replicas at every capacity.
    choosing
        Rows of other replicas, which say at which capacity S first reaches 2.
    options
        `level`, `resamples` and `seed` of the bootstrap, as `correlations` takes them; the seed
        divides the folds too. Replicas' squared errors are resampled, jointly over capacities; the
        predictions and that capacity are taken as given.

    Returns
    -------
    pandas.DataFrame
        One row for each `given` ("means", "contexts") and `part`: "at" each `capacity`, and the
        means "up to 2" and "beyond 2". `without` and `with_s` are R^2, `gain` is their difference,
        and `gain_low` and `gain_high` are the ends of its interval.

    Raises
    ------
    ValueError
        For fewer resamples than the level needs, or replicas that differ between capacities.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> columns = ["s", *MEAN_FIT, *FIT_BY_CONTEXT]
    >>> table = pd.DataFrame(rng.normal(size=(60, len(columns))), columns=columns)
    >>> table = table.assign(capacity=1, replica=range(60), held_out_accuracy=table["s"])
    >>> bool(r2_gains(table, table, resamples=200)["gain"].iloc[0] > 0.9)
    True
    """
    level, resamples, seed = measured.resampling_options(**options)
    capacities, values, _ = measured.as_arrays_with_s(replicas, (TARGET, "s"), choosing)
    varies = (values[:, 0].std(-1) > 0) & (measured.off_mode(values[:, 1]) >= FEWEST_OFF_MODE)
    capacities, targets = np.array(capacities)[varies], values[varies, 0]
    count = values.shape[-1]
    drawn = np.random.default_rng(seed).integers(count, size=(resamples, count))
    beyond = capacities > measured.first_capacity_at_2(choosing)
    parts = [("at", capacity, capacities == capacity) for capacity in capacities]
    parts += [(UP_TO, np.nan, ~beyond), (BEYOND, np.nan, beyond)]
    rows = []
    for given, names in (("means", MEAN_FIT), ("contexts", FIT_BY_CONTEXT)):
        _, features = measured.as_arrays(replicas, (*names, "s"))
        errors = np.empty((len(targets), 2, count))
        for found, target, known_and_s in zip(errors, targets, features[varies], strict=True):
            found[:] = _errors(target, known_and_s[:-1], seed), _errors(target, known_and_s, seed)
        for part, capacity, chosen in parts:
            without, with_s = errors[chosen].sum(axis=0) / (chosen.sum() or np.nan)
            gain = without - with_s
            ends = percentile_interval(gain[drawn].mean(-1), level, count)
            scores = (1 - without.mean(), 1 - with_s.mean(), gain.mean(), *ends)
            rows.append((given, part, capacity, *scores))
    columns = ["given", "part", "capacity", "without", "with_s", "gain", "gain_low", "gain_high"]
    return pd.DataFrame(rows, columns=columns)


def _errors(target: np.ndarray, features: np.ndarray, seed: int) -> np.ndarray:
    """Return the squared errors of the predictions as shares of the variance [replicas]."""
    ridge = RidgeCV(np.logspace(-2, 4, 13))
    pipeline = make_pipeline(StandardScaler(), PolynomialFeatures(), ridge)
    outer, inner = (KFold(5, shuffle=True, random_state=(seed + k) % 2**32) for k in (0, 1))
    degrees = {"polynomialfeatures__degree": [1, 2]}
    search = GridSearchCV(pipeline, degrees, cv=inner, scoring="neg_mean_squared_error")
    # Hundreds of fits of small models, whose parameters are all given here.
    with threadpool_limits(1), config_context(skip_parameter_validation=True):
        predicted = cross_val_predict(search, features.T, target, cv=outer)
    return (target - predicted) ** 2 / target.var()
