"""What a head's loss trace tells of the other head's task.

A decoder is given Alice's loss traces, a replica with Bob's setting 1 and the same replica with 2,
and is asked which is which, on replicas that it has not seen. An AUC of 0.5 is guessing: half of
all pairs of traces are put in the right order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ncnet.checks import check_choice, check_integer
from ncnet.chsh.bootstrap import expanded_level, percentile_interval
from ncnet.games import Game
from ncnet.mechanism.interventions import SHARED, SMALL_STEPS, SMALLER, interventions
from ncnet.mechanism.oscillation import FEWEST_STEPS, READINGS, log_loss, trend

WINDOWS = 12
"""Stretches of a trace, each longer than the one before, over which features are averaged."""
COMPONENTS = 128
"""Of the decoder's kernel: it is nonlinear, and fast enough to be trained thousands of times."""
SMALLEST_OSCILLATION = 1e-7
"""The oscillation, in decades, that single precision may make by itself."""

USES = (
    "whole",
    "level",
    "slope",
    *(f"oscillation ({reading})" for reading in READINGS),
    *(f"without oscillation ({reading})" for reading in READINGS),
)
"""What of a trace the decoder is given."""
CONTROLS = {
    "whole, small steps": SMALL_STEPS,
    "whole, PCGrad, small steps": f"PCGrad, {SMALL_STEPS}",
    "whole, separate trunks": "separate, n each",
}
"""The whole trace under an intervention."""


@dataclass(frozen=True, eq=False)
class Sensing:
    """How well one party's setting is decoded from the other's loss.

    Attributes
    ----------
    auc, interval
        Area under the receiver operating characteristic, the mean over folds and over the tasks of
        the head that senses, and its interval over replicas.
    p_value
        Of "the trace says nothing of the other's setting", by permutations; NaN without any.
    null
        AUC under each permutation [permutations].
    draws
        Bootstrap values of the AUC [resamples]; those of two decodings with the same replicas,
        folds and seed belong together.
    replicas
        Number of replicas.
    """

    auc: float
    interval: tuple[float, float]
    p_value: float
    null: np.ndarray
    draws: np.ndarray
    replicas: int

    def lost_from(self, other: "Sensing", level: float = 0.95) -> tuple[float, tuple[float, float]]:
        """Return how much less AUC this decoding has than another one, and the interval."""
        lost = other.draws - self.draws
        low, high = percentile_interval(lost, expanded_level(level, self.replicas)).tolist()
        return other.auc - self.auc, (low, high)


