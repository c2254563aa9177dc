"""Decodes from loss traces of one head what the other head is trained on.

A decoder is given loss traces of one head, each replica once with the other head's setting 1 and
once with 2, and is asked which is which, on replicas that it has not seen. An AUC of 0.5 is
guessing: half of all pairs of traces are put in the right order.

The paper says that a head senses the other's task through oscillations of its own loss, and, as far
as we can read it, not what counts as one. Both readings split the logarithm of the loss in two:

- *fast*: the trend is what passes a low-pass filter (Butterworth's, of fourth order, forwards and
  backwards, so that nothing is shifted); the rest is what repeats within ten steps or fewer.
- *rises*: the trend is the lowest loss so far, which never rises; the rest is how far the loss
  stands above it, at whatever pace it got there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ncnet.checks import check, check_choice, check_integer, check_list
from ncnet.chsh.bootstrap import percentile_interval
from ncnet.chsh.intervals import Interval, check_resampling, share_interval, with_ends
from ncnet.estimates import Estimate, columns_of
from ncnet.studies.mechanism.auc import lost_auc, wins
from ncnet.studies.mechanism.claims import OSCILLATIONS
from ncnet.studies.mechanism.parameters import FEWEST_A_FOLD, FEWEST_STEPS

PERIOD = 10  # steps within which the fast reading's oscillation repeats
ROUNDING = 1e-6  # single precision may let a loss rise by so much, relative to it
SMALLEST, LARGEST = 1e-12, 1e12  # losses whose logarithm is followed; not finite counts as large
WINDOWS = 12  # stretches of a trace, each longer than the one before, that features average over
COMPONENTS = 128  # of the kernel: nonlinear, and fast enough to be trained thousands of times
SMALLEST_OSCILLATION = 1e-7  # decades; single precision may make so much by itself
RESAMPLES = 2000
WHOLE = "whole"
PARTS = ("level", "slope", *(f"oscillation ({reading})" for reading in OSCILLATIONS))
"""The parts that make up a whole trace, for the decoder."""
USES = (WHOLE, *PARTS, *(f"without oscillation ({reading})" for reading in OSCILLATIONS))
"""The uses of a trace: all that a decoder may be given of it."""

Traces = np.ndarray | Sequence[np.ndarray]


@dataclass(frozen=True, eq=False)
class Decoding:
    """A decoding of one party's setting from the other's loss, which says how well it is told.

    Attributes
    ----------
    auc, interval
        The area under the receiver operating characteristic, averaged over folds and over the tasks
        of the head that senses, and its interval over replicas, given the trained decoders.
    p_value
        The p-value of "the trace says nothing of the other's setting", by permutations; NaN without
        any.
    null
        The AUC under each permutation [permutations].
    wins
        Which replicas score above which in each fold, see `ncnet.studies.mechanism.auc.wins`.
    seed
        The seed that all was drawn with.
    """

    auc: float
    interval: Interval
    p_value: float
    null: np.ndarray
    wins: list[np.ndarray]
    seed: int

    def lost_from(self, other: "Decoding", level: float = 0.95) -> Estimate:
        """Return how much less AUC this decoding has than another one, with its exact interval.

        It holds for the decoders that were trained, see `ncnet.studies.mechanism.auc.lost_auc`.

        Raises
        ------
        ValueError
            Unless both have the same number of replicas and of folds.
        """
        if other is self:
            return Estimate(0.0, 0.0, 0.0)
        ours, others = (list(map(len, one.wins)) for one in (self, other))
        check(ours == others, f"folds have {ours} and {others} replicas", "the same")
        return lost_auc(self.wins, other.wins, level=level, seed=self.seed)


def decode(
    traces: Traces,
    *,
    use: str = WHOLE,
    folds: int = 5,
    permutations: int = 0,
    decoder: object | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Decoding:
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
    folds
        The number of folds of the cross-validation; each has at least `FEWEST_A_FOLD` replicas.
        The more, the longer the intervals of what is lost, see `ncnet.studies.mechanism.auc`.
    permutations
        The number of trainings on permuted settings.
    decoder
        A scikit-learn classifier that gives scores or probabilities; by default a kernel (radial
        basis functions, by Nyström's method) and logistic regression. It gets features whose
        distribution over the traces that it learns from was made normal, by ranks.
    level
        Nominal coverage of the interval. Where every resample has the same AUC, the interval is
        that of a share of as many replicas, unless all traces are alike.
    seed
        Seeds kernel, permutations and resamples; the folds are always the same.

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
    level, _, seed = check_resampling(level, RESAMPLES, seed)
    folds = check_integer("folds", folds, at_least=2)
    permutations = check_integer("permutations", permutations, at_least=0)
    pairs = _checked(traces)
    replicas, steps = pairs.shape[2:]
    fewest = FEWEST_A_FOLD * folds
    check(replicas >= fewest, f"{replicas} replicas for {folds} folds", f"at least {fewest}")
    check(steps >= FEWEST_STEPS, f"traces have {steps} steps", f"at least {FEWEST_STEPS}")
    features = [trace_features(pair, use) for pair in pairs]
    by_fold, null = _cross_validated(features, decoder, folds, permutations, seed)
    auc = _auc(by_fold)
    p_value = (1 + np.sum(null >= auc)) / (1 + permutations) if permutations else np.nan
    draws = _bootstrap(by_fold, seed)
    ends = percentile_interval(draws, level, replicas)
    if np.ptp(draws) == 0 and auc in (0.0, 1.0):
        ends = share_interval(round(auc) * replicas, replicas, level)
    return Decoding(auc, tuple(map(float, ends)), float(p_value), null, by_fold, seed)


def decode_by_use(
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
        Parts of the trace, of `USES`. The whole trace has a row in any case, the first.
    others
        Further traces of the same replicas, by the name of their row; each is read as a whole.
    permuted, permutations
        Which of `uses` are tested by permutations, and by how many.
    level
        Nominal coverage of each interval.

    Returns
    -------
    pandas.DataFrame
        ``use``; ``auc``, ``auc_low``, ``auc_high``, ``p_value``; ``lost``, ``lost_low``,
        ``lost_high``, by how much it falls short of the whole trace, see `Decoding.lost_from`.

    Raises
    ------
    ValueError
        For no use or an unknown one, or what `decode` refuses.

    Examples
    --------
    >>> losses = np.random.default_rng(0).random((2, 40, 30))
    >>> decode_by_use(losses, uses=["level"]).use.tolist()
    ['whole', 'level']
    """
    for use in (*check_list("uses", uses, "a list of parts of the trace"), *permuted):
        check_choice("use", use, USES)
    read = {use: (traces, use) for use in (WHOLE, *uses)}
    read |= {name: (other, WHOLE) for name, other in (others or {}).items()}
    rows, whole = [], None
    for name, (given, use) in read.items():
        count = permutations if name in permuted else 0
        found = decode(given, use=use, permutations=count, level=level, **options)
        whole = whole or found
        row = {"use": name} | with_ends("auc", found.auc, found.interval)
        lost = columns_of("lost", found.lost_from(whole, level))
        rows.append(row | {"p_value": found.p_value} | lost)
    return pd.DataFrame(rows)


