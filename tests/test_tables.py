"""Tables of outcomes from elsewhere: what they become, and what is refused."""

import codecs
import csv
import gzip
import http
import io
import re

import numpy as np
import pandas as pd
import pyarrow
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from ncnet import chsh
from ncnet.chsh.files import read_table
from tests.refusals import refused
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
    ("table", "parts"),
    [
        (TABLE.drop(columns="b"), ("the table has no column `b`: found",)),
        (TABLE.iloc[:0], ("the table has no rows",)),
        (changed(7, b=np.nan), ("row 7: `b` is nan",)),
        (changed(7, b=None), ("row 7: `b` is None",)),
        (changed(9, context=13), ("row 9: `context` is 13", "11, 12, 21 or 22")),
        (changed(9, context=np.nan), ("row 9: `context` is nan",)),
        (changed(9, context="B2A1"), ("row 9: `context` is 'B2A1'",)),
        (changed(9, context=-12), ("row 9: `context` is -12",)),
        (changed(9, context=1.2), ("row 9: `context` is 1.2",)),
        (changed(9, context="(1,2"), ("row 9: `context` is '(1,2'",)),
        (changed(9, context="1,,2"), ("row 9: `context` is '1,,2'",)),
        (changed(9, context="1-2"), ("row 9: `context` is '1-2'",)),
        (changed(9, item=[1]), ("row 9: `item` is [1]", "a number or a name")),
        (
            changed(9, a=pd.NA).astype({"a": "Int64"}),
            ("row 9: `a` is <NA>", "true or false, 1 or 0, or +1 or -1"),
        ),
        (changed(3, a=2), ("row 3: `a` is 2", "true or false, 1 or 0, or +1")),
        (changed(3, a="yes"), ("row 3: `a` is 'yes'", "true or false, 1 or 0, or")),
        (changed(3, a=""), ("row 3: `a` is ''", "true or false, 1 or 0, or")),
        (changed(3, a=[1]), ("row 3: `a` is [1]", "true or false, 1 or 0, or")),
        (pd.concat([TABLE, TABLE[["a"]]], axis=1), ("the table has two columns `a`", "one")),
        ({"a": [1]}, ("`table` is of type dict", "a DataFrame or the path of a file")),
        (changed(2, replica=np.nan), ("row 2: `replica` is nan", "a number or a name")),
        (changed(2, item=None), ("row 2: `item` is None",)),
        (changed(2, item=" "), ("row 2: `item` is ' '", "a number or a name")),
        (changed(2, item="zero\0"), ("row 2: `item` is 'zero\\x00'", "a number or a name")),
        (changed(2, item="half \ud800"), ("row 2: `item` is 'half \\ud800'", "a number or a name")),
        (changed(2, item=(1, 2)), ("row 2: `item` is (1, 2)", "a number or a name")),
        (
            pd.concat([TABLE, TABLE.iloc[[4]]]),
            ("rows 4 and 144 both have context (1,1), replica 1, item 1", "one"),
        ),
        (TABLE[TABLE["context"] != 21], ("context (2,1) is empty", "all four contexts")),
        (TABLE.drop(index=40), ("context (1,2) lacks replica 1 with item 1", "every")),
        (
            TABLE[(TABLE["context"] != 22) | (TABLE["replica"] < 10)],
            ("context (2,2) lacks replica 10 with item 0", ", 36 rows a context"),
        ),
        (
            TABLE.assign(split=["held_out", *["training"] * (len(TABLE) - 1)]),
            ("rows 0 and 3: item 0 has `split` 'held_out' and 'training'", "one"),
        ),
        (
            pd.concat([TABLE.assign(capacity=1), TABLE.assign(capacity=2).drop(index=40)]),
            ("context (1,2) lacks replica 1 with item 1 at capacity 2", "every"),
        ),
        (
            TABLE.assign(capacity=0.5, alice_loss=[1, 2, *[1] * (len(TABLE) - 2)]),
            ("rows 0 and 1: capacity 0.5, context (1,1), replica 0 has `alice_loss` 1 and 2: exp",),
        ),
        (TABLE.assign(bob_loss="high"), ("row 0: `bob_loss` is 'high'", "a number")),
        (TABLE.assign(diverged=-1), ("row 0: `diverged` is -1", "true or false")),
        (TABLE.assign(capacity=""), ("row 0: `capacity` is ''", "a number")),
        (
            TABLE.assign(capacity=[2, *["True"] * 143]),
            ("row 1: `capacity` is 'True'", "a number"),
        ),
        (TABLE.assign(capacity="1,000"), ("row 0: `capacity` is '1,000'", "a number")),
        (TABLE.assign(capacity=np.nan), ("row 0: `capacity` is nan", "a number")),
        (TABLE.assign(split="test"), ("row 0: `split` is 'test'", "`training` or `held_out`")),
    ],
)
def test_bad_tables_are_named_by_row_or_context(table, parts):
    refused(lambda: chsh.from_table(table), parts)


