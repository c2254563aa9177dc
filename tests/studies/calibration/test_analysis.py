"""Simulated experiments: their models have the truth they claim, and what is counted is right."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle
from scipy import stats

from ncnet import chsh
from ncnet.chsh.betting import betting_interval
from ncnet.studies.calibration import analysis as calibration
from ncnet.studies.calibration import figures

BY_HAND = [name for name in calibration.models() if name not in calibration.TRAINED]
NULLS = ("rare and low", "narrow with a tail", "ceiling with skew")
"""Models of S = 2 whose rare replicas lie far below."""
each_model = pytest.mark.parametrize("name", BY_HAND)


@cache
def model(name):
    return calibration.models()[name]()


@cache
def study(name, replicas, simulations, seed=0):
    return calibration.study(name, replicas=replicas, simulations=simulations, seed=seed)


def row(table, kind, quantity, method):
    labels = {"kind": kind, "quantity": quantity, "method": method}
    found = table[(table[list(labels)] == pd.Series(labels)).all(axis=1)]
    assert len(found) == 1
    return found.iloc[0]


@each_model
def test_a_model_is_a_distribution_of_replicas(name):
    made = model(name)
    assert made.columns.shape == (13, made.weights.size)
    assert made.weights.min() > 0
    assert made.weights.sum() == pytest.approx(1, abs=1e-12)
    assert abs(made.columns[:4]).max() <= 1
    assert abs(made.columns[4:12]).max() <= 2
    assert made.columns[12] == pytest.approx(abs(made.columns[4:8]).sum(axis=0))


TRUTHS = [
    *[(name, "delta", 0) for name in ("local", "ceiling", "noise", "singlet", "PR box")],
    *[(name, "influence", 0) for name in ("local", "ceiling")],
    *[(name, "share_above", 0) for name in ("local", "ceiling")],
    ("ceiling", "s", 1.96),
    ("skewed", "s", 2),
    ("two modes", "s", 2),
    *[(name, quantity, value) for name in NULLS for quantity, value in (("s", 2), ("delta", 0))],
    ("narrow with a tail", "excess", 0),
    ("rare and low", "share_above", 0.99 * 0.8),
    ("ceiling with skew", "share_above", 0.05),
    ("influence", "excess", 0),
    ("boundary", "excess", 0),
    ("contextual", "excess", 0.1),
    ("PR box", "s", 4),
    ("PR box", "excess", 2),
]


@pytest.mark.parametrize(("name", "quantity", "value"), TRUTHS)
def test_models_have_the_truth_that_they_are_there_for(name, quantity, value):
    assert model(name).truth[quantity] == pytest.approx(value, abs=1e-9)


@each_model
def test_truths_keep_the_bounds_that_hold_for_all_outcomes(name):
    truth = model(name).truth
    assert truth["s"] - 2 <= truth["influence"] + 1e-9
    assert truth["delta"] <= truth["influence"] + 1e-9
    assert truth["any_facet"] >= truth["excess"] - 1e-9
    assert truth["excess"] == pytest.approx(truth["s"] - truth["delta"] - 2)
    assert truth["excess_within"] <= truth["excess"] + 1e-9


def test_models_lie_where_their_names_say():
    assert model("local").truth["s"] < 1.9
    assert not model("local").columns[4:].any()
    assert model("influence").truth["s"] > 2.2
    assert model("boundary").truth["s"] > 2.2
    # 20,000 replicas of 8 items stand for the distribution; a correlator errs by some .0025.
    assert model("singlet").truth["s"] == pytest.approx(2 * np.sqrt(2), abs=0.02)
    assert model("noise").truth["influence"] > 3.9
    s = np.array([1, 1, 1, -1]) @ model("skewed").columns[:4]
    assert sorted(s) == pytest.approx([-4, 2.25])


@pytest.mark.parametrize("name", NULLS)
def test_where_s_is_all_that_is_drawn_the_least_influence_goes_with_it(name):
    """By how much the largest facet passes 2."""
    columns = model(name).columns
    for column in columns[:, :: max(1, columns.shape[1] // 5)].T:
        facets = chsh.FACETS.values.reshape(8, 4) @ column[:4]
        assert column[8:12].sum() == pytest.approx(max(0, facets.max() - 2))


def experiments(name, replicas, simulations=300):
    """Return S of each replica of many simulated experiments."""
    made, generator = model(name), np.random.default_rng(replicas)
    s = np.array([1, 1, 1, -1]) @ made.columns[:4]
    return generator.choice(s, (simulations, replicas), p=made.weights)


@pytest.mark.slow
@pytest.mark.parametrize("replicas", [32, 200])
@pytest.mark.parametrize("name", NULLS)
def test_betting_covers_where_the_bootstrap_is_short(name, replicas):
    ends = [betting_interval(s, bounds=(-4, 4), level=0.95) for s in experiments(name, replicas)]
    assert np.mean([low <= 2 <= high for low, high in ends]) >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize(("replicas", "share"), [(32, 0.3), (200, 0.84)])
def test_the_bootstrap_misses_what_is_rare_as_often_as_the_sample_does(replicas, share):
    found = [chsh.s_interval(s, resamples=1000)[0] for s in experiments("rare and low", replicas)]
    # 300 experiments: .03 is the standard error at most.
    assert np.mean([low <= 2 <= high for low, high in found]) == pytest.approx(share, abs=0.08)


@pytest.mark.slow
def test_the_verdict_is_counted_on_either_side():
    low, high = study("local", 200, 20), study("PR box", 200, 20)
    for quantity, wrong, right in (("s", low, high), ("s_below", high, low)):
        told, untold = (row(table, "test", quantity, "verdict") for table in (right, wrong))
        assert (told["null"], told["share"]) == (False, 1)
        assert (untold["null"], untold["share"]) == (True, 0)


@pytest.mark.slow
def test_what_is_plain_to_see_is_always_seen():
    boxes, local = study("PR box", 200, 20), study("local", 200, 20)
    for quantity, method in (
        ("s", "betting"),
        ("s", "Hoeffding"),
        ("s", "t"),
        ("excess", "fixed facet"),
        ("any_facet", "times eight"),
    ):
        seen, unseen = (row(table, "test", quantity, method) for table in (boxes, local))
        assert (seen["null"], seen["share"]) == (False, 1), (quantity, method)
        assert (unseen["null"], unseen["share"]) == (True, 0), (quantity, method)
    assert row(boxes, "test", "delta", "betting, Holm")["null"]
    assert row(boxes, "interval", "s", "report")["share"] == 1
    # No resample of absolute values is 0 where marginals vary at all.
    assert row(boxes, "interval", "delta", "percentile")["share"] == 0


def test_a_study_says_what_it_counted():
    table = study("PR box", 200, 20)
    assert not table.duplicated(["kind", "quantity", "method"]).any()
    assert table[["model", "replicas", "simulations"]].drop_duplicates().values.tolist() == [
        ["PR box", 200, 20]
    ]
    assert table["share"].between(0, 1).all()
    assert (20 * table["share"] % 1 == 0).all()
    intervals = table["kind"] == "interval"
    assert (table.loc[intervals, "width"] >= 0).all()
    assert table.loc[~intervals, "width"].isna().all()
    assert table.loc[intervals, "null"].isna().all()


@pytest.mark.slow
def test_a_study_is_determined_by_its_seed():
    again = calibration.study("boundary", replicas=32, simulations=10, seed=0)
    pd.testing.assert_frame_equal(again, study("boundary", 32, 10))
    other = study("boundary", 32, 10, seed=1)
    assert (other["width"].dropna() != again["width"].dropna()).any()


@pytest.mark.slow
def test_a_run_is_its_studies():
    table = calibration.run(["skewed", "PR box"], replicas=[8, 32], simulations=4, seed=3)
    cells = table[["model", "replicas"]].drop_duplicates().values.tolist()
    assert cells == [["skewed", 8], ["skewed", 32], ["PR box", 8], ["PR box", 32]]
    alone = calibration.study("PR box", replicas=8, simulations=4, seed=3)
    here = table[(table["model"] == "PR box") & (table["replicas"] == 8)].reset_index(drop=True)
    pd.testing.assert_frame_equal(here, alone)


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"name": "bondary"}, ("model `bondary`", "did you mean `boundary`?")),
        ({"replicas": 1}, ("`replicas` is 1", "at least 2")),
        ({"simulations": 0}, ("`simulations` is 0", "at least 1")),
        ({"seed": -1}, ("`seed` is -1", "at least 0")),
    ],
)
def test_a_study_that_cannot_be_is_refused(change, parts):
    given = {"name": "local", "replicas": 32, "simulations": 1, "seed": 0} | change
    with pytest.raises(ValueError, match=parts[0]) as caught:
        calibration.study(**given)
    assert all(part in str(caught.value) for part in parts)


@pytest.mark.slow
def test_the_reports_interval_of_contextuality_covers_on_the_boundary_and_is_short():
    table = study("boundary", 200, 60)
    ours = row(table, "interval", "excess", "report")
    plain = row(table, "interval", "excess", "percentile")
    assert 60 * ours["share"] >= 52  # P(Binomial(60, .95) < 52) = .003
    assert ours["width"] < 1
    assert plain["share"] < ours["share"]


@pytest.mark.parametrize(("s", "p_value"), [(2.0, 1.0), (1.5, 1.0), (2.5, 0.0)])
def test_a_t_test_of_replicas_that_are_all_alike_goes_by_the_bound(s, p_value):
    correlators = np.array([s / 4, s / 4, s / 4, -s / 4])
    column = np.concatenate([correlators, np.zeros(9)])[:, None]
    alike = calibration.Experiment(column, np.array([32]), seed=0)
    assert alike.tests()["s", "t"] == p_value


@pytest.mark.slow
def test_a_t_test_is_misled_by_skewness_and_betting_is_not():
    table = study("skewed", 32, 100)
    t, betting = (row(table, "test", "s", method) for method in ("t", "betting"))
    assert t["null"]
    assert betting["null"]
    # All replicas lie above 2 with probability .96^32 = .27, and then t has no doubt.
    assert t["share"] > 0.1
    assert betting["share"] <= 0.05


def table_of(counts, *, kind, null=None, simulations=500):
    rows = [
        {"model": name, "replicas": replicas, "share": count / simulations}
        for (name, replicas), count in counts.items()
    ]
    method = {"interval": "report", "test": "betting"}[kind]
    labels = {"kind": kind, "quantity": "s", "method": method, "simulations": simulations}
    return pd.DataFrame(rows).assign(**labels, width=1.0, truth=2.0, null=null)


@pytest.mark.parametrize("count", [0, 1, 25, 460, 499, 500])
def test_limits_are_the_exact_binomial_ones(count):
    [found] = figures.limits(pd.DataFrame({"share": [count / 500], "simulations": 500})).values
    exact = stats.binomtest(count, 500).proportion_ci(0.99, method="exact")
    assert found == pytest.approx([exact.low, exact.high], abs=1e-9)


def test_only_what_chance_does_not_explain_is_framed():
    counts = {("one", 32): 460, ("one", 200): 462, ("two", 32): 475, ("two", 200): 0}
    intervals = table_of(counts, kind="interval")
    assert figures.undercovers(intervals).tolist() == [True, False, False, True]
    assert not figures.oversized(intervals).any()
    counts = {("one", 32): 38, ("one", 200): 40, ("two", 32): 25, ("two", 200): 0}
    true, false = (table_of(counts, kind="test", null=null) for null in (True, False))
    assert figures.oversized(true).tolist() == [False, True, False, False]
    assert not figures.oversized(false).any()
    assert not figures.undercovers(pd.concat([true, false])).any()


def drawn(figure):
    """Return the texts in the cells of a figure, and those of them that are framed."""
    texts, framed = [], []
    for axes in figure.axes:
        texts += [text.get_text() for text in axes.texts]
        frames = [part for part in axes.patches if isinstance(part, Rectangle)]
        bold = [text for text in axes.texts if text.get_fontweight() == "bold"]
        assert len(frames) == len(bold)
        for frame, text in zip(frames, bold, strict=True):
            assert frame.get_bbox().contains(*text.get_position())
            framed.append(text.get_text())
    return texts, framed


def test_figures_write_each_share_and_frame_what_is_off():
    counts = {("one", 32): 450, ("one", 200): 475, ("two", 32): 500}
    intervals = table_of(counts, kind="interval")
    counts = {("one", 32): 100, ("one", 200): 5}
    true = table_of(counts, kind="test", null=True)
    false = table_of({("two", 32): 400}, kind="test", null=False)
    table = pd.concat([intervals, true, false], ignore_index=True)
    [axes] = [axes for axes in figures.coverage(table).axes if axes.texts]
    rows = [label.get_text() for label in axes.get_yticklabels()]
    columns = [label.get_text() for label in axes.get_xticklabels()]
    assert {
        (rows[int(text.get_position()[1])], columns[int(text.get_position()[0])]): text.get_text()
        for text in axes.texts
    } == {("one", "32"): "90", ("one", "200"): "95", ("two", "32"): "100", ("two", "200"): "·"}
    # A combination that is not there is a dot.
    assert drawn(figures.coverage(table)) == (["90", "95", "100", "·"], ["90"])
    assert drawn(figures.rejections(table)) == (["20", "1", "80", "·"], ["20"])


def test_the_lowest_coverage_is_that_over_models_and_replicas():
    counts = {("one", 32): 490, ("one", 200): 475, ("two", 32): 100, ("two", 200): 470}
    [axes] = figures.lowest_coverage(table_of(counts, kind="interval")).axes
    shown = {line.get_label(): list(line.get_xdata()) for line in axes.lines}
    assert shown["lowest of all, credibly below the claim"] == [20]
    assert shown["lowest of all, in keeping with the claim"] == []
    assert shown["lowest at 200 replicas"] == [94]
    assert "two, 32 replicas" in [text.get_text() for text in axes.texts]


def test_figures_draw_a_study():
    table = pd.concat([study("PR box", 200, 20), study("local", 200, 20)], ignore_index=True)
    for figure, kind in (
        (figures.coverage(table), "interval"),
        (figures.rejections(table), "test"),
    ):
        figure.canvas.draw()
        texts = [text for text in drawn(figure)[0] if text != "·"]
        assert len(texts) == (table["kind"] == kind).sum()