def trace_features(losses: np.ndarray, use: str) -> np.ndarray:
    """Return what the decoder is given of loss traces.

    Parameters
    ----------
    losses
        [..., steps]
    use
        One of `USES`. "level" and "slope" are means of the logarithm of the loss, and of its
        change from step to step, over up to `WINDOWS` stretches, each longer than the last;
        "oscillation" is the root mean square of what `loss_trend` leaves there, as a logarithm;
        "without oscillation" is level and slope of the trend; "whole" is level, slope and both
        oscillations.

    Returns
    -------
    numpy.ndarray
        [..., features]

    Examples
    --------
    >>> trace_features(np.ones((3, 2000)), "level").shape
    (3, 12)
    """
    check_choice("use", use, USES)
    if use == WHOLE:
        return np.concatenate([trace_features(losses, part) for part in PARTS], axis=-1)
    logarithm = log10_loss(losses)
    what, _, reading = use.removesuffix(")").partition(" (")
    smooth = loss_trend(logarithm, reading) if reading else logarithm
    if what == "oscillation":
        square = _averages((logarithm - smooth) ** 2)
        return np.log10(np.sqrt(square).clip(SMALLEST_OSCILLATION))
    level, slope = _averages(smooth), _averages(np.diff(smooth))
    return {"level": level, "slope": slope}.get(what, np.concatenate([level, slope], axis=-1))