def of_two_columns():
    file = io.BytesIO()
    parquet.write_table(pyarrow.table([[1], [2], [3]], names=["a", "b", "a"]), file)
    return file.getvalue()


TWO_COLUMNS = of_two_columns()
WORKBOOK, PICTURE = b"PK\x03\x04\x14\x00", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", ("is empty", "a table")),
        (b" \n\n", ("is empty", "a table")),
        (b'""\n', ("is empty", "a table")),
        (WORKBOOK, ("is a zip file, perhaps a workbook", "CSV, TSV, JSON lines or parquet")),
        (PICTURE, ("is no text in UTF-8 (byte 0x89 at 0)", "CSV")),
        ("é,a\n1,1".encode("latin-1"), ("is no text in UTF-8 (byte 0xe9 at 0)", "CSV")),
        (codecs.BOM_UTF16_LE + b"a", ("is no text in UTF-16 (byte 0x61 at 2)", "CSV")),
        (b"a,b\n1,\0\n", ("is no text, it holds zero bytes", "CSV")),
        (FORMS["parquet"][:-9], ("is a damaged parquet file",)),
        (gzip.compress(FORMS["commas"])[:-9], ("is a damaged gzip file",)),
        (gzip.compress(FORMS["commas"])[:50] + b"\xff" * 50, ("is a damaged gzip file",)),
        (gzip.compress(PICTURE), ("is no text in UTF-8",)),
        (b'[{"a": 1}]', ("begins with `[`", "JSON lines, one object a line")),
        (
            b'{"a": 1}\n\n{"a": \n',
            ("row 1 cannot be read as JSON: Expecting value: line 1 column 7",),
        ),
        (b'{"a": 1}\n[1]\n', ("row 1 is [1]", "a JSON object")),
        (b'{"a": 1}\n{"a": 1, "a": 0}\n', ("row 1 cannot be", "the key `a` is there twice")),
        (TWO_COLUMNS, ("column `a` is there twice", "each once")),
        (b"a,b\n1,1\n1\n", ("row 1 has 1 cells, the header 2",)),
        (b"a,b\n\n1,1\n\n1,1,1\n", ("row 1 has 3 cells, the header 2",)),
        (b"a\tb\tc\n1\t1\t1\n\t\n", ("row 1 has 2 cells, the header 3",)),
        (b"a,b\n1,1,\n1,1,\n", ("each row ends with an empty cell", "2 cells, as in")),
        (b'a,b\n1,"' + b"1" * 2**25, ("cannot be read (a quote that nothing closes?)",)),
        (b'a,b\n\n1,1\n \n1,"' + b"1" * 2**18 + b'"\n1', ("row 2 has 1 cells, the header 2",)),
        (b'"' + b"a" * 2**18 + b'",b\n1,1', ("line 1 cannot be read: field larger than field",)),
        (b"context replica item a b\n11 1 1 1 1", ("so perhaps not separated by commas",)),
    ],
    # What gzip makes has the time in it, and processes have to call a test alike.
    ids=lambda value: value[0] if isinstance(value, tuple) else "file",
)
def test_a_file_without_a_table_is_named(tmp_path, content, parts):
    path = tmp_path / "outcomes.csv"
    path.write_bytes(content)
    name = () if "not separated by commas" in parts[0] else ("outcomes.csv",)
    refused(lambda: chsh.from_table(path), (*name, *parts))


