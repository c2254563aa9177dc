"""The figures of ranks, doses and what is learnt show the recorded rows, named as readers know."""

import pytest

from ncnet import results
from ncnet.studies.ranks import figures
from ncnet.studies.ranks.claims import BALANCE, DIFFICULTY


def labels(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


NAMES = {"languages": "languages, e5", "mixed": "e5", "mixed, MiniLM": "MiniLM"}


def test_each_line_over_ranks_has_its_name_and_the_highest_has_it_above():
    table = results.load("real_named").table
    figure = figures.s_by_rank(table, NAMES)
    [axes] = figure.axes
    assert len(labels(axes.xaxis)) == 5
    rows = table[table["group"] == "languages"].sort_values("rank")
    drawn = [line.get_ydata() for line in axes.lines if len(line.get_ydata()) == len(rows)]
    assert any(list(y) == pytest.approx(rows["s"].tolist()) for y in drawn)
    named = {text.get_text(): text.xy[1] for text in axes.texts}
    at_16 = table[table["rank"] == 16].set_index("group")
    assert named["MiniLM"] == at_16.loc["mixed, MiniLM", "s_high"]
    assert named["e5"] == at_16.loc["mixed", "s_low"]


def test_s_stands_under_its_ceiling():
    table = results.load("real_named").table
    rows = table[table["group"] == "mixed"].assign(quartet="mixed")
    above, below = figures.ranks(rows).axes
    [ceiling] = [line for line in above.lines if line.get_label() == "ceiling 2 + Δ"]
    assert ceiling.get_ydata() == pytest.approx(2 + rows["delta"])
    assert labels(below.xaxis) == ["0", "1", "4", "16", "full"]


def test_doses_are_named_as_people_write_them():
    figure = figures.doses(results.load("real_named").table)
    difficulty, balance = figure.axes[2:]
    assert labels(difficulty.xaxis) == ["0", "1/4", "1/2", "3/4", "1"]
    assert labels(balance.xaxis) == ["1/4", "1/2", "1", "2", "4"]


def test_doses_are_drawn_in_their_order_whatever_that_of_the_rows():
    table = results.load("real_named").table
    mixed_up = table.sample(frac=1, random_state=0)
    for place, (group, dose) in enumerate(((DIFFICULTY, "shuffled"), (BALANCE, "ratio"))):
        rows = table[table["group"] == group].sort_values(dose)
        [line, *_] = figures.doses(mixed_up).axes[place].containers[0]
        assert line.get_ydata() == pytest.approx(rows["s"])


def test_tasks_that_carry_over_stand_at_the_top_of_their_family():
    table = results.load("real_tasks").table.dropna(subset="right").assign(guessing=0.5)
    of_rank = table[table["rank"] == 4]
    languages, mixed = figures.learnt(of_rank).axes
    assert labels(mixed.yaxis) == ["MathQA", "CommonsenseQA", "PAWS-X en", "MRPC", "SST-2"]
    assert len(labels(languages.yaxis)) == 7
    rows = of_rank[of_rank["family"] == "mixed"].sort_values("held_out_right")
    right, held_out = (container[0].get_xdata() for container in mixed.containers)
    assert right == pytest.approx(rows["right"])
    assert held_out == pytest.approx(rows["held_out_right"])
