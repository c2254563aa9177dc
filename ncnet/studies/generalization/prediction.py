"""What S adds to training accuracy and loss where held-out accuracy is to be predicted.

Not a p-value but a comparison of predictions: two models, with and without S, are fitted and
tried on replicas that neither their fit nor the choice of their form has seen.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from threadpoolctl import threadpool_limits

from ncnet.chsh.bootstrap import expanded_level, percentile_interval
from ncnet.chsh.intervals import FEWEST_OFF_MODE, check_resampling, off_mode
from ncnet.claims import LEVEL
from ncnet.studies.generalization.correlation import BEYOND, UP_TO, arrays
from ncnet.studies.generalization.replicas import CONTEXTS, MEANS

TARGET = "held_out_accuracy"
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
    capacities, values = arrays(replicas, (TARGET, "s", *MEANS, *CONTEXTS))
    rows = []
    for given, names in GIVEN.items():
        places = [2 + (*MEANS, *CONTEXTS).index(name) for name in names]
        errors = {}
        for capacity, of_capacity in zip(capacities, values, strict=True):
            target, s, known = of_capacity[0], of_capacity[1], of_capacity[places]
            varies = off_mode(s, np.ones(len(s), int)) >= FEWEST_OFF_MODE and target.std() > 0
            if varies:
                errors[capacity] = _errors(target, s, known, seed)
        parts = [("at", capacity, [capacity]) for capacity in errors]
        low = [capacity for capacity in errors if not capacity > first]
        parts += [(UP_TO, np.nan, low), (BEYOND, np.nan, [c for c in errors if c > first])]
        for part, capacity, of_part in parts:
            scores = _scores([errors[c] for c in of_part], level, resamples, seed)
            rows.append({"given": given, "part": part, "capacity": capacity} | scores)
    return pd.DataFrame(rows)


def _errors(target: np.ndarray, s: np.ndarray, known: np.ndarray, seed: int) -> np.ndarray:
    """Return the squared errors of both predictions as shares of the variance [2, replicas]."""
    return np.stack(
        [
            (target - _predicted(features.T, target, seed)) ** 2 / target.var()
            for features in (known, np.concatenate([known, s[None]]))
        ]
    )


def _predicted(features: np.ndarray, target: np.ndarray, seed: int) -> np.ndarray:
    pipeline = make_pipeline(StandardScaler(), PolynomialFeatures(), RidgeCV(PENALTIES))
    degrees = {"polynomialfeatures__degree": [1, 2]}
    predicted = np.empty_like(target)
    outer, inner = (KFold(FOLDS, shuffle=True, random_state=(seed + k) % 2**32) for k in (0, 1))
    # Hundreds of fits of small models, whose parameters are all given here.
    with threadpool_limits(1), config_context(skip_parameter_validation=True):
        for training, rest in outer.split(features):
            search = GridSearchCV(pipeline, degrees, cv=inner, scoring="neg_mean_squared_error")
            search.fit(features[training], target[training])
            predicted[rest] = search.predict(features[rest])
    return predicted


def _scores(errors: list[np.ndarray], level: float, resamples: int, seed: int) -> dict[str, float]:
    if not errors:
        return dict.fromkeys(("without", "with_s", "gain", "gain_low", "gain_high"), np.nan)
    without, with_s = np.mean(errors, axis=0)
    count = len(without)
    drawn = np.random.default_rng(seed).integers(count, size=(resamples, count))
    gain = without - with_s
    low, high = percentile_interval(gain[drawn].mean(-1), expanded_level(level, count))
    return {
        "without": float(1 - without.mean()),
        "with_s": float(1 - with_s.mean()),
        "gain": float(gain.mean()),
        "gain_low": float(low),
        "gain_high": float(high),
    }
