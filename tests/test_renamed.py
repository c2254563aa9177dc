"""Old names find what has another name today, and warn."""

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


def test_no_old_name_hides_a_name_of_today():
    @renamed.attributes({"old": "new"})
    class Holder:
        new = 1

    with pytest.warns(FutureWarning, match=r"Holder\.old"):
        assert Holder().old == 1