def test_a_missing_file_is_named(tmp_path):
    for path in ("none.csv", "none.parquet", tmp_path / "folder.csv"):
        (tmp_path / "folder.csv").mkdir(exist_ok=True)
        with pytest.raises(FileNotFoundError, match=r"no file none\.|folder.csv is a folder: exp"):
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


@pytest.mark.parametrize("form", ["commas", "JSON lines"])
@pytest.mark.parametrize("party", ["a", "b"])
def test_a_bad_cell_is_named_by_its_own_row_as_it_stands(tmp_path, form, party):
    """A column with a word in it is all text; it was the first row that was blamed."""
    table = TABLE.astype({party: object})
    table.loc[50, party] = "x"
    (tmp_path / "t").write_bytes({"commas": as_csv, "JSON lines": as_json_lines}[form](table))
    with pytest.raises(ValueError, match=rf"^row 50: `{party}` is 'x': expected true or false"):
        chsh.from_table(tmp_path / "t")


def signs(coding, values):
    return [coding[0] if value > 0 else coding[1] for value in values.tolist()]


CODED = {
    "+1 and -1": [
        *[(1, -1), (1.0, -1.0), ("1", "-1"), ("+1", "-1"), ("1.0", "-1.0"), (" 1", "-1 ")],
        ("+1", "\N{MINUS SIGN}1"),
    ],
    "1 and 0": [(1, 0), (1.0, 0.0), ("1", "0"), ("1.0", "0.0")],
    "true and false": [(True, False), ("true", "false"), ("True", "FALSE")],
}


@pytest.mark.parametrize(
    ("coding", "values"), [(coding, one) for coding, many in CODED.items() for one in many]
)
@pytest.mark.parametrize("written", [pd.DataFrame, as_csv, as_json_lines, OnlyArrow])
def test_outcomes_may_be_coded_in_several_ways(tmp_path, coding, values, written):
    table = written(TABLE.assign(a=signs(values, TABLE["a"]), b=signs(values, TABLE["b"])))
    if isinstance(table, bytes):
        (tmp_path / "t").write_bytes(table)
        table = tmp_path / "t"
    found = chsh.from_table(table)
    assert found.equals(chsh.from_table(TABLE))
    assert found.coding == coding


def test_outcomes_that_are_all_1_fit_any_coding():
    ones = TABLE.assign(a=1, b=1)
    assert chsh.from_table(ones).coding == "+1 and -1"
    assert chsh.from_table(ones.assign(b=(TABLE["b"] > 0) * 1)).coding == "1 and 0"
    assert chsh.from_table(ones.assign(b=TABLE["b"] > 0)).coding == "true and false"
    assert chsh.from_table(ones.assign(b=True)).coding == "true and false"


@pytest.mark.parametrize(
    ("cells", "parts"),
    [
        ((("a", 7, -1), ("b", 9, 0)), ("row 9: `b` is 0, row 7: `a` is -1", "one coding")),
        ((("a", 7, 0), ("a", 9, -1)), ("row 9: `a` is -1, row 7: `a` is 0", "one coding")),
        ((("a", 7, True), ("b", 9, 0)), ("row 9: `b` is 0, row 7: `a` is True", "one coding")),
        ((("a", 7, "false"), ("b", 9, "-1")), ("row 9: `b` is '-1', row 7: `a` is 'false'",)),
    ],
)
def test_two_codings_are_refused_and_both_named(cells, parts):
    table = TABLE.assign(a=1, b=1).astype(object)
    for name, row, value in cells:
        table.loc[row, name] = value
    refused(lambda: chsh.from_table(table), parts)


NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=6
).filter(str.strip)
CANONICAL = st.integers(-(10**17), 10**17).map(str)