def log10_loss(loss: np.ndarray) -> np.ndarray:
    """Return the decimal logarithm of losses, kept between those of `SMALLEST` and `LARGEST`.

    >>> log10_loss(np.array([0.1, 0.0, np.nan])).tolist()
    [-1.0, -12.0, 12.0]
    """
    return np.log10(np.nan_to_num(np.asarray(loss, float), nan=LARGEST).clip(SMALLEST, LARGEST))


def rising_share(loss: np.ndarray) -> np.ndarray:
    """Return the share of steps at which a head's own loss rises.

    Parameters
    ----------
    loss
        [..., steps]

    Returns
    -------
    numpy.ndarray
        [...]; a rise by less than `ROUNDING` of the loss is none.

    Examples
    --------
    >>> rising_share(np.array([1.0, 0.5, 0.6, 0.4, 0.4])).item()
    0.25
    """
    return (np.diff(log10_loss(loss)) > np.log10(1 + ROUNDING)).mean(axis=-1)


def loss_trend(logarithm: np.ndarray, reading: str) -> np.ndarray:
    """Return the trend of logarithms of losses [..., steps], in one of two readings.

    Parameters
    ----------
    logarithm
        As `log10_loss` gives it, at every step of training.
    reading
        "fast" or "rises".

    Raises
    ------
    ValueError
        For an unknown reading, or for fewer than `FEWEST_STEPS` steps in the fast one.

    Examples
    --------
    >>> loss_trend(np.array([0.0, -1.0, -0.5, -2.0]), "rises").tolist()
    [0.0, -1.0, -1.0, -2.0]
    """
    check_choice("reading", reading, OSCILLATIONS)
    logarithm = np.asarray(logarithm, float)
    if reading == "rises":
        return np.minimum.accumulate(logarithm, axis=-1)
    steps = logarithm.shape[-1]
    check(steps >= FEWEST_STEPS, f"the trace has {steps} steps", f"at least {FEWEST_STEPS}")
    # Imported where it is used: it takes half a second.
    from scipy.signal import butter, sosfiltfilt

    low_pass = butter(4, 1 / PERIOD, fs=1, output="sos")
    # The trace is continued beyond its ends for so long that the filter has swung in.
    return sosfiltfilt(low_pass, logarithm, axis=-1, padlen=min(10 * PERIOD, steps - 1))


def oscillation_energy(loss: np.ndarray, reading: str) -> np.ndarray:
    """Return the mean square of what `loss_trend` leaves of a loss [..., steps], in decades^2.

    Examples
    --------
    A loss that only falls has no oscillation in the second reading:

    >>> oscillation_energy(10.0 ** -np.arange(20), "rises").item()
    0.0
    """
    logarithm = log10_loss(loss)
    return ((logarithm - loss_trend(logarithm, reading)) ** 2).mean(axis=-1)


def _averages(values: np.ndarray) -> np.ndarray:
    """Return means over stretches of a trace [..., steps], which grow geometrically."""
    ends = np.geomspace(1, values.shape[-1], WINDOWS + 1).round().astype(int)
    starts = np.unique(ends[:-1] - 1)
    lengths = np.diff([*starts, values.shape[-1]])
    return np.add.reduceat(values, starts, axis=-1) / lengths


def _cross_validated(
    tasks: Sequence[np.ndarray], decoder: object | None, folds: int, permutations: int, seed: int
) -> tuple[list[np.ndarray], np.ndarray]:
    """Decode tasks by their features [2, replicas, features].

    Return `wins` in each fold, and the AUC under each permutation.
    """
    # Imported where it is used: it takes a second.
    from sklearn.model_selection import KFold
    from threadpoolctl import threadpool_limits

    # Every task and use has the same folds: their replicas are compared.
    replicas = np.arange(tasks[0].shape[1])
    splits = list(KFold(folds, shuffle=True, random_state=0).split(replicas))
    seed = int(np.random.SeedSequence(seed).generate_state(1)[0])
    if decoder is None:
        decoder = _decoder(seed, fewest_rows=2 * min(len(learnt) for learnt, _ in splits))
    method = "decision_function" if hasattr(decoder, "decision_function") else "predict_proba"
    expected = "a scikit-learn classifier with a decision_function or predict_proba"
    check(hasattr(decoder, method), f"`decoder` is {decoder!r}", expected)
    generator = np.random.default_rng(seed)
    exchanged = generator.integers(2, size=(permutations, len(replicas)), dtype=bool)
    # Matrices this small are slower on several threads, three times so on two.
    with threadpool_limits(1):
        given = [[_normal_scores(task, learnt) for learnt, _ in splits] for task in tasks]
        found = [
            _wins_by_fold(given, splits, decoder, method, which)
            for which in (np.zeros(len(replicas), bool), *exchanged)
        ]
    return found[0], np.array([_auc(one) for one in found[1:]])


