"""Tables of outcomes from elsewhere: what they become, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncnet import chsh
from tests.strategies import correlated_outcomes, singlet_correlators


def long_table(a, b, contexts=(11, 12, 21, 22)):
    rows = [
        (contexts[2 * i + j], r, k, a[i, j, r, k], b[i, j, r, k])
        for i, j, r, k in np.ndindex(a.shape)
    ]
    return pd.DataFrame(rows, columns=["context", "replica", "item", "a", "b"])


A, B = correlated_outcomes(singlet_correlators(), replicas=12, items=3, seed=0)
TABLE = long_table(A, B)


def test_a_table_gives_the_report_of_its_arrays():
    assert str(chsh.report(chsh.from_table(TABLE))) == str(chsh.report((A, B)))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_gives_the_same(tmp_path, suffix):
    path = tmp_path / f"outcomes.{suffix}"
    getattr(TABLE, f"to_{suffix}")(path, index=False)
    assert chsh.from_table(path).equals(chsh.from_table(TABLE))
    assert chsh.from_table(str(path)).equals(chsh.from_table(TABLE))


@pytest.mark.parametrize(
    "contexts",
    [
        ("(1,1)", "(1,2)", "(2,1)", "(2,2)"),
        ("1 1", "1 2", "2 1", "2 2"),
        (11.0, 12.0, 21.0, 22.0),
        ((1, 1), (1, 2), (2, 1), (2, 2)),
        [(np.int64(i), np.float64(j)) for i in (1, 2) for j in (1, 2)],
        [("1", "1"), ("1", "2"), ("2", "1"), ("2", "2")],
        ("[1, 1]", "( 1,2 )", "2 , 1", " 22.00"),
    ],
)
def test_contexts_may_be_written_in_several_ways(contexts):
    assert chsh.from_table(long_table(A, B, contexts)).equals(chsh.from_table(TABLE))


@pytest.mark.slow
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_statistic(random):
    order = list(range(len(TABLE)))
    random.shuffle(order)
    means = chsh.replica_means(chsh.from_table(TABLE.iloc[order])).mean("replica")
    expected = chsh.replica_means((A, B)).mean("replica")
    for name in ("correlator", "alice", "bob"):
        np.testing.assert_allclose(means[name], expected[name], atol=1e-12)


def test_items_may_be_true_and_false():
    table = TABLE[TABLE["item"] < 2].assign(item=lambda rows: rows["item"].astype(bool))
    assert chsh.from_table(table)["item"].values.tolist() == [False, True]


def test_replicas_and_items_may_have_names_and_a_split():
    table = TABLE.assign(
        replica="seed " + TABLE["replica"].astype(str),
        split=np.where(TABLE["item"] == 2, "held_out", "training"),
    )
    dataset = chsh.from_table(table)
    assert dataset["replica"].values[0] == "seed 0"
    assert chsh.report(dataset).items == 2
    assert chsh.report(dataset).held_out.items == 1


def changed(row, **values):
    table = TABLE.astype(object)
    for name, value in values.items():
        table.loc[row, name] = value
    return table


@pytest.mark.parametrize(
    ("table", "line"),
    [
        (TABLE.drop(columns="b"), "the table has no column `b`: found"),
        (TABLE.assign(slit="training"), "unknown column `slit`: did you mean `split`"),
        (TABLE.iloc[:0], "the table has no rows"),
        (changed(5, a=0), r"row 5: `a` is 0: expected \+1 or -1 \(if 1 is right and 0 wrong"),
        (changed(7, b=np.nan), "row 7: `b` is nan: expected"),
        (changed(7, b=None), "row 7: `b` is None: expected"),
        (changed(9, context=13), "row 9: `context` is 13: expected 11, 12, 21 or 22"),
        (changed(9, context=np.nan), "row 9: `context` is nan"),
        (changed(9, context="B2A1"), "row 9: `context` is 'B2A1'"),
        (changed(9, context=-12), "row 9: `context` is -12"),
        (changed(9, context=1.2), "row 9: `context` is 1.2"),
        (changed(9, context="(1,2"), r"row 9: `context` is '\(1,2'"),
        (changed(9, context="1,,2"), "row 9: `context` is '1,,2'"),
        (changed(9, context="1-2"), "row 9: `context` is '1-2'"),
        (changed(9, item=[1]), r"row 9: `item` is \[1\]: expected a number or a name"),
        (
            changed(9, a=pd.NA).astype({"a": "Int64"}),
            "row 9: `a` is <NA>: expected \\+1 or -1$",
        ),
        (TABLE.set_index("context"), r"`context` is in the index: expected a column \(reset"),
        (TABLE.set_index(["replica", "item"]), "`replica` is in the index"),
        (changed(3, a="1"), r"row 3: `a` is '1': expected \+1 or -1, as a number"),
        (changed(3, a=2), r"row 3: `a` is 2: expected \+1 or -1$"),
        (pd.concat([TABLE, TABLE[["a"]]], axis=1), "the table has two columns `a`: expected one"),
        ({"a": [1]}, "the table is a dict: expected a DataFrame or the path of a file"),
        (changed(2, replica=np.nan), "row 2: `replica` is nan: expected a number or a name"),
        (changed(2, item=None), "row 2: `item` is None"),
        (
            pd.concat([TABLE, TABLE.iloc[[4]]]),
            r"rows 4 and 144 both have context \(1,1\), replica 1, item 1: expected one",
        ),
        (TABLE[TABLE["context"] != 21], r"context \(2,1\) is empty: expected all four contexts"),
        (TABLE.drop(index=40), r"context \(1,2\) lacks replica 1 with item 1: expected every"),
        (
            TABLE[(TABLE["context"] != 22) | (TABLE["replica"] < 10)],
            r"context \(2,2\) lacks replica 10 with item 0: .*, 36 rows a context",
        ),
        (
            TABLE.assign(split=["held_out", *["training"] * (len(TABLE) - 1)]),
            "item 0 is in two splits: expected one",
        ),
        (TABLE.assign(split="test"), "row 0: `split` is 'test': expected `training` or `held_out`"),
        ("outcomes.xlsx", r"the table is outcomes.xlsx: expected a file .csv or .parquet"),
    ],
)
def test_bad_tables_are_named_by_row_or_context(table, line):
    with pytest.raises(ValueError, match=line):
        chsh.from_table(table)


@pytest.mark.parametrize("suffix", ["csv", "CSV", "parquet"])
def test_a_file_without_a_table_is_named(tmp_path, suffix):
    path = tmp_path / f"empty.{suffix}"
    path.touch()
    with pytest.raises(ValueError, match=rf"empty.{suffix} cannot be read as a table: "):
        chsh.from_table(path)


def test_a_missing_file_is_named(tmp_path):
    for path in ("none.csv", "none.parquet", tmp_path / "folder.csv"):
        (tmp_path / "folder.csv").mkdir(exist_ok=True)
        with pytest.raises(FileNotFoundError, match=r"there is no file .*(none|folder)\."):
            chsh.from_table(path)


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ({}, r"the first column has no name: expected a CSV written with index=False"),
        ({"sep": ";", "index": False}, "so perhaps not separated by commas"),
    ],
)
def test_a_csv_that_was_written_otherwise_says_how(tmp_path, written, line):
    TABLE.to_csv(tmp_path / "outcomes.csv", **written)
    with pytest.raises(ValueError, match=line):
        chsh.from_table(tmp_path / "outcomes.csv")


@pytest.mark.slow
def test_a_name_among_many_numbers_does_not_divide_a_column(tmp_path):
    """pandas reads a large file in pieces, and would give each its own type."""
    replicas = np.arange(140_000)
    table = pd.concat(
        pd.DataFrame({"context": context, "replica": replicas, "item": 0, "a": 1, "b": 1})
        for context in (11, 12, 21, 22)
    )
    table["replica"] = table["replica"].astype(object).where(table["replica"] < 139_999, "last")
    table.to_csv(tmp_path / "large.csv", index=False)
    assert chsh.from_table(tmp_path / "large.csv").sizes["replica"] == 140_000
