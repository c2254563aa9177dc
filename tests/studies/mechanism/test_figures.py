"""What the figures on the mechanism leave out."""

import matplotlib.pyplot as plt
import pytest

import ncnet
from ncnet import results
from ncnet.studies.mechanism import figures


@pytest.mark.slow
@pytest.mark.parametrize(("bias", "drawn"), [(0.5, True), (1e4, False)])
def test_a_unit_whose_line_is_out_of_sight_is_not_drawn(bias, drawn):
    """Far away, single precision leaves the line no direction."""
    trained = ncnet.train(
        ncnet.games.overlap(), hidden_size=2, replicas=1, seed=0, steps=0,
        trace_steps=[0], trace=["gradients", "weights"], backend="eager",
    )  # fmt: skip
    one = trained.isel(replica=0, alice_setting=1, bob_setting=1)
    one["trunk_weight"][{"unit": 0}] = 1
    one["trunk_weight"].loc[{"unit": one["unit"][0], "input": "bias"}] = bias
    one["trunk_weight"][{"unit": 1}] = 0
    figure = figures.hidden_units(one, [0])
    lines = [line for line in figure.axes[0].lines if isinstance(line, plt.matplotlib.lines.AxLine)]
    assert len(lines) == drawn
    plt.close(figure)


def at_three():
    return results.load("interventions").table.query("hidden_size == 3")


def test_a_line_for_each_game_goes_from_the_shared_trunk_to_a_stopped_gradient():
    table = at_three()
    weaker, taken_out = figures.opposite_ways(table).axes
    for bars, (_, rows) in zip(weaker.containers, table.groupby("game", sort=False), strict=True):
        s = rows.set_index("intervention")["s"]
        drawn = dict(zip(*bars[0].get_data(), strict=True))
        assert (drawn[1], drawn[0]) == (s["shared"], s["λ = 0"])
        assert weaker.get_ylim()[0] < s["λ = 0.1"] < weaker.get_ylim()[1]
    assert len(taken_out.containers) == 2
    assert [len(bars[0].get_xdata()) for bars in taken_out.containers] == [3, 3]


def test_what_is_raised_is_not_among_what_is_lowered():
    table = at_three()
    panels = figures.raised_or_lowered(table).axes
    for axes, (_, rows) in zip(panels, table.groupby("game", sort=False), strict=True):
        drawn = {line.get_label(): set(line.get_xdata()) for line in axes.lines}
        assert drawn["raised"] == set(rows.loc[rows["s_change_low"] > 0, "s"])
        assert drawn["lowered"] == set(rows.loc[rows["s_change_high"] < 0, "s"])
        kinds = ("raised", "lowered", "not shown to change")
        assert sum(len(drawn[kind]) for kind in kinds) == len(rows) - 1
