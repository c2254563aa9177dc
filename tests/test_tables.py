"""Tables of outcomes from elsewhere: what they become, and what is refused."""

import codecs
import csv
import gzip
import io
import re

import numpy as np
import pandas as pd
import pyarrow
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


def as_json_lines(table):
    return table.to_json(orient="records", lines=True).encode()


def as_csv(table, **options):
    return table.to_csv(index=False, **options).encode()


FORMS = {
    "commas": as_csv(TABLE),
    "tabs": as_csv(TABLE, sep="\t"),
    "semicolons": as_csv(TABLE, sep=";"),
    "ends of lines of Windows": as_csv(TABLE, lineterminator="\r\n"),
    "ends of lines of old Macs": as_csv(TABLE, lineterminator="\r"),
    "a mark of the order of bytes": codecs.BOM_UTF8 + as_csv(TABLE),
    "UTF-16": TABLE.to_csv(index=False).encode("utf-16"),
    "blank lines": b"\n" + as_csv(TABLE).replace(b"\n", b"\n \n\n"),
    "everything quoted": as_csv(TABLE, quoting=csv.QUOTE_ALL),
    "blanks in the header": as_csv(TABLE).replace(b",", b" , ", 4),
    "JSON lines": as_json_lines(TABLE),
    "JSON lines of Windows": as_json_lines(TABLE).replace(b"\n", b"\r\n"),
    "parquet": TABLE.to_parquet(),
}


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("form", FORMS)
def test_a_file_is_read_by_what_it_holds_not_by_its_name(tmp_path, form, compressed):
    path = tmp_path / "outcomes.txt"
    path.write_bytes(gzip.compress(FORMS[form]) if compressed else FORMS[form])
    assert chsh.from_table(path).identical(chsh.from_table(TABLE))
    assert chsh.from_table(str(path)).identical(chsh.from_table(TABLE))


class OnlyArrow:
    """Any object with Arrow's PyCapsule interface."""

    def __init__(self, table):
        self._table = pyarrow.Table.from_pandas(table)

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


def test_tables_of_elsewhere_are_read_through_arrow():
    named = TABLE.assign(replica="seed " + TABLE["replica"].astype(str), a=TABLE["a"] > 0)
    named["b"] = named["b"] > 0
    expected = chsh.from_table(named)
    assert chsh.from_table(OnlyArrow(named)).identical(expected)
    assert chsh.from_table(pyarrow.Table.from_pandas(named)).identical(expected)


def test_a_dataframe_of_polars_is_read():
    polars = pytest.importorskip("polars", reason="polars is not installed")
    named = TABLE.assign(replica="seed " + TABLE["replica"].astype(str))
    frame = polars.DataFrame(named.to_dict("list"))
    frame = frame.with_columns(polars.col("replica").cast(polars.Categorical))
    assert chsh.from_table(frame).identical(chsh.from_table(named))


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
        (TABLE.iloc[:0], "the table has no rows"),
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
            "row 9: `a` is <NA>: expected an outcome, true or false, 1 or 0, or \\+1 or -1$",
        ),
        (changed(3, a=2), r"row 3: `a` is 2: expected an outcome, true or false, 1 or 0, or \+1"),
        (changed(3, a="yes"), "row 3: `a` is 'yes': expected an outcome"),
        (changed(3, a=""), "row 3: `a` is '': expected an outcome"),
        (changed(3, a=[1]), r"row 3: `a` is \[1\]: expected an outcome"),
        (pd.concat([TABLE, TABLE[["a"]]], axis=1), "the table has two columns `a`: expected one"),
        ({"a": [1]}, "the table is a dict: expected a DataFrame or the path of a file"),
        (changed(2, replica=np.nan), "row 2: `replica` is nan: expected a number or a name"),
        (changed(2, item=None), "row 2: `item` is None"),
        (changed(2, item=" "), "row 2: `item` is ' ': expected a number or a name"),
        (changed(2, item="zero\0"), r"row 2: `item` is 'zero\\x00': expected a number or a name"),
        (changed(2, item="half \ud800"), r"row 2: `item` is 'half \\ud800': expected a number or"),
        (changed(2, item=(1, 2)), r"row 2: `item` is \(1, 2\): expected a number or a name"),
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
            "rows 0 and 3: item 0 has `split` 'held_out' and 'training': expected one",
        ),
        (TABLE.assign(split="test"), "row 0: `split` is 'test': expected `training` or `held_out`"),
    ],
)
def test_bad_tables_are_named_by_row_or_context(table, line):
    with pytest.raises(ValueError, match=line):
        chsh.from_table(table)


WORKBOOK, PICTURE = b"PK\x03\x04\x14\x00", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "is empty: expected a table"),
        (b" \n\n", "is empty: expected a table"),
        (b'""\n', "is empty: expected a table"),
        (WORKBOOK, "is a zip file, perhaps a workbook: expected CSV, TSV, JSON lines or parquet"),
        (PICTURE, r"is no text in UTF-8 \(byte 0x89 at 0\): expected CSV"),
        ("é,a\n1,1".encode("latin-1"), r"is no text in UTF-8 \(byte 0xe9 at 0\): expected CSV"),
        (codecs.BOM_UTF16_LE + b"a", r"is no text in UTF-16 \(byte 0x61 at 2\): expected CSV"),
        (b"a,b\n1,\0\n", "is no text, it holds zero bytes: expected CSV"),
        (FORMS["parquet"][:-9], "is a damaged parquet file: "),
        (gzip.compress(FORMS["commas"])[:-9], "is a damaged gzip file: "),
        (gzip.compress(FORMS["commas"])[:50] + b"\xff" * 50, "is a damaged gzip file: "),
        (gzip.compress(PICTURE), "is no text in UTF-8"),
        (b'[{"a": 1}]', "begins with `\\[`: expected JSON lines, one object a line"),
        (b'{"a": 1}\n\n{"a": \n', r": row 1 is no JSON: Expecting value: line 1 column 7"),
        (b'{"a": 1}\n[1]\n', r": row 1 is \[1\]: expected a JSON object"),
        (b"a,b\n1,1\n1\n", ": row 1 has 1 cells, the header 2"),
        (b"a,b\n\n1,1\n\n1,1,1\n", ": row 1 has 3 cells, the header 2"),
        (b"a,b\n1,1,\n1,1,\n", r": each row ends with an empty cell .*: expected 2 cells, as in"),
        (b'a,b\n1,"' + b"1" * 2**18, ": line 2 cannot be read: field larger than field limit"),
        (b"context replica item a b\n11 1 1 1 1", "so perhaps not separated by commas"),
    ],
)
def test_a_file_without_a_table_is_named(tmp_path, content, line):
    path = tmp_path / "outcomes.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=line) as raised:
        chsh.from_table(path)
    assert "\n" not in str(raised.value)
    assert "outcomes.csv" in str(raised.value) or "perhaps not separated" in line


def test_a_missing_file_is_named(tmp_path):
    for path in ("none.csv", "none.parquet", tmp_path / "folder.csv"):
        (tmp_path / "folder.csv").mkdir(exist_ok=True)
        with pytest.raises(FileNotFoundError, match=r"there is no file .*(none|folder)\."):
            chsh.from_table(path)


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
