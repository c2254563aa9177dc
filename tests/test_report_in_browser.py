"""The page "A table of your own": it answers and refuses what the package does, in its words."""

import base64
import csv
import io
import itertools
import re
import warnings
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy.special import ndtri, stdtrit
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

import ncnet
from ncnet import chsh
from ncnet.chsh import views
from ncnet.chsh.bootstrap import expanded_level
from ncnet.chsh.text import interval_text, number_text, p_value_text
from ncnet.printing import printable, shortened
from tests import browser
from tests.strategies import signalling_outcomes
from tests.test_report import CONCLUSIONS

PAGE = browser.HTML / "your_table.html"
RESAMPLES = 10_000
SIGMAS = 5
"""Of the Monte-Carlo error of a bootstrap's ends, by which two draws may differ."""

pytestmark = [
    pytest.mark.slow,
    browser.needs_browser,
    browser.needs_book,
    pytest.mark.skipif(not PAGE.is_file(), reason="the built book has no page `your_table`"),
]

ANSWER = """
    const [content, name] = arguments;
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    try {
        const outcomes = YourTable.tables.outcomes(bytes, name);
        const report = YourTable.statistics.report(outcomes);
        const conclusion = YourTable.words.conclusion(report).join(" ");
        return { ...report, conclusion, coding: outcomes.coding, notes: outcomes.notes };
    } catch (error) {
        if (!(error instanceof YourTable.Refused)) throw error;
        return { refused: error.message, hints: YourTable.hints.on(error) };
    }
"""
TOLD = """
    const { conclusion, read, drops, usual, contexts, notes } = YourTable.words;
    const [report] = arguments;
    const tables = [drops, usual, contexts].map((table) => table(report).rows);
    return [conclusion(report), read(report), ...tables, notes(report)];
"""


@pytest.fixture(scope="module")
def driver(driver):
    browser.emulate(driver, width=1280, scheme="light")
    driver.get(PAGE.as_uri())
    return driver


def answered(driver, content, name="t.csv"):
    """Return what the page makes of the bytes of a table."""
    return driver.execute_script(ANSWER, base64.b64encode(content).decode(), name)


def reported(folder, content):
    """Return the package's report on the bytes of a table, or why it is refused, and its notes."""
    path = folder / "t.csv"
    path.write_bytes(content)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            outcomes = chsh.from_table(path)
            found = chsh.report(outcomes)
        except ValueError as error:
            return str(error), None, None
    return found, outcomes.coding, [str(warning.message) for warning in caught]


# Random tables.

KINDS = ("noise", "mostly right", "all right", "alike", "signalling", "few differ", "box", "wrong")
WRITTEN = {
    "+1 and -1": [("1", "-1"), ("+1", "-1.0"), (" 1", "\N{MINUS SIGN}1"), ("1e0", "-1")],
    "1 and 0": [("1", "0"), ("1.0", "0.0"), ("01", "-0")],
    "true and false": [("true", "false"), ("TRUE", "False ")],
}
CONTEXTS = ("{}{}", "({},{})", "[ {}, {} ]", "{} {}", "{}.0,{}", "{}{}.00")
NAMES = ("{}", "seed {}", "0{}", '<b title="x">{}</b>', "a;b,c\t{}", 'say "{}"', "__proto__{}")
SIZES = [(1, 1), (2, 3), (5, 8), (12, 1), (40, 2), (64, 8), (150, 5), (400, 1), (333, 3)]


def signs(kind, replicas, items, generator):
    """Return outcomes of a kind, +1 and -1, [2, 2, 2, replicas, items]: party, settings, ..."""
    shape = (2, 2, 2, replicas, items)
    if kind in ("all right", "wrong"):
        return np.full(shape, 1 if kind == "all right" else -1)
    if kind == "alike":
        return np.broadcast_to(generator.choice([-1, 1], (2, 2, 2, 1, items)), shape)
    if kind == "few differ":
        rare = generator.random((2, 2, 2, replicas, 1)) < 1.5 / replicas
        return np.where(rare, -1, 1) * np.ones(shape, int)
    chance = {"noise": 0.5, "mostly right": 0.05}.get(kind, 0.02)
    found = np.where(generator.random(shape) < chance, -1, 1)
    if kind == "box":
        found[1] = found[0] * np.array([[1, 1], [1, -1]])[:, :, None, None]
    if kind == "signalling":
        astray = generator.random((2, replicas, items)) < generator.choice([0.3, 0.8])
        found[:, 1, 1] = np.where(astray, -1, found[:, 1, 1])
    return found