@given(
    st.lists(NAMES | CANONICAL | st.sampled_from(["NA", "null", "007", "7", "1E3", "nan"]))
    | st.lists(CANONICAL)
)
def test_names_of_a_text_are_names(names):
    """All of them as they are written, or all of them as the integers that they are."""
    names = list(dict.fromkeys(names)) or ["None"]
    rows = [(c, name, 0, 1, 1) for c in (11, 12, 21, 22) for name in names]
    file = io.StringIO(newline="")
    csv.writer(file, delimiter="\t").writerows([("context", "replica", "item", "a", "b"), *rows])
    table = read_table(file.getvalue().encode(), "names")
    found = chsh.from_table(table)["replica"].values
    assert list(map(str, found.tolist())) == names
    assert found.dtype.kind == (
        "i" if all(re.fullmatch("0|-?[1-9][0-9]*", n) for n in names) else "U"
    )


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ((3, 1, 2), "i"),
        ((0.5, 1.0, np.inf), "f"),
        ((True, False), "b"),
        (("007", "7", "NA"), "U"),
        ((2**63, 2**64 - 1), "u"),
        ((2**63, 1), "U"),
        ((http.HTTPStatus.OK, http.HTTPStatus.FOUND), "U"),
        ((2**70, 1), "U"),
        ((1, "x"), "U"),
        ((1, 2.5), "U"),
        ((pd.Timestamp(0), pd.Timestamp(1)), "U"),
    ],
)
@pytest.mark.parametrize("dimension", ["replica", "item", "cluster"])
def test_names_of_a_typed_table_keep_their_type(names, kind, dimension):
    places = np.arange(len(names)).tolist()
    columns = {"replica": places, "item": 0, "a": 1, "b": 1, dimension: list(names)}
    if dimension == "item":
        columns["replica"] = 0
    table = pd.concat(
        pd.DataFrame({"context": context, **columns}, index=places, dtype=object)
        for context in (11, 12, 21, 22)
    )
    found = chsh.from_table(table)[dimension].values
    assert found.dtype.kind == kind
    assert found.tolist() == (list(map(str, names)) if kind == "U" else list(names))


TYPED = {
    "category": lambda table: table.astype("category"),
    "nullable": lambda table: table.convert_dtypes(),
    "Arrow's": lambda table: table.convert_dtypes(dtype_backend="pyarrow"),
    "objects": lambda table: table.astype(object),
    "small": lambda table: table.astype(dict.fromkeys("ab", np.int8) | {"item": np.float32}),
}


@pytest.mark.parametrize("typed", TYPED)
def test_the_types_of_a_dataframe_do_not_matter(typed):
    table = TABLE.assign(split="training", replica="r" + TABLE["replica"].astype(str))
    assert chsh.from_table(TYPED[typed](table)).identical(chsh.from_table(table))


def test_names_that_differ_only_in_type_are_refused():
    table = TABLE.assign(item=TABLE["item"].map({0: 1, 1: "1", 2: "x"}))
    with pytest.raises(ValueError, match="row 1: `item` is '1', row 0: `item` is 1: expected name"):
        chsh.from_table(table)


def test_an_empty_cell_is_refused(tmp_path):
    for name in ("replica", "item", "context", "a"):
        table = TABLE.astype(object)
        table.loc[50, name] = ""
        (tmp_path / "t").write_bytes(as_csv(table))
        with pytest.raises(ValueError, match=f"^row 50: `{name}` is '': expected"):
            chsh.from_table(tmp_path / "t")


def test_columns_may_be_called_otherwise():
    names = {"a": "alice_right", "b": "bob_right", "capacity": "width"}
    table = TABLE.assign(capacity=8).rename(columns=names)
    found = chsh.from_table(table, columns=names)
    assert found.drop_vars("capacity").identical(chsh.from_table(TABLE))
    assert found["capacity"].item() == 8
    assert found["capacity"].attrs == {"capacity_name": "width"}
    with pytest.warns(UserWarning, match="not read: `a`$"):
        assert chsh.from_table(TABLE.assign(right=1), columns={"a": "right"})["a"].min() == 1


