"""Figures of recorded tables, as far as they could go wrong unseen."""

import pytest

from ncnet import results
from ncnet.studies.capacity import figures


def test_s_is_drawn_under_two_plus_delta_of_the_same_game():
    table = results.load("capacity").table
    panels = figures.under_ceiling(table).axes
    for axes, (_, rows) in zip(panels, table.groupby("game", sort=False), strict=True):
        ceiling, _, s = axes.lines
        assert list(s.get_ydata()) == rows["s"].tolist()
        assert list(ceiling.get_ydata()) == pytest.approx(2 + rows["delta"])


def test_the_title_above_it_is_true_of_the_recorded_table():
    """The notebook rq3 says that S never exceeds the ceiling."""
    table = results.load("capacity").table
    assert (table["s"] <= 2 + table["delta"] + 1e-12).all()
    assert not (table["explanation"] == "contextual").any()
