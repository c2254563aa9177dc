"""Figures of recorded tables, as far as they could go wrong unseen."""

import pandas as pd
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


def test_the_areas_over_the_margin_add_up_to_all_conditions():
    counted = pd.DataFrame({"holds": [0, 2], "open": [1, 1], "fails": [2, 0]}, index=[0.0, 0.1])
    figure = figures.answers_by_margin(counted, 0.02)
    [axes] = figure.axes
    labels = axes.get_legend_handles_labels()[1]
    assert labels == ["holds", "open", "does not hold"]
    highest = [area.get_paths()[0].vertices[:, 1].max() for area in axes.collections]
    assert highest == [2, 3, 3]


def test_across_and_within_are_drawn_beside_what_is_left():
    rules = results.load("generalization_rules").table
    table = results.load("generalization").table.query("target == 'held_out_accuracy'")
    [axes] = figures.across_and_within(rules, table).axes
    drawn = {bars.get_label(): list(bars[0].get_xdata()) for bars in axes.containers}
    for reading, label in (("across", "across capacities"), ("within", "within a capacity")):
        of_reading = rules.loc[rules["reading"] == reading, "correlation"]
        assert drawn[label] == of_reading.tolist()
    left = table.query("part == 'up to 2' and measure == 'given contexts'")["estimate"]
    assert drawn["within, given accuracy and loss"] == left.tolist()
