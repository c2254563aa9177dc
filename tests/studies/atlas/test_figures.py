"""Figures of recorded tables, as far as they could go wrong unseen."""

from ncnet import chsh, results
from ncnet.studies.atlas import figures


def test_games_found_are_drawn_beside_those_of_the_book():
    capacity, search = (results.load(name).table for name in ("capacity", "search"))
    search = search.assign(held=chsh.holm(search["excess_p_value"]) <= 0.05)
    found = search[search["readout"] == "correct"]
    [axes] = figures.left_over(capacity, found).axes
    drawn = {}
    for bars in axes.containers:
        drawn.setdefault(bars.get_label(), []).extend(bars[0].get_xdata())
    assert sorted(drawn["more than signalling explains"]) == sorted(found["excess"][found["held"]])
    above = capacity[capacity["verdict"] == "above 2"]
    others = [*found["excess"][~found["held"]], *above["excess"]]
    assert sorted(drawn["not shown to be more"]) == sorted(others)


def test_nothing_is_left_in_the_games_of_the_book():
    """The title above it in the notebook rq6 says so."""
    capacity = results.load("capacity").table
    above = capacity[capacity["verdict"] == "above 2"]
    assert (above["excess"] <= 0).all()
    assert not (above["explanation"] == "contextual").any()
