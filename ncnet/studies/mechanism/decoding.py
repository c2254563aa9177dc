"""What a loss trace tells of something else that the training did.

A decoder is given loss traces of one head, each replica once with the other head's setting 1 and
once with 2, and is asked which is which, on replicas that it has not seen. An AUC of 0.5 is
guessing: half of all pairs of traces are put in the right order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from ncnet.checks import check_choice, check_integer
from ncnet.chsh.bootstrap import expanded_level, percentile_interval
from ncnet.chsh.intervals import check_resampling, share_interval
from ncnet.studies.mechanism.oscillation import FEWEST_STEPS, READINGS, log_loss, trend
from ncnet.studies.mechanism.rows import with_ends

WINDOWS = 12
"""Stretches of a trace, each longer than the one before, over which features are averaged."""
COMPONENTS = 128
"""Of the decoder's kernel: it is nonlinear, and fast enough to be trained thousands of times."""
SMALLEST_OSCILLATION = 1e-7
"""The oscillation, in decades, that single precision may make by itself."""
FEWEST_A_FOLD = 5
"""Replicas without which the folds say too little of how far an AUC would vary."""
WHOLE = "whole"

USES = (
    WHOLE,
    "level",
    "slope",
    *(f"oscillation ({reading})" for reading in READINGS),
    *(f"without oscillation ({reading})" for reading in READINGS),
)
"""What of a trace the decoder is given."""

Traces = np.ndarray | Sequence[np.ndarray]


@dataclass(frozen=True, eq=False)
class Sensing:
    """How well one party's setting is decoded from the other's loss.

    Attributes
    ----------
    auc, interval
        Area under the receiver operating characteristic, the mean over folds and over the tasks of
        the head that senses, and its interval over replicas, given the trained decoders.
    p_value
        Of "the trace says nothing of the other's setting", by permutations; NaN without any.
    null
        AUC under each permutation [permutations].
    draws
        Bootstrap values of the AUC [resamples].
    replicas, seed
        Number of replicas, and the seed that all was drawn with.
    """

    auc: float
    interval: tuple[float, float]
    p_value: float
    null: np.ndarray
    draws: np.ndarray
    replicas: int
    seed: int

    def lost_from(self, other: "Sensing", level: float = 0.95) -> tuple[float, tuple[float, float]]:
        """Return how much less AUC this decoding has than another one, and the interval.

        Raises
        ------
        ValueError
            Unless both have the same number of replicas, resamples and the same seed: only then do
            their resamples belong together.
        """
        for name, ours, others in (
            ("replicas", self.replicas, other.replicas),
            ("resamples", len(self.draws), len(other.draws)),
            ("seed", self.seed, other.seed),
        ):
            if ours != others:
                raise ValueError(
                    f"the decodings have {name} {ours} and {others}: expected the same"
                )
        lost = other.draws - self.draws
        low, high = percentile_interval(lost, expanded_level(level, self.replicas)).tolist()
        return other.auc - self.auc, (low, high)