@pytest.mark.parametrize(
    ("columns", "parts"),
    [
        ({"a": "alice"}, ("no column `alice`, to be `a`", "did you mean `alice_right`")),
        ({"a": "b"}, ("column `b` would be read as `a` and as `b`", "another column")),
        (
            {"a": "alice_right", "b": "alice_right"},
            ("column `alice_right`", "as `a` and as `b`"),
        ),
        ({"alice": "alice_right"}, ("unknown column `alice`", "did you mean `alice_")),
        ([("a", "alice_right")], ("`columns` is of type list", "a dict")),
        (None, ("no column `a`: found ['context',", "], and no `columns` that says which")),
    ],
)
def test_wrong_names_of_columns_are_refused(columns, parts):
    refused(
        lambda: chsh.from_table(TABLE.rename(columns={"a": "alice_right"}), columns=columns), parts
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["2", "16"], [2, 16]),
        (["2.0", "1e3"], [2.0, 1000.0]),
        ([0.1, 1 / 3], [0.1, 1 / 3]),
        (["2", "inf"], [2, np.inf]),
    ],
)
def test_capacities_are_numbers_however_written(tmp_path, written, expected):
    table = pd.concat([TABLE.assign(capacity=one) for one in written])
    (tmp_path / "t").write_bytes(as_csv(table))
    assert chsh.from_table(table)["capacity"].values.tolist() == expected
    assert chsh.from_table(tmp_path / "t")["capacity"].values.tolist() == expected


def test_one_capacity_may_be_written_in_two_ways():
    capacities = np.where(TABLE["item"] == 1, "2.0", "2")
    assert chsh.from_table(TABLE.assign(capacity=capacities))["capacity"].item() == 2


def test_items_of_two_splits_need_names_of_their_own():
    both = pd.concat([TABLE.assign(split="training"), TABLE.assign(split="held_out")])
    line = r"^rows 0 and 144 both have .*, item 0: expected one \(they differ in `split`: items"
    with pytest.raises(ValueError, match=line):
        chsh.from_table(both)
    twice = pd.concat([TABLE, TABLE]).assign(split="training")
    with pytest.raises(ValueError, match=r"item 0: expected one$"):
        chsh.from_table(twice)
    chsh.from_table(both.assign(item=both["split"] + both["item"].astype(str)))


LONG = "x" * 100_000


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        (TABLE.assign(a=LONG), None),
        (TABLE.assign(a=str({"a": list(range(1000))})), None),
        (TABLE.assign(replica=LONG).drop(index=0), None),
        (pd.concat([TABLE, TABLE]).assign(item=LONG), None),
        (TABLE.assign(split=["held_out", *["training"] * 143], item=LONG), None),
        (TABLE.rename(columns={"a": LONG}), None),
        (TABLE.rename(columns={"a": LONG}).assign(**{LONG: 3}), {"a": LONG}),
        (TABLE, {"a": LONG}),
        (LONG, None),
    ],
)
def test_a_refusal_stays_short(table, columns):
    with pytest.raises((ValueError, OSError)) as raised:
        chsh.from_table(table, columns=columns)
    assert len(str(raised.value)) < 700


def test_a_warning_stays_short():
    with pytest.warns(UserWarning, match=r"not read: `x+\.\.\.x+`$") as warned:
        chsh.from_table(TABLE.assign(**{LONG: 0}))
    assert len(str(warned[0].message)) < 200


def test_settings_may_have_a_column_each():
    table = TABLE.assign(
        alice_setting=TABLE["context"] // 10, bob_setting=(TABLE["context"] % 10).map("{}.0".format)
    )
    assert chsh.from_table(table.drop(columns="context")).identical(chsh.from_table(TABLE))
    with pytest.warns(UserWarning, match="not read: `alice_setting`, `bob_setting`$"):
        chsh.from_table(table)
    with pytest.raises(ValueError, match="row 3: `bob_setting` is '3': expected 1 or 2"):
        chsh.from_table(
            table.assign(bob_setting=["1"] * 3 + ["3"] * (len(table) - 3)).drop(columns="context")
        )


def test_a_comma_in_the_quotes_of_a_name_divides_nothing(tmp_path):
    table = TABLE.rename(columns={"a": "right, Alice"})
    (tmp_path / "t").write_bytes(as_csv(table, sep=";", quoting=csv.QUOTE_ALL))
    found = chsh.from_table(tmp_path / "t", columns={"a": "right, Alice"})
    assert found.identical(chsh.from_table(TABLE))


