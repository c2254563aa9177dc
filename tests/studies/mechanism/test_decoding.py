"""Decoding a setting from loss traces: on traces of which it is known what tells it."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.interpolate import interp1d
from scipy.stats import norm, rankdata
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline

import ncnet
from ncnet.claims import simultaneous_level
from ncnet.studies.mechanism import decoding, sensing
from tests.refusals import refused

GAME = ncnet.games.overlap()
REPLICAS, STEPS = 120, 200
BASE = 10.0 ** -np.linspace(0, 2, STEPS)


def noisy(seed, replicas=REPLICAS):
    """Traces that fall in much the same way, each at a level and a rate of its own, with bends."""
    drawn = np.random.default_rng(seed).standard_normal((5, replicas, 1))
    times = np.linspace(0, 1, STEPS)
    bends = sum(0.05 * drawn[k] * np.sin(k * np.pi * times + drawn[k]) for k in (2, 3, 4))
    return BASE ** (1 + 0.2 * drawn[1]) * 10.0 ** (0.3 * drawn[0] + bends)


def zigzag(amount):
    """A factor that goes up and down with every step, and sets in and ends gently."""
    return 10.0 ** (amount * (-1.0) ** np.arange(STEPS) * np.sin(np.linspace(0, np.pi, STEPS)) ** 2)


@pytest.mark.slow
def test_traces_that_are_alike_are_guessed_at():
    same = noisy(0)
    found = decoding.decode([same, same])
    assert found.auc == 0.5
    assert found.interval == (0.5, 0.5)
    other = decoding.decode([same, noisy(1)], permutations=39, folds=2)
    assert other.interval[0] < 0.5 < other.interval[1]
    assert other.p_value > 0.05
    assert other.null.mean() == pytest.approx(0.5, abs=0.03)


def test_a_level_is_found_in_the_level_and_not_in_oscillations():
    pair = [noisy(0), 5 * noisy(1)]
    assert decoding.decode(pair, use="level").auc > 0.85
    for reading in ("fast", "rises"):
        assert decoding.decode(pair, use=f"oscillation ({reading})").auc < 0.65
        assert decoding.decode(pair, use=f"without oscillation ({reading})").auc > 0.85


@pytest.mark.slow
def test_an_oscillation_is_found_in_the_oscillation_and_gone_without_it():
    pair = [noisy(0), noisy(1) * zigzag(0.05)]
    whole = decoding.decode(pair, permutations=19)
    assert whole.auc > 0.95
    assert whole.p_value == 1 / 20
    assert decoding.decode(pair, use="oscillation (fast)").auc > 0.95
    without = decoding.decode(pair, use="without oscillation (fast)")
    assert without.auc < 0.65
    lost = without.lost_from(whole)
    assert lost.value == pytest.approx(whole.auc - without.auc)
    assert lost.beyond(0.05)
    assert not lost.beyond(0.6)


def test_a_slow_hump_is_a_rise_and_not_fast():
    hump = 10.0 ** (0.5 * np.exp(-(((np.arange(STEPS) - 120) / 25) ** 2)))
    pair = [noisy(0), noisy(1) * hump]
    assert decoding.decode(pair, use="oscillation (rises)").auc > 0.95


def test_the_auc_is_scikit_learns_mean_over_folds_of_whole_replicas():
    pair = np.array([noisy(0), 1.3 * noisy(1)])
    found = decoding.decode(pair, folds=4, seed=5)
    drawn = int(np.random.SeedSequence(5).generate_state(1)[0])
    decoder = make_pipeline(
        Nystroem(n_components=128, random_state=drawn), LogisticRegression(max_iter=1000)
    )
    features = decoding.trace_features(pair, "whole")
    expected = []
    for learnt, held_out in KFold(4, shuffle=True, random_state=0).split(np.arange(REPLICAS)):
        known, new = (np.concatenate(features[:, which]) for which in (learnt, held_out))
        shares = (rankdata(known, axis=0) - 0.5) / len(known)
        between = [interp1d(*columns) for columns in zip(known.T, shares.T, strict=True)]
        ends = zip(known.min(axis=0), known.max(axis=0), strict=True)
        columns = zip(between, new.T, ends, strict=True)
        scored = norm.ppf(np.array([ranks(one.clip(*most)) for ranks, one, most in columns]).T)
        rows = norm.ppf(shares)
        decoder.fit(rows, np.repeat([0, 1], len(learnt)))
        scores = decoder.decision_function(scored)
        expected.append(roc_auc_score(np.repeat([0, 1], len(held_out)), scores))
    assert found.auc == pytest.approx(np.mean(expected), abs=1e-9)


def test_what_a_held_out_replica_scores_does_not_depend_on_the_others_there():
    """Else they would not be independent, and no interval over pairs of them exact."""
    task = np.random.default_rng(0).standard_normal((2, 30, 4))
    learnt, other = np.arange(20), task.copy()
    other[:, 25:] *= 9
    one, changed = (decoding._normal_scores(features, learnt) for features in (task, other))
    np.testing.assert_array_equal(one[:, :25], changed[:, :25])
    expected = norm.ppf((rankdata(task[:, :20, 0]) - 0.5) / 40)
    np.testing.assert_allclose(one[:, :20, 0].ravel(), expected)


class AsTheyAre(ClassifierMixin, BaseEstimator):
    """A decoder that learns nothing: its score is the first feature."""

    def fit(self, rows, settings):
        self.classes_ = np.unique(settings)
        return self

    def decision_function(self, rows):
        return rows[:, 0]

    def predict(self, rows):
        return rows[:, 0] > 0


@pytest.mark.slow
def test_the_interval_covers_the_auc_of_a_given_decoder():
    """Levels of two normal distributions half a standard deviation apart, paired by half."""
    truth, inside, experiments = norm.cdf(0.5 / np.sqrt(2)), 0, 200
    for seed in range(experiments):
        drawn = np.random.default_rng(seed).standard_normal((3, 60, 1))
        levels = [(drawn[0] + drawn[k]) / np.sqrt(2) + 0.5 * (k - 1) for k in (1, 2)]
        pair = [np.broadcast_to(10.0**level, (60, 20)) for level in levels]
        found = decoding.decode(pair, use="level", decoder=AsTheyAre(), seed=seed)
        inside += found.interval[0] <= truth <= found.interval[1]
    # Below .90 or above .985 it would be elsewhere in 1 of 100 experiments on experiments.
    assert 0.9 <= inside / experiments <= 0.985


def test_where_every_pair_is_told_the_interval_has_a_width():
    found = decoding.decode([noisy(0), 1e3 * noisy(1)], use="level")
    assert found.auc == 1
    assert found.interval == pytest.approx((0.025 ** (1 / REPLICAS), 1))


@pytest.mark.slow
def test_permutations_exchange_all_tasks_of_a_replica_at_once():
    """Two tasks that are the same say no more than one."""
    pair = [noisy(0), noisy(1)]
    one, two = (decoding.decode(traces, permutations=9, folds=2) for traces in (pair, [pair, pair]))
    np.testing.assert_allclose(one.null, two.null)
    assert one.p_value == two.p_value


def test_the_p_value_counts_the_order_that_was_observed_among_the_permuted_ones():
    found = decoding.decode([noisy(0, 20), noisy(1, 20)], use="level", permutations=4, folds=2)
    assert found.p_value == (1 + (found.null >= found.auc).sum()) / 5


def test_classifiers_without_scores_give_probabilities():
    pair = [noisy(0), 5 * noisy(1)]
    forest = RandomForestClassifier(n_estimators=20, random_state=0)
    assert decoding.decode(pair, use="level", decoder=forest).auc > 0.8


@pytest.mark.parametrize("seed", [2**32 - 1, 2**40])
def test_any_seed_of_the_training_is_one_of_the_decoder(seed):
    assert decoding.decode([noisy(0), noisy(1)], seed=seed, permutations=1).seed == seed


def test_tasks_are_decoded_one_by_one_and_averaged():
    easy, silent = [noisy(0), 9 * noisy(1)], [noisy(2), noisy(2)]
    both = decoding.decode([easy, silent])
    assert both.auc == pytest.approx((decoding.decode(easy).auc + 0.5) / 2)


@pytest.mark.slow
def test_separate_trunks_tell_nothing_and_a_shared_one_does():
    table = sensing.sensing(
        ncnet.games.overlap(), 3, replicas=64, seed=0, steps=100,
        among=["whole", "level", *sensing.CONTROLS], permutations=4,
    )  # fmt: skip
    rows = table.set_index("use")
    assert list(rows.index) == ["whole", "level", *sensing.CONTROLS]
    assert rows.loc["whole, separate trunks", "auc"] == 0.5
    assert rows.loc["whole", "auc_low"] > 0.5
    assert rows.loc["whole", "lost"] == 0
    assert rows.loc["whole", "p_value"] == 0.2
    assert np.isnan(rows.loc["level", "p_value"])
    assert rows.loc["whole, separate trunks", "lost"] == pytest.approx(
        rows.loc["whole", "auc"] - 0.5
    )


def test_losses_that_diverge_or_vanish_are_large_or_small():
    broken = noisy(1)
    broken[:30, 50:] = np.nan
    broken[30:60, 50:] = np.inf
    broken[60:, 50:] = 0
    assert decoding.decode([noisy(0), broken]).auc > 0.95


def test_an_oscillation_without_a_seed_to_resample_by_is_refused():
    asked = {"among": ["shared"], "folds": 2, "replicas": 2, "steps": 20}
    refused(lambda: sensing.oscillation(GAME, 2, seed=-1, **asked), ("`seed`", "-1", "at least 0"))


def test_measures_of_oscillation():
    falling, wave = BASE, BASE * zigzag(0.05)
    assert decoding.rising_share(falling) == 0
    assert 0.35 < decoding.rising_share(wave) < 0.5
    assert decoding.oscillation_energy(falling, "rises") == 0
    assert decoding.oscillation_energy(falling, "fast") < 1e-12
    assert decoding.oscillation_energy(wave, "fast") == pytest.approx(0.05**2 * 3 / 8, rel=0.02)
    # Rounding in single precision is no rise.
    assert decoding.rising_share(np.array([0.5, 0.5 + 1e-7, 0.5])) == 0


SAME = noisy(0, 30)
BOTH = [SAME, SAME]
NO_NUMBERS = ("no array of numbers", "losses [2, replicas, steps]")


@pytest.mark.parametrize(
    ("traces", "parts"),
    [
        ([SAME, SAME[:, 1:]], NO_NUMBERS),
        ([SAME, SAME[1:]], NO_NUMBERS),
        (["a", "b"], NO_NUMBERS),
        ([BOTH, [SAME[1:], SAME[1:]]], NO_NUMBERS),
        (xr.Dataset({"loss": 1}), ("a Dataset", "losses [2, replicas, steps]")),
        ({1: SAME, 2: SAME}, NO_NUMBERS),
        ([SAME], ("(1, 1, 30, 200)", "losses [2, replicas, steps]")),
        (SAME, ("(30, 200)", "losses [2, replicas, steps]")),
        (None, ("()", "losses [2, replicas, steps]")),
        ([], ("(0,)", "losses [2, replicas, steps]")),
        ([SAME[0], SAME[0]], ("(2, 200)", "losses [2, replicas, steps]")),
        (xr.DataArray(BOTH), ("a DataArray", "losses [2, replicas, steps]")),
        ([SAME, -SAME], ("a trace holds -", "at least 0")),
        ([SAME[:, :9]] * 2, ("9 steps", "at least 20")),
    ],
)
def test_traces_that_cannot_be_decoded_are_refused(traces, parts):
    refused(lambda: decoding.decode(traces), parts)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"folds": 9}, ("30 replicas", "9 folds", "at least 45")),
        ({"folds": 1}, ("`folds`", "1", "at least 2")),
        ({"use": "levels"}, ("use `levels`", "`level`")),
        ({"level": 95}, ("`level`", "95", "between 0 and 1")),
        ({"seed": -1}, ("`seed`", "-1", "at least 0")),
        ({"decoder": "svc"}, ("`decoder`", "'svc'", "a scikit-learn classifier")),
    ],
)
def test_decodings_that_cannot_be_made_are_refused(options, parts):
    refused(lambda: decoding.decode(BOTH, **options), parts)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"uses": "whole"}, ("`uses`", "'whole'", "a list of parts of the trace")),
        ({"uses": ["whole", "levels"]}, ("use `levels`", "`level`")),
        ({"permuted": ["whle"]}, ("use `whle`", "`whole`")),
        (
            {"others": {"fewer": [SAME[:20]] * 2}, "folds": 2},
            ("[10, 10] and [15, 15] replicas", "the same"),
        ),
    ],
)
def test_uses_of_a_trace_that_there_are_not_are_refused(options, parts):
    refused(lambda: decoding.decode_by_use(BOTH, **{"uses": ["whole"]} | options), parts)


def test_the_whole_trace_has_a_row_in_any_case_and_the_first():
    options = {"permuted": ["level"], "permutations": 1, "folds": 2}
    table = decoding.decode_by_use(BOTH, uses=["slope", "level"], **options)
    assert table["use"].tolist() == ["whole", "slope", "level"]
    assert table["p_value"].isna().tolist() == [True, True, False]
    assert table["lost"].iloc[0] == 0


SENSED = {"replicas": 30, "seed": 0, "steps": 20}


def test_what_both_readings_are_asked_holds_together(monkeypatch):
    asked = {}

    def decode_by_use(traces, **options):
        asked.update(options)
        return pd.DataFrame({"use": ["whole"]})

    monkeypatch.setattr(decoding, "decode_by_use", decode_by_use)
    among = [*decoding.USES, "whole, separate trunks"]
    table = sensing.sensing(GAME, 2, among=among, **SENSED)
    assert asked["level"] == simultaneous_level(2)
    assert asked["uses"] == list(decoding.USES)
    assert asked["permuted"] == ["whole", "oscillation (fast)", "oscillation (rises)"]
    [[name, traces]] = asked["others"].items()
    assert name == "whole, separate trunks"
    np.testing.assert_array_equal(traces[:, 0], traces[:, 1])
    assert table[["game", "hidden_size"]].values.tolist() == [["overlap", 2]]


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        (lambda: decoding.trace_features(SAME, "oscilation (fast)"), ("use `oscil", "`oscill")),
        (
            lambda: decoding.decode(BOTH).lost_from(decoding.decode(BOTH, folds=2)),
            ("[6, 6, 6, 6, 6] and [15, 15] replicas", "the same"),
        ),
        (lambda: sensing.alice_traces(GAME, 3, "pcgrad", **SENSED), ("`pcgrad`", "`PCGrad`")),
        (
            lambda: sensing.sensing(GAME, 3, among=["small steps"], **SENSED),
            ("use `small steps`", "`whole, small steps`"),
        ),
        (lambda: sensing.sensing(GAME, 3, among="level", **SENSED), ("`among`", "'level'", "rows")),
        (lambda: decoding.loss_trend(BASE, "slow"), ("reading `slow`", "`fast`", "`rises`")),
        (lambda: decoding.loss_trend(BASE[:5], "fast"), ("5 steps", "at least 20")),
    ],
)
def test_what_there_is_not_is_refused(call, parts):
    refused(call, parts)