def decode(
    traces: Sequence[np.ndarray] | np.ndarray,
    *,
    use: str = "whole",
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
    Permutations exchange the two settings within replicas and train anew.

    Parameters
    ----------
    traces
        Losses under the other's setting 1 and under 2, [replicas, steps] each, at every step of
        training from the first on; or several such pairs [tasks, 2, replicas, steps], one for each
        own task, decoded one by one and averaged.
    use
        One of `USES`.
    seen
        The decoder sees this many steps; all by default.
    folds
        Of the cross-validation.
    permutations
        How often to train on permuted settings.
    decoder
        A scikit-learn classifier; by default a kernel (radial basis functions, by Nyström's method)
        and logistic regression. It gets features whose distribution over all traces was made
        normal, by ranks and without regard to the setting.
    level, resamples
        Of the bootstrap over replicas.
    seed
        Of folds, kernel, permutations and resamples.

    Raises
    ------
    ValueError
        For traces of unequal length or number, an unknown use, fewer replicas than folds, or fewer
        than `FEWEST_STEPS` steps.

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
    pairs = _checked(traces)
    check_choice("use", use, USES)
    replicas, steps = pairs.shape[2:]
    check_integer("folds", folds, at_least=2)
    check_integer("permutations", permutations, at_least=0)
    if replicas < folds:
        raise ValueError(f"{replicas} replicas for {folds} folds: expected at least {folds}")
    seen = (
        steps if seen is None else check_integer("seen", seen, at_least=FEWEST_STEPS, at_most=steps)
    )
    if decoder is None:
        decoder = _decoder(seed, fewest_rows=2 * (replicas - -(-replicas // folds)))
    found = [
        _cross_validated(features(pair[..., :seen], use), decoder, folds, permutations, seed + task)
        for task, pair in enumerate(pairs)
    ]
    wins = [np.mean([task.wins[fold] for task in found], axis=0) for fold in range(folds)]
    auc = float(np.mean([fold.mean() for fold in wins]))
    draws = _bootstrap(wins, resamples, seed)
    null = np.mean([task.null for task in found], axis=0)
    p_value = (1 + np.sum(null >= auc)) / (1 + permutations) if permutations else np.nan
    low, high = percentile_interval(draws, expanded_level(level, replicas)).tolist()
    return Sensing(auc, (low, high), float(p_value), null, draws, replicas)


def by_use(
    traces: Sequence[np.ndarray] | np.ndarray,
    *,
    uses: Sequence[str] = USES,
    permuted: Sequence[str] = ("whole",),
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
    permuted, permutations
        Those that are tested by permutations, and by how many.
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
    rows, whole = [], None
    for use in uses:
        count = permutations if use in permuted else 0
        found = decode(traces, use=use, permutations=count, level=level, **options)
        whole = found if whole is None else whole
        rows.append({"use": use} | _row(found, whole, level))
    return pd.DataFrame(rows)


def sensing_table(
    game: Game,
    *,
    hidden_size: int,
    uses: Sequence[str] = USES,
    permuted: Sequence[str] = ("whole",),
    permutations: int = 0,
    controls: Sequence[str] = tuple(CONTROLS),
    folds: int = 5,
    level: float = 0.95,
    **training: object,
) -> pd.DataFrame:
    """Train, and decode Bob's setting from Alice's losses, with controls.

    Parameters
    ----------
    game, hidden_size, training
        As `ncnet.train` takes them; with `seed`, `steps` and `learning_rate`. The seed is the
        decoder's as well.
    uses, permuted, permutations, folds, level
        See `by_use`.
    controls
        Of `CONTROLS`: "whole, small steps", where the optimizer makes hardly any fast oscillation;
        "whole, PCGrad, small steps", where besides no head's loss ever rises; "whole, separate
        trunks", where nothing can be sensed.

    Returns
    -------
    pandas.DataFrame
        The rows of `by_use`, and one for each control.

    Examples
    --------
    >>> import ncnet
    >>> table = sensing_table(
    ...     ncnet.games.overlap(), hidden_size=3, replicas=40, seed=0, steps=50, learning_rate=0.5,
    ...     uses=["whole"],
    ... )
    >>> table.auc.iloc[-1].item()
    0.5
    """
    options = {"folds": folds, "level": level, "seed": training["seed"]}
    for control in controls:
        check_choice("control", control, CONTROLS)
    shared = alice_traces(game, hidden_size, SHARED, **training)
    table = by_use(shared, uses=uses, permuted=permuted, permutations=permutations, **options)
    if not controls:
        return table
    whole = decode(shared, **options)
    rows = []
    for control in controls:
        traces = alice_traces(game, hidden_size, CONTROLS[control], **training)
        rows.append({"use": control} | _row(decode(traces, **options), whole, level))
    return pd.concat([table, pd.DataFrame(rows)], ignore_index=True)


def alice_traces(
    game: Game, hidden_size: int, intervention: str = SHARED, *, steps: int, **training: object
) -> np.ndarray:
    """Train and return Alice's losses [her 2 tasks, Bob's 2 settings, replicas, steps].

    At every step; with small steps at every so many, so that traces are equally long.

    Parameters
    ----------
    game, hidden_size, steps, training
        As `ncnet.train` takes them.
    intervention
        One of `ncnet.mechanism.interventions`.

    Examples
    --------
    >>> import ncnet
    >>> how = {"replicas": 3, "seed": 0, "steps": 20, "learning_rate": 0.5}
    >>> alice_traces(ncnet.games.overlap(), 2, **how).shape
    (2, 2, 3, 21)
    """
    every = SMALLER if intervention.endswith(SMALL_STEPS) else 1
    traced = interventions(hidden_size)[intervention].train(
        game, steps=steps, trace_steps=range(0, every * steps + 1, every), **training
    )
    dims = ("alice_setting", "bob_setting", "replica", "step")
    return traced["alice_loss"].transpose(*dims).values


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


def _row(found: Sensing, whole: Sensing, level: float) -> dict[str, float]:
    lost, (lost_low, lost_high) = found.lost_from(whole, level)
    row = dict(zip(("auc", "auc_low", "auc_high"), (found.auc, *found.interval), strict=True))
    row |= {"p_value": found.p_value}
    return row | {"lost": lost, "lost_low": lost_low, "lost_high": lost_high}


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
    given: np.ndarray, decoder: object, folds: int, permutations: int, seed: int
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
        scores = cross_val_predict(decoder, rows, settings, method="decision_function", **shared)
    first, second = scores.reshape(2, replicas)
    splits = shared["cv"].split(rows, settings, shared["groups"])
    members = [test[test < replicas] for _, test in splits]
    differences = [second[fold][:, None] - first[fold] for fold in members]
    wins = [(apart > 0) + 0.5 * (apart == 0) for apart in differences]
    null = np.empty(0)
    if permutations:
        with threadpool_limits(1):
            _, null, _ = permutation_test_score(
                decoder,
                rows,
                settings,
                scoring="roc_auc",
                n_permutations=permutations,
                random_state=seed,
                **shared,
            )
    return _Decoded(wins, null)


def _bootstrap(wins: list[np.ndarray], resamples: int, seed: int) -> np.ndarray:
    """Return the AUC of resampled replicas [resamples], each fold with as many as it has."""
    generator = np.random.default_rng(seed)
    draws = []
    for fold in wins:
        size = len(fold)
        counts = generator.multinomial(size, np.full(size, 1 / size), size=resamples).astype(float)
        draws.append(((counts @ fold) * counts).sum(axis=1) / size**2)
    return np.mean(draws, axis=0)


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


def _checked(traces: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    parts = list(traces)
    several = parts and all(np.ndim(part[0]) == 2 for part in parts if len(part))
    pairs = [_pair(pair) for pair in (parts if several else [parts])]
    shapes = [pair.shape for pair in pairs]
    if len(set(shapes)) > 1:
        raise ValueError(f"tasks have traces of shapes {shapes[0]} and {shapes[1]}: expected one")
    return np.array(pairs)


def _pair(pair: Sequence[np.ndarray]) -> np.ndarray:
    arrays = [np.asarray(trace, float) for trace in pair]
    if len(arrays) != 2 or any(array.ndim != 2 for array in arrays):
        raise ValueError(
            f"traces have shapes {[array.shape for array in arrays]}: expected two of "
            "[replicas, steps], one for each setting of the other party"
        )
    for name, axis in (("steps", 1), ("replicas", 0)):
        counts = [array.shape[axis] for array in arrays]
        if counts[0] != counts[1]:
            raise ValueError(f"traces have {counts[0]} and {counts[1]} {name}: expected the same")
    both = np.stack(arrays)
    if (both < 0).any():
        raise ValueError(f"a trace holds {both.min():g}: expected losses of at least 0")
    return both