def test_further_columns_are_named_and_not_read(tmp_path):
    line = r"not read: `slit` \(did you mean `split`\?\), `note`$"
    with pytest.warns(UserWarning, match=line) as told:
        found = chsh.from_table(TABLE.assign(slit="training", note=""))
    assert told[0].filename == __file__, "the warning names another line than the caller's"
    assert found.identical(chsh.from_table(TABLE))
    many = pd.DataFrame(0, TABLE.index, [f"x{k}" for k in range(100)])
    with pytest.warns(UserWarning, match="`x9`, 90 more$"):
        chsh.from_table(pd.concat([TABLE, many], axis=1))
    TABLE.to_csv(tmp_path / "with_index.csv")
    with pytest.warns(UserWarning, match="not read: one without a name$"):
        chsh.from_table(tmp_path / "with_index.csv")


def clustered(sizes, seed=0):
    """Return a table in which the replicas of a cluster are copies, and one replica of each."""
    a, b = correlated_outcomes(singlet_correlators(), len(sizes), items=3, seed=seed)
    copied = long_table(a.repeat(sizes, axis=2), b.repeat(sizes, axis=2))
    names = np.repeat([f"class {k}" for k in range(len(sizes))], sizes)
    return copied.assign(cluster=names[copied["replica"]]), (a, b)


@pytest.mark.slow
@given(st.lists(st.integers(1, 4), min_size=6, max_size=12))
def test_copies_within_clusters_change_nothing(sizes):
    table, once = clustered(sizes)
    outcomes = chsh.from_table(table)
    means, expected = chsh.replica_means(outcomes), chsh.replica_means(once)
    assert means["replica"].values.tolist() == [f"class {k}" for k in range(len(sizes))]
    for name in means:
        assert means[name].dims == expected[name].dims
        np.testing.assert_allclose(means[name], expected[name], atol=1e-12)
    np.testing.assert_allclose(chsh.influence(outcomes), chsh.influence(once), atol=1e-12)