def decode(
    traces: Traces,
    *,
    use: str = WHOLE,
    seen: int | None = None,
    folds: int = 5,
    permutations: int = 0,
    decoder: object | None = None,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Sensing:
    """Decode the other party's setting from loss traces, cross-validated over replicas.

    Both traces of a replica are in the same fold: what is decoded is the setting, not the replica.
    Permutations exchange the two settings within replicas, in all tasks at once, and train anew.

    Parameters
    ----------
    traces
        Losses under the other's setting 1 and under 2, [replicas, steps] each, at every step of
        training from the first on; or several such pairs [tasks, 2, replicas, steps], one for each
        own task, decoded one by one and averaged. A loss that is not finite counts as very large.
    use
        One of `USES`.
    seen
        The decoder sees this many steps; all by default.
    folds
        Of the cross-validation, of at least `FEWEST_A_FOLD` replicas each.
    permutations
        How often to train on permuted settings.
    decoder
        A scikit-learn classifier that gives scores or probabilities; by default a kernel (radial
        basis functions, by Nyström's method) and logistic regression. It gets features whose
        distribution over all traces was made normal, by ranks and without regard to the setting.
    level, resamples
        Of the bootstrap over replicas. Where every resample has the same AUC, the interval is that
        of a share of as many replicas, unless all traces are alike.
    seed
        Of kernel, permutations and resamples; the folds are always the same.

    Raises
    ------
    ValueError
        For traces of unequal length or number, an unknown use, too few replicas for the folds, or
        fewer than `FEWEST_STEPS` steps.

    Examples
    --------
    >>> generator = np.random.default_rng(0)
    >>> losses = np.exp(-np.arange(40) / 9) * np.exp(0.1 * generator.standard_normal((2, 60, 40)))
    >>> same, other = losses
    >>> decode([same, 0.5 * other]).auc > 0.9
    True
    >>> decode([same, same]).auc
    0.5
    """
    level, resamples, seed = check_resampling(level, resamples, seed)
    check_choice("use", use, USES)
    folds = check_integer("folds", folds, at_least=2)
    permutations = check_integer("permutations", permutations, at_least=0)
    method = "decision_function" if decoder is None else _method(decoder)
    pairs = _checked(traces)
    replicas, steps = pairs.shape[2:]
    if replicas < FEWEST_A_FOLD * folds:
        raise ValueError(
            f"{replicas} replicas for {folds} folds: expected at least {FEWEST_A_FOLD * folds}, "
            f"{FEWEST_A_FOLD} a fold"
        )
    if steps < FEWEST_STEPS:
        raise ValueError(f"traces have {steps} steps: expected at least {FEWEST_STEPS}")
    if seen is not None:
        seen = check_integer("seen", seen, at_least=FEWEST_STEPS, at_most=steps)
    for_sklearn = int(np.random.SeedSequence(seed).generate_state(1)[0])
    if decoder is None:
        decoder = _decoder(for_sklearn, fewest_rows=2 * (replicas - -(-replicas // folds)))
    found = [
        _cross_validated(
            features(pair[..., :seen], use), decoder, method, folds, permutations, for_sklearn
        )
        for pair in pairs
    ]
    wins = [np.mean([task.wins[fold] for task in found], axis=0) for fold in range(folds)]
    auc = float(np.mean([fold.mean() for fold in wins]))
    draws = _bootstrap(wins, resamples, seed)
    null = np.mean([task.null for task in found], axis=0)
    p_value = (1 + np.sum(null >= auc)) / (1 + permutations) if permutations else np.nan
    interval = _interval(auc, draws, level, replicas)
    return Sensing(auc, interval, float(p_value), null, draws, replicas, seed)


def by_use(
    traces: Traces,
    *,
    uses: Sequence[str] = USES,
    others: Mapping[str, Traces] | None = None,
    permuted: Sequence[str] = (WHOLE,),
    permutations: int = 0,
    level: float = 0.95,
    **options: object,
) -> pd.DataFrame:
    """Decode from different parts of the traces and return one row for each.

    Parameters
    ----------
    traces, options
        As `decode` takes them.
    uses
        Parts of the trace, of `USES`, the whole trace first.
    others
        Further traces of the same replicas, by the name of their row; each is read as a whole.
    permuted, permutations
        Those of `uses` that are tested by permutations, and by how many.
    level
        Nominal coverage of each interval.

    Returns
    -------
    pandas.DataFrame
        ``use``; ``auc``, ``auc_low``, ``auc_high``, ``p_value``; ``lost``, ``lost_low``,
        ``lost_high``, by how much it falls short of the whole trace.

    Examples
    --------
    >>> losses = np.random.default_rng(0).random((2, 40, 30))
    >>> by_use(losses, uses=["whole", "level"]).use.tolist()
    ['whole', 'level']
    """
    if isinstance(uses, str) or list(uses)[:1] != [WHOLE]:
        raise ValueError(f"`uses` is {uses!r}: expected parts of the trace, `{WHOLE}` first")
    for use in uses:
        check_choice("use", use, USES)
    for use in permuted:
        check_choice("use", use, USES)
    asked = [(use, traces, use, permutations if use in permuted else 0) for use in uses]
    asked += [(name, other, WHOLE, 0) for name, other in (others or {}).items()]
    rows, whole = [], None
    for name, given, use, count in asked:
        found = decode(given, use=use, permutations=count, level=level, **options)
        whole = found if whole is None else whole
        row = {"use": name} | with_ends("auc", found.auc, found.interval)
        row |= {"p_value": found.p_value} | with_ends("lost", *found.lost_from(whole, level))
        rows.append(row)
    return pd.DataFrame(rows)


def features(losses: np.ndarray, use: str) -> np.ndarray:
    """Return what the decoder is given of loss traces.

    Parameters
    ----------
    losses
        [..., steps]
    use
        One of `USES`. "level" and "slope" are means of the logarithm of the loss, and of its
        change from step to step, over up to `WINDOWS` stretches, each longer than the last;
        "oscillation" is the root mean square of what `trend` leaves there, as a logarithm; "without
        oscillation" is level and slope of the trend; "whole" is level, slope and both oscillations.

    Returns
    -------
    numpy.ndarray
        [..., features]

    Examples
    --------
    >>> features(np.ones((3, 2000)), "level").shape
    (3, 12)
    """
    check_choice("use", use, USES)
    logarithm = log_loss(losses)
    if use == "whole":
        parts = ["level", "slope", *(f"oscillation ({reading})" for reading in READINGS)]
        return np.concatenate([features(losses, part) for part in parts], axis=-1)
    if use == "level":
        return _averages(logarithm)
    if use == "slope":
        return _averages(np.diff(logarithm))
    what, reading = use.removesuffix(")").split(" (")
    smooth = trend(logarithm, reading)
    if what == "oscillation":
        square = _averages((logarithm - smooth) ** 2)
        return np.log10(np.sqrt(square).clip(SMALLEST_OSCILLATION))
    return np.concatenate([_averages(smooth), _averages(np.diff(smooth))], axis=-1)


def _averages(values: np.ndarray) -> np.ndarray:
    """Return means over stretches of a trace [..., steps], which grow geometrically."""
    ends = np.geomspace(1, values.shape[-1], WINDOWS + 1).round().astype(int)
    starts = np.unique(ends[:-1] - 1)
    lengths = np.diff([*starts, values.shape[-1]])
    return np.add.reduceat(values, starts, axis=-1) / lengths


@dataclass(frozen=True)
class _Decoded:
    """Of one task: in each fold, whether replica r with setting 2 scores above s with 1 [r, s]."""

    wins: list[np.ndarray]
    null: np.ndarray


def _cross_validated(
    given: np.ndarray, decoder: object, method: str, folds: int, permutations: int, seed: int
) -> _Decoded:
    # Imported where it is used: it takes a second.
    from sklearn.model_selection import GroupKFold, cross_val_predict, permutation_test_score
    from threadpoolctl import threadpool_limits

    replicas = given.shape[1]
    rows, settings = _made_normal(np.concatenate(given)), np.repeat([0, 1], replicas)
    shared = {
        "groups": np.tile(np.arange(replicas), 2),
        # The same folds for every task and use: their replicas are drawn together.
        "cv": GroupKFold(folds, shuffle=True, random_state=0),
    }
    # Matrices this small are slower on several threads, three times so on two.
    with threadpool_limits(1):
        scores = cross_val_predict(decoder, rows, settings, method=method, **shared)
        scores = scores if scores.ndim == 1 else scores[:, 1]
        null = np.empty(0)
        if permutations:
            _, null, _ = permutation_test_score(
                decoder,
                rows,
                settings,
                scoring="roc_auc",
                n_permutations=permutations,
                random_state=seed,
                **shared,
            )
    first, second = scores.reshape(2, replicas)
    splits = shared["cv"].split(rows, settings, shared["groups"])
    members = [test[test < replicas] for _, test in splits]
    apart = [second[fold][:, None] - first[fold] for fold in members]
    return _Decoded([(one > 0) + 0.5 * (one == 0) for one in apart], null)


def _bootstrap(wins: list[np.ndarray], resamples: int, seed: int) -> np.ndarray:
    """Return the AUC of resampled replicas [resamples], each fold with as many as it has.

    A replica that is drawn several times is not set against its own copies.
    """
    generator = np.random.default_rng(seed)
    draws = []
    for fold in wins:
        size = len(fold)
        counts = generator.multinomial(size, np.full(size, 1 / size), size=resamples).astype(float)
        copies = counts**2 - counts
        won = ((counts @ fold) * counts).sum(axis=1) - copies @ np.diag(fold)
        draws.append(won / (size**2 - copies.sum(axis=1)))
    return np.mean(draws, axis=0)


def _interval(auc: float, draws: np.ndarray, level: float, replicas: int) -> tuple[float, float]:
    if np.ptp(draws) == 0 and auc in (0.0, 1.0):
        low, high = share_interval(round(auc) * replicas, replicas, level)
        return float(low), float(high)
    low, high = percentile_interval(draws, expanded_level(level, replicas)).tolist()
    return low, high


def _made_normal(rows: np.ndarray) -> np.ndarray:
    """Return features [rows, features] with a normal distribution each, in the same order."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    return ndtri((rankdata(rows, axis=0) - 0.5) / len(rows))


def _decoder(seed: int, fewest_rows: int) -> object:
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(
        Nystroem(n_components=min(COMPONENTS, fewest_rows), random_state=seed),
        LogisticRegression(max_iter=1000),
    )


def _method(decoder: object) -> str:
    for method in ("decision_function", "predict_proba"):
        if hasattr(decoder, method):
            return method
    raise ValueError(
        f"`decoder` is {decoder!r}: expected a scikit-learn classifier with a decision_function or "
        "predict_proba"
    )


def _checked(traces: Traces) -> np.ndarray:
    """Return traces as [tasks, 2, replicas, steps]."""
    if isinstance(traces, (xr.DataArray, xr.Dataset, Mapping)):
        # Which of its settings is the other party's, it does not say.
        raise ValueError(
            f"traces are a {type(traces).__name__}: expected arrays [own task, other's setting, "
            "replica, step], as `.transpose(...).values` gives them"
        )
    try:
        parts = list(traces)
        several = bool(parts) and np.ndim(parts[0]) == 3
    except (TypeError, ValueError):
        parts, several = [], True
    pairs = [_pair(pair) for pair in (parts if several else [parts])]
    if not pairs:
        raise ValueError(
            f"traces are a {type(traces).__name__}: expected two arrays [replicas, steps], one for "
            "each setting of the other party"
        )
    shapes = [pair.shape for pair in pairs]
    if len(set(shapes)) > 1:
        raise ValueError(f"tasks have traces of shapes {shapes[0]} and {shapes[1]}: expected one")
    return np.array(pairs)


def _pair(pair: Sequence[np.ndarray]) -> np.ndarray:
    expected = "expected two arrays [replicas, steps], one for each setting of the other party"
    if len(pair) != 2:
        raise ValueError(f"{len(pair)} traces are given: {expected}")
    try:
        arrays = [np.asarray(trace, float) for trace in pair]
    except (TypeError, ValueError):
        raise ValueError(f"a trace is no array of numbers: {expected}") from None
    if any(array.ndim != 2 for array in arrays):
        shapes = " and ".join(str(array.shape) for array in arrays)
        raise ValueError(f"traces have shapes {shapes}: {expected}")
    for name, axis in (("steps", 1), ("replicas", 0)):
        counts = [array.shape[axis] for array in arrays]
        if counts[0] != counts[1]:
            raise ValueError(f"traces have {counts[0]} and {counts[1]} {name}: expected the same")
    both = np.stack(arrays)
    if (both < 0).any():
        raise ValueError(f"a trace holds {np.nanmin(both):g}: expected losses of at least 0")
    return both
