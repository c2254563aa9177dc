"""What the figures on the mechanism leave out."""

import matplotlib.pyplot as plt
import pytest

import ncnet
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