@pytest.mark.parametrize("readout", ["correct", "solved"])
def test_means_are_those_of_the_replicas_of_a_cluster(readout):
    outcomes = chsh.from_table(TABLE.assign(cluster=7 - TABLE["replica"] // 5))
    apart = chsh.replica_means(outcomes.drop_vars("cluster"), readout=readout)
    means = chsh.replica_means(outcomes, readout=readout)
    assert means["replica"].values.tolist() == [7, 6, 5]
    for place, (low, high) in enumerate([(0, 5), (5, 10), (10, 12)]):
        mean = apart.isel(replica=slice(low, high)).mean("replica")
        xr.testing.assert_allclose(means.isel(replica=place, drop=True), mean)


def test_a_report_counts_clusters_not_copies():
    table, once = clustered([5] * 12)
    report, expected = chsh.report(chsh.from_table(table)), chsh.report(once)
    assert report.interval == pytest.approx(expected.interval)
    assert report.p_value == pytest.approx(expected.p_value)
    assert report.influence == pytest.approx(expected.influence)
    assert report.influence_interval == pytest.approx(expected.influence_interval)


def test_clusters_may_be_a_coordinate_or_a_variable():
    table, _ = clustered([5] * 12)
    outcomes = chsh.from_table(table)
    variable = outcomes.reset_coords("cluster")
    assert "cluster" in variable.data_vars
    assert str(chsh.report(variable)) == str(chsh.report(outcomes))
    means = chsh.replica_means(variable)
    xr.testing.assert_identical(means, chsh.replica_means(outcomes))
    xr.testing.assert_identical(chsh.influence(variable), chsh.influence(outcomes))


def test_a_diverged_replica_counts_against_its_cluster_alone():
    """One context of one of the five replicas of one of twelve clusters: a change of S by 1 + E."""
    table, _ = clustered([5] * 12)
    outcomes = chsh.from_table(table.assign(diverged=False))
    assert chsh.report(outcomes).s_diverged_against == pytest.approx(chsh.report(outcomes).s)
    outcomes["diverged"][0, 0, 7] = True
    report = chsh.report(outcomes)
    correlator = chsh.replica_means(outcomes).correlator[0, 0, 1].item()
    assert report.s - report.s_diverged_against == pytest.approx((1 + correlator) / 60)


def test_a_cluster_is_checked():
    table = TABLE.assign(cluster=["x"] * 4 + ["y"] * (len(TABLE) - 4))
    with pytest.raises(
        ValueError, match="rows 3 and 4: replica 1 has `cluster` 'x' and 'y': expec"
    ):
        chsh.from_table(table)
    outcomes = chsh.from_table(TABLE)
    with pytest.raises(ValueError, match=r"`cluster` is over \('item',\): expected one for each"):
        chsh.report(outcomes.assign_coords(cluster=("item", [1, 2, 3])))
    cluster = [*range(11), np.nan]
    with pytest.raises(ValueError, match="`cluster` 11 is nan: expected a name"):
        chsh.report(outcomes.assign_coords(cluster=("replica", cluster)))


def test_copies_beyond_chance_are_warned_of():
    table, _ = clustered([100] * 10)
    line = "1,000 replicas are 10 different ones, each there a multiple of 100 times: if they"
    with pytest.warns(UserWarning, match=line):
        chsh.from_table(table.drop(columns="cluster"))
    chsh.from_table(table)  # warnings are errors
    for sizes in ([100] * 9, [1] * 20, [4, 6, 9] * 5):
        table, _ = clustered(sizes)
        chsh.from_table(table.drop(columns="cluster"))
    table, _ = clustered([4, 6] * 8)
    line = "80 replicas are 16 different .* a multiple of 2 times"
    with pytest.warns(UserWarning, match=line) as told:
        chsh.from_table(table.drop(columns="cluster"))
    assert told[0].filename == __file__, "the warning names another line than the caller's"


def test_copies_of_which_some_were_dropped_are_warned_of():
    for kinds, dropped in ((20, 1), (45, 2)):
        table, _ = clustered([5] * kinds)
        less = table[(table["replica"] % 5 > 0) | (table["replica"] >= 5 * dropped)]
        line = f"{kinds} different ones, all but {dropped} of them there a multiple of 5 times"
        with pytest.warns(UserWarning, match=line):
            chsh.from_table(less.drop(columns="cluster"))
        less = table[(table["replica"] % 5 > 0) | (table["replica"] > 5 * dropped)]
        chsh.from_table(less.drop(columns="cluster"))


@given(
    st.sampled_from([b"", b"{", b"\x1f\x8b", b"PAR1", codecs.BOM_UTF16_LE, b"a,b\n", b'"']),
    st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode("utf-8", "ignore")),
)
def test_any_content_is_a_table_or_refused_in_one_line(start, rest):
    try:
        found = read_table(start + rest, "content")
    except ValueError as error:
        line = str(error)
        assert line.startswith("content")
        assert "\n" not in line
    else:
        assert isinstance(found, pd.DataFrame)


CELLS = ("x", "7", "é", "\ufeff", " ", '"', '""', "\n", "\r", "\r\n")


@given(st.sampled_from(",;\t"), st.data())
def test_cells_are_those_that_the_csv_module_reads(delimiter, data):
    pieces = st.sampled_from((*CELLS, delimiter, delimiter))
    text = f"a{delimiter}b\n" + "".join(data.draw(st.lists(pieces)))
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    rows = [row for row in rows if len(row) > 1 or "".join(row).strip()]
    try:
        table = read_table(text.encode(), "cells")
    except ValueError:
        assert any(len(row) != 2 for row in rows)
    else:
        assert table.astype(str).to_numpy().tolist() == rows[1:]


def test_a_key_that_a_line_of_json_lacks_is_none(tmp_path):
    lines = as_json_lines(TABLE).splitlines()
    (tmp_path / "t").write_bytes(b"\n".join([*lines[:2], b'{"replica": 0}', *lines[2:]]))
    with pytest.raises(ValueError, match="is None"):
        chsh.from_table(tmp_path / "t")
