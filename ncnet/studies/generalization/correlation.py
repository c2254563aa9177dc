"""Ask whether S of the training items goes with held-out accuracy, and what it adds.

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

from ncnet.chsh.bootstrap import percentile_interval
from ncnet.chsh.intervals import FEWEST_OFF_MODE
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
    at_2 = s_of_others.mean(-1) >= measured.AT_2
    up_to = at_2.cumsum(0) == at_2  # at 2 at no smaller capacity
    at_ceiling = measured.off_mode(values[:, 0]) < FEWEST_OFF_MODE
    matrices = [_rank_correlations(of_capacity) for of_capacity in values]
    found = []
    for target, given in itertools.product(TARGETS, MEASURES.values()):
        at = np.stack([_partial(matrix, target, given) for matrix in matrices])
        at[at_ceiling] = np.nan
        parts = (np.ma.masked_invalid(np.where(part, at, np.nan)) for part in (up_to, ~up_to))
        found += [*at, *(part.mean(0).filled(np.nan) for part in parts)]
    return np.stack(found)


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
