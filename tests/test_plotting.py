"""The picture of a report."""

import re
import sys

import numpy as np
import pytest

from ncnet import chsh, plotting
from tests.strategies import correlated_outcomes, singlet_correlators

REPORT = chsh.report(correlated_outcomes(singlet_correlators(), 200, 4, seed=1))
WITHOUT = "without matplotlib a report has no picture"


def test_it_draws_the_numbers_of_the_report():
    pytest.importorskip("matplotlib", reason=WITHOUT)
    line, waterfall, drops = REPORT.plot().axes
    assert f"{REPORT.s:.3f}, {REPORT.verdict}" in line.get_title(loc="left")
    bounds = {round(drawn.get_xdata()[0], 9) for drawn in line.lines if len(drawn.get_xdata()) == 2}
    assert {2, round(2 + REPORT.delta, 9), round(2 * np.sqrt(2), 9)} <= bounds
    *steps, total = waterfall.patches[:5]
    heights = [step.get_height() for step in steps]
    assert np.abs(heights) == pytest.approx(abs(REPORT.correlators.ravel()))
    assert sum(heights) == pytest.approx(REPORT.s) == total.get_height()
    assert [bar.get_width() for bar in drops.patches] == pytest.approx(REPORT.drops.points)
    labels = [label.get_text() for label in drops.get_yticklabels()]
    assert labels == [f"{row.task} beside {row.worse_partner}" for row in REPORT.drops.itertuples()]


@pytest.mark.parametrize("level", [0.01, 0.999])
def test_it_can_be_drawn_at_any_level(level):
    pytest.importorskip("matplotlib", reason=WITHOUT)
    outcomes = correlated_outcomes(singlet_correlators(), 12, 2, seed=1)
    assert chsh.report(outcomes, level=level, resamples=40_000).plot()


def test_as_an_image_it_is_told_to_who_does_not_see_it_and_always_the_same():
    pytest.importorskip("matplotlib", reason=WITHOUT)
    image = plotting.image(REPORT)
    assert image == plotting.image(REPORT)
    alternative = re.search(r'alt="([^"]+)"', image)[1]
    assert f"S = {REPORT.s:.2f}" in alternative
    assert "A2" in alternative
    assert image in REPORT.html()


def test_without_matplotlib_the_extra_is_named_and_all_else_is_shown(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"ncnet\[report\]"):
        REPORT.plot()
    assert "ncnet[report]" in REPORT.html()
    assert "<img" not in REPORT.html()
    assert "<table" in REPORT.html()
