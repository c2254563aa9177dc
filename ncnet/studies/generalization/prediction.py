"""What S adds to training accuracy and loss where held-out accuracy is to be predicted.

Not a p-value but a comparison of predictions: two models, with and without S, are fitted and
tried on replicas that neither their fit nor the choice of their form has seen.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from threadpoolctl import threadpool_limits

from ncnet.chsh.bootstrap import percentile_interval
from ncnet.chsh.intervals import FEWEST_OFF_MODE, check_resampling
from ncnet.claims import LEVEL
from ncnet.studies.generalization.correlation import BEYOND, UP_TO, arrays, off_mode
from ncnet.studies.generalization.replicas import CONTEXTS, MEANS

TARGET = "held_out_accuracy"
GIVEN = {"means": MEANS, "contexts": CONTEXTS}
"""What is known beside S: mean training accuracy and loss, or those of all four contexts."""
FOLDS = 5
PENALTIES = tuple(np.logspace(-2, 4, 13))
COLUMNS = ["given", "part", "capacity", "without", "with_s", "gain", "gain_low", "gain_high"]


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
    capacities, values = arrays(replicas, (TARGET, "s", *MEANS, *CONTEXTS))
    varies = (values[:, 0].std(-1) > 0) & (off_mode(values[:, 1]) >= FEWEST_OFF_MODE)
    capacities, values = np.array(capacities)[varies], values[varies]
    count = values.shape[-1]
    drawn = np.random.default_rng(seed).integers(count, size=(resamples, count))
    beyond = capacities > first
    parts = [("at", capacity, capacities == capacity) for capacity in capacities]
    parts += [(UP_TO, np.nan, ~beyond), (BEYOND, np.nan, beyond)]
    rows = []
    for given, names in GIVEN.items():
        known = [2 + (*MEANS, *CONTEXTS).index(name) for name in names]
        errors = [[_errors(v[0], v[f], seed) for v in values] for f in (known, [*known, 1])]
        for part, capacity, chosen in parts:
            without, with_s = np.full((2, count), np.nan)
            if chosen.any():
                without, with_s = np.array(errors)[:, chosen].mean(axis=1)
            gain = without - with_s
            ends = percentile_interval(gain[drawn].mean(-1), level, count)
            scores = (1 - without.mean(), 1 - with_s.mean(), gain.mean(), *ends)
            rows.append((given, part, capacity, *scores))
    return pd.DataFrame(rows, columns=COLUMNS)


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
