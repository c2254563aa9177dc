"""Old names find what has another name today, and warn."""

from dataclasses import fields
from functools import partial
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest

import ncnet
from ncnet import chsh, games, renamed

ONES = np.ones((2, 2, 5, 8))


def test_what_was_renamed_is_found_by_its_old_name_which_warns():
    with pytest.warns(FutureWarning, match="`summary`"):
        assert chsh.brief is chsh.summary
    report = chsh.report((ONES, ONES))
    with pytest.warns(FutureWarning, match="`excess_interval`"):
        assert report.contextuality_interval == report.excess_interval
    with pytest.raises(AttributeError, match="no attribute 'brie'"):
        chsh.brie  # noqa: B018


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("ncnet.chsh", "contextuality", "excess"),
        ("ncnet.chsh", "contextuality_bound", "excess_bound"),
        ("ncnet.chsh", "departures", "identity_errors"),
        ("ncnet.chsh", "RUN_LENGTH", "REPLICAS_PER_RUN"),
        ("ncnet.chsh", "Shown", "ReportView"),
        ("ncnet.claims", "at", "rows_where"),
        ("ncnet.claims", "in_order", "by_capacity"),
        ("ncnet.figures", "three_ways", "influence_and_signalling"),
        ("ncnet.parameters", "at_home", "expand_home"),
        ("ncnet.parameters", "Trained", "TrainingNotebook"),
        ("ncnet.parameters", "Training", "GameNotebook"),
        ("ncnet.replay", "given", "parameters_of"),
        ("ncnet.sources", "described", "as_metadata"),
        ("ncnet.sources", "commit", "short_commit"),
        ("ncnet.studies.mechanism.conflict", "log_steps", "steps_to_trace"),
        ("ncnet.sweeps", "run_grid", "compute_grid"),
        ("ncnet.probe", "running", "outcomes_by_step"),
        ("ncnet.companion.figures", "cells", "jobs"),
        ("ncnet.companion.figures", "noticed", "faults_noticed"),
        ("ncnet.companion.replay", "run", "replay_pieces"),
        ("ncnet.companion.replay", "Piece", "PieceResult"),
        ("ncnet.companion.replay", "Costs", "ExpectedTimes"),
    ],
)
def test_each_old_name_is_that_of_today(module, old, new):
    if module not in ("ncnet.chsh", "ncnet.claims"):
        for package in ("torch", "matplotlib", "pydantic"):
            pytest.importorskip(package)
    with pytest.warns(FutureWarning, match=f"`{new}`"):
        assert getattr(import_module(module), old) is getattr(import_module(module), new)


@pytest.mark.parametrize("kind", [chsh.Report, chsh.BellTest])
def test_every_attribute_of_the_excess_has_its_old_name_too(kind):
    names = [field.name for field in fields(kind)]
    names = [name for name in names if "excess" in name and name != "arcsine_excess"]
    assert len(names) > 1
    for name in names:
        old = getattr(kind, name.replace("excess", "contextuality"))
        with pytest.warns(FutureWarning, match=f"`{name}`"):
            assert old.fget(SimpleNamespace(**{name: 1.5})) == 1.5


def test_an_old_argument_of_the_statistics_is_that_of_today():
    outcomes = ONES, ONES
    with pytest.warns(FutureWarning, match="`replicas_per_run`"):
        found = chsh.s_per_run(outcomes, run_length=5)
    assert found.equals(chsh.s_per_run(outcomes, replicas_per_run=5))
    of_s = {"mean": 2, "lowest": -4}
    for call in (
        partial(chsh.replicas_needed, [2.3], **of_s),
        partial(chsh.smallest_mean_shown, 71, highest=4, **of_s),
        partial(chsh.smallest_mean_any_test, 71, **of_s),
    ):
        with pytest.warns(FutureWarning, match="`alpha`"):
            assert call(error=0.05) == call(alpha=0.05)


def test_what_has_moved_is_found_by_its_old_place():
    pytest.importorskip("torch")
    from ncnet import gradients
    from ncnet.studies.mechanism import analysis, decoding, interventions

    with pytest.warns(FutureWarning, match=r"`ncnet\.gradients\.conflict`"):
        assert analysis.conflict is gradients.conflict
    with pytest.warns(FutureWarning, match="available_interventions"):
        assert analysis.interventions is interventions.available_interventions
    with pytest.warns(FutureWarning, match="decode"):
        assert analysis.decode is decoding.decode


def test_what_has_moved_in_other_studies_is_found_too():
    pytest.importorskip("torch")
    from ncnet.studies.generalization import analysis, correlation, measurements
    from ncnet.studies.ranks import crossed, pigeonhole

    for old, new in (
        ((analysis, "halves"), measurements.split_replicas),
        ((analysis, "correlations"), correlation.correlations),
        ((crossed, "crossed_means"), pigeonhole.pigeonhole_means),
    ):
        with pytest.warns(FutureWarning, match=new.__name__):
            assert getattr(*old) is new


def test_an_old_argument_is_the_one_of_today_and_not_both():
    given = {"hidden_size": 2, "replicas": 1, "seed": 0, "steps": 1}
    with pytest.warns(FutureWarning, match="`backend`"):
        outcomes = ncnet.train(games.overlap(), path="eager", **given)
    assert outcomes.attrs["backend"] == "eager"
    with pytest.raises(TypeError, match="both"):
        ncnet.train(games.overlap(), path="eager", backend="eager", **given)


def test_an_old_argument_of_an_experiment_is_that_of_today():
    from ncnet import experiment

    def train_context(alice_setting, bob_setting, seed):
        return [seed % 2], [1]

    with pytest.warns(FutureWarning, match="`configuration`"):
        outcomes = experiment.train(train_context, replicas=1, described={"steps": 3})
    assert outcomes.attrs["steps"] == 3


def test_no_old_name_hides_a_name_of_today():
    @renamed.attributes({"old": "new"})
    class Holder:
        new = 1

    with pytest.warns(FutureWarning, match=r"Holder\.old"):
        assert Holder().old == 1
