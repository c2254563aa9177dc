"""Figures of recorded tables, as far as they could go wrong unseen."""

import pytest

from ncnet import results
from ncnet.studies.generalization import figures


@pytest.mark.parametrize("panels", [1, 2, 7])
def test_the_names_below_all_panels_are_no_wider_than_the_figure(panels):
    table = results.load("generalization").table.query("target == 'held_out_accuracy'")
    conditions = table["condition"].unique()[:panels]
    figure = figures.correlations(table[table["condition"].isin(conditions)])
    figure.draw_without_rendering()
    [legend] = figure.legends
    assert legend.get_window_extent().width < figure.bbox.width