def _normal_scores(features: np.ndarray, learnt: np.ndarray) -> np.ndarray:
    """Return features [2, replicas, features], normally distributed over the replicas learnt from.

    Each keeps its order. Of the other replicas nothing goes into how it is done: else what they
    score would depend on one another.
    """
    # Imported where it is used: it takes a quarter of a second.
    from scipy.special import ndtri

    ranked = np.empty_like(features)
    for index in range(features.shape[-1]):
        values, counts = np.unique(features[:, learnt, index], return_counts=True)
        below = (np.cumsum(counts) - counts / 2) / counts.sum()
        ranked[..., index] = np.interp(features[..., index], values, below)
    return ndtri(ranked)


def _wins_by_fold(
    given: Sequence[Sequence[np.ndarray]],
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
    decoder: object,
    method: str,
    exchanged: np.ndarray,
) -> list[np.ndarray]:
    """Return `wins` in each fold, of decoders trained with settings exchanged in some replicas."""
    from sklearn.base import clone

    settings = np.stack([exchanged, ~exchanged]).astype(int)
    found = []
    for fold, (learnt, held_out) in enumerate(splits):
        scores = []
        for task in given:
            rows, width = task[fold], task[fold].shape[-1]
            trained = clone(decoder).fit(
                rows[:, learnt].reshape(-1, width), settings[:, learnt].ravel()
            )
            score = getattr(trained, method)(rows[:, held_out].reshape(-1, width))
            scores.append(score.reshape(2 * len(held_out), -1)[:, -1].reshape(2, -1))
        first, second = np.array(scores).swapaxes(0, 1)
        which = exchanged[held_out]
        found.append(wins(np.where(which, second, first), np.where(which, first, second)))
    return found


def _decoder(seed: int, fewest_rows: int) -> object:
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    kernel = Nystroem(n_components=min(COMPONENTS, fewest_rows), random_state=seed)
    return make_pipeline(kernel, LogisticRegression(max_iter=1000))


def _auc(by_fold: list[np.ndarray]) -> float:
    return float(np.mean([fold.mean() for fold in by_fold]))


def _bootstrap(by_fold: list[np.ndarray], seed: int) -> np.ndarray:
    """Return the AUC of resampled replicas [resamples], each fold with as many as it has.

    A replica that is drawn several times is not set against its own copies.
    """
    generator = np.random.default_rng(seed)
    draws = []
    for fold in by_fold:
        size = len(fold)
        counts = generator.multinomial(size, np.full(size, 1 / size), size=RESAMPLES).astype(float)
        copies = counts**2 - counts
        won = ((counts @ fold) * counts).sum(axis=1) - copies @ np.diag(fold)
        draws.append(won / (size**2 - copies.sum(axis=1)))
    return np.mean(draws, axis=0)


def _checked(traces: Traces) -> np.ndarray:
    """Return traces as [tasks, 2, replicas, steps]."""
    expected = "losses [2, replicas, steps], by the other's setting, or [tasks, 2, replicas, steps]"
    # Dimensions by name do not say which of their settings is the other party's.
    check(not hasattr(traces, "dims"), f"traces are a {type(traces).__name__}", expected)
    try:
        pairs = np.asarray(traces, float)
    except (TypeError, ValueError):
        raise ValueError(f"traces are no array of numbers: expected {expected}") from None
    pairs = pairs[None] if pairs.ndim == 3 else pairs
    fits = pairs.ndim == 4 and pairs.shape[1] == 2 and pairs.size
    check(fits, f"traces have shape {pairs.shape}", expected)
    check(not (pairs < 0).any(), f"a trace holds {np.nanmin(pairs):g}", "losses of at least 0")
    return pairs
