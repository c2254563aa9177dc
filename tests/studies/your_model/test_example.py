"""The example of the page: the lines to copy, and what they have to give."""

import contextlib
import io
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from ncnet import results
from ncnet.studies.your_model import analysis, example, figures

ROOT = Path(__file__).resolve().parents[3]
COLUMNS = ["s", "first_drop", "second_drop", "training_drop", "both_wrong", "held_out_drop"]


def lines_to_copy():
    """Return the code of the cell that a reader copies."""
    cells = nbformat.read(ROOT / "notebooks" / "your_model.ipynb", as_version=4).cells
    [code] = [cell.source for cell in cells if "chsh.collect_pairs(outcomes" in cell.source]
    return code


def made_up(seed=0, replicas=30):
    """Return rows of three pairs, of which the first alone disturbs."""
    generator = np.random.default_rng(seed)
    frames = []
    for first, second, s in (("a", "b", 2.5), ("a", "c", 2.0), ("b", "c", 1.8)):
        noise = generator.normal(scale=0.1, size=replicas)
        rows = dict.fromkeys(COLUMNS, (s - 2) / 4 + noise / 4) | {"s": s + noise}
        frames.append(pd.DataFrame(rows).assign(first=first, second=second))
    return pd.concat(frames).rename_axis("replica").reset_index()


@pytest.mark.slow
def test_the_lines_to_copy_run_by_themselves_and_give_what_is_recorded():
    code, names, printed = lines_to_copy(), {}, io.StringIO()
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
    with contextlib.redirect_stdout(printed):
        exec(code, names)
    rows = names["rows"]
    replicas = sorted(rows["replica"].unique().tolist())
    made = analysis.train_pairs(replicas, seed=0, hidden_size=3)
    pd.testing.assert_frame_equal(rows, made[rows.columns])
    # Elsewhere rounding may move an item.
    recorded = results.load("your_pairs").table
    beside = recorded.merge(rows, on=["first", "second", "replica"], suffixes=("", "_made"))
    assert len(beside) == len(rows)
    assert abs(beside["s"] - beside["s_made"]).median() < 0.02
    assert "six" in printed.getvalue()


def test_a_replica_depends_on_its_seed_alone_and_a_task_alone_is_its_own():
    once, again = (example.train(["odd", "large"], 3, steps=2) for _ in range(2))
    assert all((one == other).all() for one, other in zip(once, again, strict=True))
    assert len(once[0]) == len(example.SPLIT)
    of_four = example.train_context(2, 1, 3, steps=2)
    assert [len(head) for head in of_four.training] == [128, 128]
    some = analysis.train_pairs([4, 2], seed=1, hidden_size=1, steps=1)
    alone = analysis.train_pairs([2], seed=1, hidden_size=1, steps=1)
    of_two = some[some["replica"] == 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(of_two, alone)


def test_pairs_are_ordered_by_s_with_intervals_of_their_own():
    table = analysis.by_pair(made_up())
    assert table[["first", "second"]].agg(" ".join, axis=1).tolist() == ["a b", "a c", "b c"]
    assert (table["s_low"] < table["s"]).all()
    assert (table["s"] < table["s_high"]).all()
    assert table["replicas"].eq(30).all()


def test_each_pair_is_drawn_once_and_bold_where_it_is_clear():
    table = analysis.by_pair(made_up())
    [axes] = figures.pairs(table).axes
    drawn = {text.get_text(): text.get_weight() for text in axes.texts}
    shown = {f"{s:.2f}" for s in table["s"]}
    assert shown < drawn.keys()
    assert drawn[f"{table['s'].iloc[0]:.2f}"] == drawn[f"{table['s'].iloc[2]:.2f}"] == "bold"
    assert drawn[f"{table['s'].iloc[1]:.2f}"] == "normal"
    assert len(drawn) == len(table) + 1


def test_losses_stand_in_the_row_of_the_task_that_loses():
    table = analysis.by_pair(made_up()).assign(first_drop=[0.2, 0.0, 0.0], second_drop=-0.01)
    [axes] = figures.losses(table).axes
    rows = [label.get_text() for label in axes.get_yticklabels()]
    columns = [label.get_text() for label in axes.get_xticklabels()]
    cells = {
        (rows[round(text.get_position()[1])], columns[round(text.get_position()[0])]): text
        for text in axes.texts
    }
    assert cells["a", "b"].get_text() == "20"
    assert cells["b", "a"].get_text() == "\N{MINUS SIGN}1"
    assert ("a", "a") not in cells