def written(rows, generator):
    """Return rows as the bytes of a text, in one of the ways in which there are such texts."""
    delimiter = generator.choice([",", ";", "\t"])
    text = io.StringIO()
    end = generator.choice(["\n", "\r\n"])
    quoting = int(generator.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    blank = generator.choice(["", end, f" {end}"])
    encoding = generator.choice(["utf-8", "utf-8-sig", "utf-16"])
    return (text.getvalue() + blank).encode(encoding)


def random_table(seed):
    """Return the bytes of a table that both should answer."""
    generator = np.random.default_rng(seed)
    kind, (replicas, items) = KINDS[seed % len(KINDS)], SIZES[seed % len(SIZES)]
    a, b = signs(kind, replicas, items, generator)
    coding = generator.choice(list(WRITTEN))
    right, wrong = WRITTEN[coding][generator.integers(len(WRITTEN[coding]))]
    replica, item = (NAMES[generator.integers(len(NAMES))].format for _ in range(2))
    clusters = generator.integers(1, replicas + 1) if generator.random() < 0.3 else 0
    cluster = generator.integers(max(clusters, 1), size=replicas)
    held_out = generator.random(items) < 0.3 if generator.random() < 0.3 else np.zeros(items, bool)
    held_out[0] = False
    diverged = generator.random((2, 2, replicas)) < (0.1 if generator.random() < 0.3 else 0)
    apart = generator.random() < 0.3
    context = CONTEXTS[generator.integers(len(CONTEXTS))].format
    further = {
        "cluster": (clusters, lambda i, j, r, k: f"class {cluster[r]}"),
        "split": (held_out.any(), lambda i, j, r, k: "held_out" if held_out[k] else "training"),
        "diverged": (diverged.any(), lambda i, j, r, k: str(diverged[i, j, r])),
        "capacity": (generator.random() < 0.2, lambda i, j, r, k: "2.50"),
        "constructor": (generator.random() < 0.2, lambda i, j, r, k: "<i>"),
        "": (generator.random() < 0.1, lambda i, j, r, k: ""),
    }
    further = {name: value for name, (there, value) in further.items() if there}
    head = ["alice_setting", "bob_setting"] if apart else ["context"]
    rows = []
    for i, j, r, k in itertools.product(range(2), range(2), range(replicas), range(items)):
        outcome = [right if party[i, j, r, k] > 0 else wrong for party in (a, b)]
        settings = [str(i + 1), f"{j + 1}.0"] if apart else [context(i + 1, j + 1)]
        more = [value(i, j, r, k) for value in further.values()]
        rows.append([*settings, replica(r), item(k), *outcome, *more])
    order = generator.permutation(len(rows)) if generator.random() < 0.5 else range(len(rows))
    shuffled = [rows[place] for place in order]
    return written([[*head, "replica", "item", "a", "b", *further], *shuffled], generator)


# What two reports are compared by.

EXACT = {
    "s": "s",
    "delta": "delta",
    "excess": "excess",
    "influence": "influence",
    "correlators": "correlators",
    "alice": "alice",
    "bob": "bob",
    "changes": "changes",
    "share_above": "shareAbove",
    "s_diverged_against": "sDivergedAgainst",
}
P_VALUES = {
    "p_value": "pValue",
    "p_value_below": "pValueBelow",
    "no_signalling_p_values": "noSignallingPValues",
    "excess_p_value": "excessPValue",
    "excess_p_value_below": "excessPValueBelow",
    "any_facet_p_value": "anyFacetPValue",
}
SAME = {
    "interval_method": "intervalMethod",
    "excess_method": "excessMethod",
    "replicas_needed": "replicasNeeded",
    "replicas": "replicas",
    "items": "items",
    "clusters": "clusters",
    "diverged": "diverged",
    "split": "split",
    "units": "units",
    "independent": "independent",
}


def assert_same_numbers(page, report):
    """All that no random number enters, and the methods of what one does."""
    for ours, theirs in SAME.items():
        assert page[theirs] == getattr(report, ours), ours
    for ours, theirs in EXACT.items():
        value = np.ravel(getattr(report, ours))
        np.testing.assert_allclose(np.ravel(page[theirs]), value, rtol=0, atol=1e-9, err_msg=ours)
    for ours, theirs in P_VALUES.items():
        value = np.ravel(getattr(report, ours))
        np.testing.assert_allclose(np.ravel(page[theirs]), value, rtol=1e-9, err_msg=ours)
    assert page["largestFacet"]["value"] == pytest.approx(report.facets.max(), abs=1e-9)
    few = report.independent < views.FEW_REPLICAS
    sign = pytest.approx(report.sign_p_value, rel=1e-9, abs=0) if few else None
    assert page["signPValue"] == sign
    shown = report.smallest_s_shown
    assert page["smallestShown"] == (shown and pytest.approx(shown, abs=2e-9))
    for ours, theirs in zip(report.drops.to_dict("records"), page["drops"], strict=True):
        for name, key in (("points", "points"), ("p_value", "pValue")):
            assert theirs[key] == pytest.approx(ours[name], rel=1e-9, abs=1e-9)


@dataclass
class Tolerance:
    """How far the end of an interval may be from that of another draw of the same bootstrap.

    The quantile at p of B draws has the standard error sqrt(p (1 - p) / B) / f, f being the density
    there: of a normal distribution with the standard error of the mean. Two draws differ by
    sqrt(2) times as much. A mean of outcomes has steps, and so has its quantile.
    """

    tail: float
    resamples: int
    step: float

    def of(self, interval):
        low, high = interval
        z = -ndtri(self.tail)
        density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
        error = (high - low) / (2 * z)
        quantile = np.sqrt(self.tail * (1 - self.tail) * (1 / self.resamples + 1 / RESAMPLES))
        return SIGMAS * quantile / density * error + self.step + 1e-8


def assert_close_intervals(page, report):
    """The ends of intervals, within the error of a bootstrap; others are equal."""
    step = 8 / (report.independent * report.items)
    at = {tail: Tolerance(tail, page["resamples"], step).of for tail in (0.025, 0.00625)}

    def compare(found, expected, tolerance):
        assert np.abs(np.subtract(found, expected)).max() <= tolerance, (found, expected)

    compare(page["bettingInterval"], report.betting_interval, 1e-8)
    exact = report.interval_method == "betting"
    compare(page["interval"], report.interval, 1e-8 if exact else at[0.025](report.interval))
    compare(
        page["influenceInterval"], report.influence_interval, at[0.025](report.influence_interval)
    )
    pairs = zip(page["correlatorIntervals"], report.correlator_intervals.reshape(4, 2), strict=True)
    for found, expected in pairs:
        compare(found, expected, at[0.025](expected))
    together = [at[0.00625](expected) for expected in report.change_intervals]
    for found, expected, near in zip(
        page["changeIntervals"], report.change_intervals, together, strict=True
    ):
        compare(found, expected, near)
    compare(page["deltaInterval"], report.delta_interval, sum(together))
    low, high = report.excess_interval
    assert page["excessInterval"][0] == pytest.approx(low, abs=1e-8)
    bets = report.excess_method == "betting"
    half = report.excess - low
    near = 1e-8 if bets else at[0.025]((report.excess - half, report.excess + half))
    assert abs(page["excessInterval"][1] - high) <= near


def sides(interval, explained, influence, changes):
    """Return on which side of their bounds the ends of intervals are: verdicts hang on it."""
    bounds = ((interval, 2), (explained, 0), (influence, 0), *((change, 0) for change in changes))
    return [np.sign(end - bound) for pair, bound in bounds for end in pair]


def are_alike(page, report):
    names = ("betting_interval", "excess_interval", "influence_interval", "change_intervals")
    ours = [getattr(report, name) for name in names]
    return sides(*ours) == sides(*(page[re.sub("_i", "I", name)] for name in names))


def without_intervals(text):
    return re.sub(r"\[[^\]]*\]", "[]", text)


@pytest.mark.parametrize("seeds", [range(start, 72, 6) for start in range(6)], ids=str)
def test_a_table_is_answered_as_the_package_does(driver, tmp_path, seeds):
    alike = 0
    for seed in seeds:
        content = random_table(seed)
        report, coding, notes = reported(tmp_path, content)
        page = answered(driver, content)
        assert "refused" not in page, (seed, page)
        assert (page["coding"], page["notes"]) == (coding, notes)
        for ours, theirs in ((report, page), (report.held_out, page["heldOut"])):
            assert (ours is None) == (theirs is None)
            if ours is not None:
                assert_same_numbers(theirs, ours)
                assert_close_intervals(theirs, ours)
        if are_alike(page, report):
            alike += 1
            assert without_intervals(page["conclusion"]) == without_intervals(report.conclusion)
    assert alike > 0.8 * len(seeds)


def test_many_replicas_are_answered_with_fewer_resamples(driver, tmp_path):
    a, b = signs("mostly right", 30_000, 1, np.random.default_rng(0))
    rows = ["context,replica,item,a,b"]
    for i, j, r in itertools.product(range(2), range(2), range(30_000)):
        rows.append(f"{i + 1}{j + 1},{r},0,{a[i, j, r, 0]},{b[i, j, r, 0]}")
    content = "\n".join(rows).encode()
    page, (report, *_) = answered(driver, content), reported(tmp_path, content)
    assert 2_000 <= page["resamples"] < RESAMPLES
    assert_same_numbers(page, report)
    assert_close_intervals(page, report)


# Words.


def of_page(report):
    """Return a report of the package as the page has its numbers."""
    named = EXACT | P_VALUES | SAME | {name: name for name in ("verdict", "signalling", "level")}
    named |= {"smallest_s_shown": "smallestShown", "explanation": "explanation"}
    named |= {name: re.sub("_i", "I", name) for name in vars(report) if name.endswith("_interval")}
    named |= {"interval": "interval", "change_intervals": "changeIntervals"}
    found = {key: np.asarray(getattr(report, name)).tolist() for name, key in named.items()}
    few = report.independent < views.FEW_REPLICAS
    found["signPValue"] = report.sign_p_value if few else None
    for name in ("correlators", "alice", "bob"):
        found[name] = np.ravel(found[name]).tolist()
    found["correlatorIntervals"] = report.correlator_intervals.reshape(4, 2).tolist()
    found["largestFacet"] = {"name": report.facets.idxmax(), "value": report.facets.max()}
    found["heldOut"] = report.held_out and of_page(report.held_out)
    keys = {"worse_partner": "worsePartner", "other_partner": "otherPartner", "p_value": "pValue"}
    keys |= {"right_with_worse": "rightWithWorse", "right_with_other": "rightWithOther"}
    rows = report.drops.rename(columns=keys).drop(columns="shown").to_dict("records")
    found["drops"] = [row | {"ends": [row["low"], row["high"]]} for row in rows]
    return found


def rows_of(table):
    return [[str(name), *cells] for name, *cells in table.itertuples()]


def assert_told_to_the_letter(driver, report):
    told = driver.execute_script(TOLD, of_page(report))
    shown = views.ReportView(report, rarer=False)
    expected = [
        views.conclusion(report),
        views.data_read(report),
        rows_of(views.drops(report)),
        rows_of(views.statistics(report, rarer=False)),
        rows_of(views.contexts(report)),
        list(shown._notes()),
    ]
    for one, other in zip(told, expected, strict=True):
        assert one == other


def test_a_report_is_told_to_the_letter(driver, tmp_path):
    for seed in range(3, 72, 3):
        report, *_ = reported(tmp_path, random_table(seed))
        assert_told_to_the_letter(driver, report)


def test_where_interval_and_exact_test_differ_it_is_told_to_the_letter(driver):
    report = chsh.report(signalling_outcomes(0.3, replicas=400, items=8, seed=2))
    for changes, *_ in CONCLUSIONS:
        assert_told_to_the_letter(driver, replace(report, **changes))


def test_numbers_and_names_are_written_as_the_package_does(driver):
    generator = np.random.default_rng(0)
    values = [*generator.normal(size=60), *(generator.integers(-64, 64, 60) / 16), 0.0, -0.0]
    values += [-0.0001, 2.0005, 0.0625, 1e-9, 2 / 3]
    pairs = [sorted(pair) for pair in generator.normal(size=(20, 2)).tolist()]
    pairs += [[1.9999, 2.00012], [0.0, 0.0], [2.0, 2 + 1e-15], [-1e-9, 1e-9]]
    p_values = [1.0, 0.0625, 0.001, 0.00099, 3.21e-8, 9.6e-10, 2.5e-101, 1e-301]
    names = ["", "it's", '"', "it's \"", "a\tb\n\\", "\x1b[31m\u202e", "é\U0001f600", "x" * 200]
    found = driver.execute_script(
        """
        const { text } = YourTable;
        const [values, pairs, pValues, names] = arguments;
        return [
            values.map((value) => [3, 1, 0].map((digits) => text.number(value, digits))),
            pairs.map((pair) => text.interval(pair, 3, "+")),
            pValues.map(text.pValue),
            names.map((name) => text.shortened(text.quoted(name))),
            names.map((name) => text.line(name)),
        ];
        """,
        [float(value) for value in values],
        pairs,
        p_values,
        names,
    )
    assert found == [
        [[number_text(value, digits) for digits in (3, 1, 0)] for value in values],
        [interval_text(tuple(pair), sign="+") for pair in pairs],
        list(map(p_value_text, p_values)),
        [shortened(repr(name)) for name in names],
        list(map(printable, names)),
    ]


def test_students_quantiles_are_those_of_scipy(driver):
    replicas = [11, 12, 32, 33, 1600, 50_000]
    found = driver.execute_script(
        """
        const { student, expandedLevel } = YourTable.resampling;
        return arguments[0].map((r) => [student(0.975, r - 1), expandedLevel(0.9875, r)]);
        """,
        replicas,
    )
    expected = [[stdtrit(r - 1, 0.975), expanded_level(0.9875, r)] for r in replicas]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


# Refusals.

HEAD = "context,replica,item,a,b"
WHOLE = [f"{context},{r},{k},1,-1" for context in (11, 12, 21, 22) for r in (1, 2) for k in (0, 1)]


def table(*rows, head=HEAD, drop=(), change=None):
    lines = [row for place, row in enumerate(WHOLE) if place not in drop]
    for place, row in (change or {}).items():
        lines[place] = row
    return "\n".join([head, *lines, *rows]).encode()


def column(name, cells, split=","):
    """The whole table with one more column, of which the last cell goes on."""
    cells = [*cells, *[cells[-1]] * len(WHOLE)]
    rows = [f"{row}{split}{cell}" for row, cell in zip(WHOLE, cells, strict=False)]
    return "\n".join([f"{HEAD},{name}", *rows]).encode()


REFUSED = {
    "empty": b"",
    "blank": b" \n\n",
    "empty quotes": b'""\n',
    "header only": HEAD.encode(),
    "no column": b"context,replica,item,a\n11,1,1,1\n",
    "one column": b"context replica item a b\n11 1 1 1 1",
    "no context": b"alice_setting,replica,item,a,b\n1,1,1,1,1",
    "twice a column": column("a", ["1"]),
    "zero byte": table("11,3,\0,1,1"),
    "short row": table("11,3"),
    "long row": table("11,3,0,1,1,1"),
    "trailing commas": b"a,b\n1,1,\n1,1,\n",
    "long cell": table('11,3,0,1,"' + 10**6 * "x" + '"'),
    "long cell after ends of lines": (
        table().replace(b"\n", b"\r\n") + b'\r\n"11\n\r\r\n",3,"' + 10**6 * b"x"
    ),
    "unbalanced quote": table('11,"3,0,1,1', "12,3,0,1,1"),
    "bad outcome": table(change={3: "11,2,1,1,yes"}),
    "markup": table(change={3: "11,2,1,<img src=x onerror=alert(1)>,1"}),
    "NaN": table(change={3: "11,2,1,NaN,1"}),
    "Infinity": table(change={3: "11,2,1,-Infinity,1"}),
    "huge": table(change={3: f"11,2,1,{10**40},1"}),
    "blank outcome": table(change={3: "11,2,1, ,1"}),
    "2": table(change={3: "11,2,1,2,1"}),
    "control letters": table(change={3: "11,2,1,\x1b[31m\u202e,1"}),
    "mixed codings": table(change={3: "11,2,1,0,1"}),
    "mixed words": table(change={3: "11,2,1,true,1", 2: "11,2,0,1,false"}),
    "bad context": table(change={3: "13,2,1,1,1"}),
    "context in words": table(change={3: '"(1,2",2,1,1,1'}),
    "blank name": table(change={3: "11, ,1,1,1"}),
    "repeated row": table(WHOLE[4], WHOLE[1]),
    "repeated over a step": column("step", ["1"]) + b"\n11,1,0,1,1,2",
    "no context at all": table(drop=range(4, 8)),
    "gap": table(drop=[6]),
    "gap at the end": table(drop=[15]),
    "gap of a name": table('11,"it\'s <b>",0,1,1'),
    "gap of a quoted name": table('11,"so ""called"", it\'s"then,0,1,1'),
    "bad split": column("split", ["test"]),
    "two splits": column("split", ["held_out", "training"]),
    "two clusters": column("cluster", ["x", "y"]),
    "bad cluster": column("cluster", [""]),
    "bad target": column("alice_target", ["1", "0", "-1"]),
    "two targets": column("alice_target", ["1", "1", "-1"]),
    "bad flag": column("diverged", ["-1"]),
    "bad loss": column("bob_loss", ["high"]),
    "two losses": column("alice_loss", ["nan", "", "1", "2"]),
    "bad capacity": column("capacity", ["", "1"]),
    "gap at a capacity": column("capacity", ["2.50", "inf"]),
    "bad setting": b"alice_setting,bob_setting,replica,item,a,b\n1,3,1,1,1,1",
    "separator as a name": table(change={3: "11,\x1c,1,1,1"}),
    "next line as a name": table(change={3: "11,\x85,1,1,1"}),
    "mark before an outcome": table(change={3: "11,2,1,\ufeff1,1"}),
    "mark on a line": table("\ufeff"),
    "two marks": b"\xef\xbb\xbf\xef\xbb\xbf" + table(),
    "separator beside a number": column("capacity", ["\x1c2"]),
    "bad cluster and target": column("cluster,alice_target", [",9"]),
    "bad seed and target": column("replica_seed,bob_target", [",9"]),
    "bad split and target": column("split,bob_target", ["x,9"]),
    "twice two columns": column("cluster,cluster,split,split", ["1,1,training,training"]),
    "twice a setting and the item": (
        b"alice_setting,bob_setting,bob_setting,replica,item,item,a,b\n1,1,1,1,1,1,1,1"
    ),
    "long cell of long letters": table("\n11,3,0,1," + 131073 * "\U0001f600"),
    "no letter": "é,a\n1,1".encode("latin-1"),
    "half a pair": b"\xff\xfea",
    "workbook": b"PK\x03\x04\x14\x00",
}
LIKE = {
    "no column": r"the table has no column `b`: found \['context', 'replica', 'item', 'a'\]; ",
    "two marks": r"the table has no column `context`: found \['\\ufeffcontext', 'replica', ",
    "no context": r"the table has no column `context`: found \['alice_setting', 'replica', ",
    "zero byte": "t.csv is no text, it holds zero bytes: ",
    "no letter": "t.csv is no text in UTF-8: ",
    "half a pair": "t.csv is no text in UTF-16: ",
    "workbook": "t.csv is a zip file, perhaps a workbook: ",
}
"""Lines that end otherwise: the page reads less, and has no options."""


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_package_refuses_the_page_refuses(driver, tmp_path, name):
    line, *_ = reported(tmp_path, REFUSED[name])
    assert isinstance(line, str)
    found = answered(driver, REFUSED[name])["refused"]
    if name in LIKE:
        assert re.match(LIKE[name], found), found
    else:
        assert found == line


@pytest.mark.parametrize(
    "capacity", ["1e16", "1e-5", "1.5e-7", "0.0001", "-0.0", "0", "9" * 19, "\u0665", "-inf"]
)
def test_a_capacity_is_written_as_the_package_does(driver, tmp_path, capacity):
    content = column("capacity", [capacity]).rpartition(b"\n")[0]
    line, *_ = reported(tmp_path, content)
    assert answered(driver, content)["refused"] == line


HEADER, *ROWS = table().replace(b",", b";").splitlines()
LETTERS = {
    "a comma in quotes": b"\n".join([HEADER + b';"note, free"', *(row + b";x" for row in ROWS)]),
    "digits of another script": table().replace(b"-1", "-\u0661".encode()),
    "wide digits": column("capacity", ["\uff12", "2", "\U0001d7da.0"]),
    "space around outcomes": table().replace(b"-1", b"\x1c-1\xc2\x85"),
    "a mark as a name": table().replace(b",2,", ",\ufeff,".encode()),
    "space around a name": b"\x1c" + table(),
    "blank lines": table().replace(b"\n", b"\n\x1c\n\xc2\x85\n\xe3\x80\x80\n"),
    "two zeros": column("capacity", ["0.0", "-0.0"]),
    "long letters": table().replace(b",2,", f",{131072 * chr(0x1F600)},".encode()),
}


@pytest.mark.parametrize("content", LETTERS.values(), ids=LETTERS)
def test_letters_are_space_and_digits_where_they_are_to_python(driver, tmp_path, content):
    report, coding, notes = reported(tmp_path, content)
    page = answered(driver, content)
    assert "refused" not in page, page
    assert (page["s"], page["coding"], page["notes"]) == (report.s, coding, notes)


NAMED = "Name the columns in the first row context, replica, item, a, b."
COMMA = "A context with a comma needs quotes, or is written 11, 12, 21 or 22."
NO_RATES = "One row an item: right or wrong, no rates."
COUNTED = "Rows count from 0, without the header and blank lines: "
HINTS = {
    "names": (table(head="Context,Replica,Item,A,B"), [NAMED]),
    "one name": (b"context replica item a b\n11 1 1 1 1", [NAMED]),
    "comma": (table(change={0: "(1,1),1,0,1,-1"}), [COMMA, f"{COUNTED}row 0 is line 2"]),
    "a cell too few": (table("11,3,0,1"), [f"{COUNTED}row 16 is line 18"]),
    "percent": (table(change={1: "11,1,1,1,80.3%"}), [NO_RATES, f"{COUNTED}row 1 is line 3"]),
    "decimal comma": (
        table(change={3: "11,2,1,0,888"}).replace(b",", b";").replace(b"0;888", b"0,888;1"),
        [NO_RATES, f"{COUNTED}row 3 is line 5"],
    ),
    "half": (table(change={0: "11,1,0,0.5,1"}), [NO_RATES, f"{COUNTED}row 0 is line 2"]),
    "count": (table(change={0: "11,1,0,37,1"}), [NO_RATES, f"{COUNTED}row 0 is line 2"]),
    "words": (table(change={0: "11,1,0,yes,1"}), [f"{COUNTED}row 0 is line 2"]),
    "workbook": (b"PK\x03\x04\x14\x00", ["Save it as CSV."]),
    "blank lines": (
        b"\n\n" + table('\n12,"3\n\r\n",1,1,1', "12,4,1,x,1"),
        [f"{COUNTED}row 17 is line 24"],
    ),
    "two rows": (table(WHOLE[4], WHOLE[1]), [f"{COUNTED}rows 1 and 17 are lines 3 and 19"]),
    "two codings": (table(change={3: "11,2,1,0,1"}), [f"{COUNTED}rows 0 and 3 are lines 2 and 5"]),
    "gap": (table(drop=[6]), []),
}


@pytest.mark.parametrize(("content", "hints"), HINTS.values(), ids=HINTS)
def test_a_refusal_says_where_and_what_may_help(driver, content, hints):
    found = answered(driver, content, "row 7.csv")["hints"]
    assert [hint.removesuffix(" of the file.") for hint in found] == hints


ELSEWHERE = {
    "JSON lines": (b'{"context": 11}\n', r"t.csv begins with `\{`: .*`ncnet report` reads"),
    "parquet": (b"PAR1", "t.csv is a parquet file: .*`ncnet report` reads parquet"),
    "gzip": (b"\x1f\x8b\x08", "t.csv is a gzip file: .*`ncnet report` reads"),
    "capacities": (
        b"\n".join([column("capacity", ["4"]), *column("capacity", ["2"]).split(b"\n")[1:]]),
        "the table has 2 capacities, 2, 4: .*`ncnet report --capacity 2` chooses it",
    ),
    "held out": (column("split", ["held_out"]), "no item has split `training`: `ncnet report --sp"),
}


@pytest.mark.parametrize(("content", "line"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_the_page_does_not_read_is_left_to_the_command(driver, content, line):
    assert re.match(line, answered(driver, content)["refused"])


def damaged(generator):
    """Return the bytes of a small table in which letters or lines were changed by chance."""
    content = bytearray(table())
    for _ in range(generator.integers(1, 3)):
        place = generator.integers(len(content))
        piece = generator.choice(
            ["", ",", '"', "\n", "\r", ";", "\t", "1", "-", "2", " ", "é", "_"]
        )
        content[place : place + generator.integers(0, 2)] = piece.encode()
    return bytes(content)


def test_damaged_tables_are_answered_or_refused_alike(driver, tmp_path):
    generator = np.random.default_rng(0)
    answers = 0
    for _ in range(120):
        content = damaged(generator)
        page, (report, _, notes) = answered(driver, content), reported(tmp_path, content)
        if isinstance(report, str):
            same = "found [" in report or page["refused"] == report
            assert same, (content, page, report)
            assert page["refused"].startswith(report.partition(": found [")[0])
        else:
            answers += 1
            assert page["s"] == pytest.approx(report.s), content
            assert page["notes"] == [re.sub(r" \(did you mean [^)]*\)", "", n) for n in notes]
    assert answers > 5


# The page itself.


class Page:
    """The open page."""

    def __init__(self, driver):
        self.driver = driver
        driver.get(PAGE.as_uri())

    def by_id(self, name):
        return self.driver.find_element(By.ID, f"report-{name}")

    def wait(self, condition):
        return WebDriverWait(self.driver, 30).until(lambda _: condition())

    def choose(self, path):
        self.by_id("file").send_keys(str(path))

    def drop(self, *files, where="h1"):
        """Drop files, pairs of a content and a name, on an element."""
        self.driver.execute_script(
            """
            const data = new DataTransfer();
            for (const [content, name] of arguments[0]) data.items.add(new File([content], name));
            const event = { bubbles: true, cancelable: true, dataTransfer: data };
            document.querySelector(arguments[1]).dispatchEvent(new DragEvent("drop", event));
            """,
            [(content.decode(), name) for content, name in files],
            where,
        )

    def wait_for_answer(self):
        self.wait(lambda: self.by_id("answer").is_displayed())
        return self.by_id("answer")

    def wait_for_refusal(self):
        return self.wait(lambda: self.by_id("refusal").text)


@pytest.fixture
def page(driver):
    return Page(driver)


def test_a_chosen_file_is_answered_and_what_it_says_stays_text(page, tmp_path):
    path = tmp_path / "<img src=x onerror=alert(1)>.csv"
    path.write_bytes(column("<b>note</b>", ["1"]))
    page.choose(path)
    answer = page.wait_for_answer()
    assert "S is not distinguishable from 2: \N{MINUS SIGN}2.000" in answer.text
    assert "columns that are not read: `<b>note</b>`" in answer.text
    assert "<img src=x onerror=alert(1)>.csv" in answer.text
    assert not answer.find_elements(By.CSS_SELECTOR, "img, b")
    assert len(answer.find_elements(By.CSS_SELECTOR, "table caption")) == 3
    assert page.by_id("status").get_attribute("textContent").startswith("S is not distinguishable")
    assert not browser.complaints(page.driver)


def test_a_refused_file_is_named_and_takes_the_last_answer_away(page, tmp_path):
    page.by_id("try").click()
    page.wait_for_answer()
    path = tmp_path / "bad.csv"
    path.write_bytes(REFUSED["markup"])
    page.choose(path)
    said = page.wait_for_refusal()
    assert "bad.csv" in said
    assert "row 3: `a` is '<img src=x onerror=alert(1)>': expected true or false" in said
    assert "Rows count from 0" in said
    assert not page.by_id("answer").is_displayed()
    page.driver.execute_script("document.getElementById('report-file').value = ''")
    path.write_bytes(table())  # mended, and chosen once more
    page.choose(path)
    page.wait_for_answer()
    assert not page.by_id("refusal").text


@pytest.mark.parametrize("where", ["#report-area", "h1"])
def test_a_dropped_file_is_answered(page, where):
    """Wherever it falls: the browser would open it in place of the page."""
    page.drop((table(), "dropped.csv"), where=where)
    assert "Input: dropped.csv" in page.wait_for_answer().text


def test_a_file_without_a_name_is_answered(page):
    page.drop((table(), ""))
    assert "Input: a file without a name" in page.wait_for_answer().text


def test_of_two_files_none_is_answered(page):
    page.drop((table(), "one.csv"), (table(), "two.csv"))
    said = page.wait_for_refusal()
    assert said == "2 files cannot be answered.\nthere are 2 files: expected one table"
    assert not page.by_id("answer").is_displayed()


def test_a_dropped_folder_is_refused(page, tmp_path):
    folder = tmp_path / "tables"
    folder.mkdir()
    data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        event = {"type": kind, "x": 600, "y": 300, "data": data}
        page.driver.execute_cdp_cmd("Input.dispatchDragEvent", event)
    said = page.wait_for_refusal()
    assert said == "tables cannot be answered.\ntables is a folder: expected a file"


def test_a_file_that_is_gone_is_refused(page, tmp_path):
    path = tmp_path / "gone.csv"
    path.write_bytes(table())
    page.driver.execute_script(
        """
        const stop = (event) => event.stopPropagation();
        addEventListener("change", stop, { capture: true, once: true });
        """
    )
    page.choose(path)
    path.unlink()
    page.driver.execute_script(
        "document.getElementById('report-file').dispatchEvent(new Event('change'))"
    )
    assert "gone.csv cannot be read: expected a file that is there" in page.wait_for_refusal()


def test_dragged_text_is_left_alone(page):
    taken = page.driver.execute_script(
        """
        const data = new DataTransfer();
        data.setData("text/plain", "a word");
        return ["dragover", "drop"].flatMap((kind) => [data, null].map((dataTransfer) => {
            const event = new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer });
            document.body.dispatchEvent(event);
            return event.defaultPrevented;
        }));
        """
    )
    assert taken == [False] * 4
    assert not browser.complaints(page.driver)


def test_the_example_can_be_downloaded(page, tmp_path):
    link = page.by_id("download")
    assert link.get_attribute("download") == "example.csv"
    content = page.driver.execute_async_script(
        "fetch(arguments[0]).then((found) => found.text()).then(arguments[1])",
        link.get_attribute("href"),
    )
    report, *_ = reported(tmp_path, content.encode())
    assert answered(page.driver, content.encode())["s"] == pytest.approx(report.s)


def test_the_example_is_one_key_away_and_a_training_of_today(page):
    browser.requests(page.driver)
    page.driver.execute_script("document.getElementById('report-try').focus()")
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    text = page.wait_for_answer().text
    assert not [one for one in browser.requests(page.driver) if one.startswith("http")]
    outcomes = ncnet.train(ncnet.games.overlap(), hidden_size=3, replicas=1600, seed=0)
    answers = page.driver.execute_script(
        "return [...YourTable.tables.outcomes(YourTable.example.content(), 'e').answers]"
    )
    order = ("replica", "alice_setting", "bob_setting", "item")
    a, b = (outcomes[name].transpose(*order).values.ravel() > 0 for name in "ab")
    assert np.mean(answers == 2 * a + b) > 0.99  # without a compiler a few networks end elsewhere
    report = chsh.report(outcomes)
    assert f"S is {report.verdict}" in text
    assert views.EXPLAINS[report.explanation] in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_answer_is_accessible_and_fits_a_phone(page, scheme):
    browser.emulate(page.driver, width=390, scheme=scheme)
    try:
        page.by_id("try").click()
        page.wait_for_answer()
        wide = page.driver.execute_script("return document.documentElement.scrollWidth")
        assert wide <= 390
        assert not browser.audit(page.driver, "report-root")
    finally:
        browser.emulate(page.driver, width=1280, scheme="light")
