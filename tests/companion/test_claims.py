"""All statements together: what is said of each, where it is known from, and its effect."""

import re

import nbformat
import pytest
import yaml

from ncnet import claims
from ncnet.claims import SOURCES
from ncnet.companion.claims import CLAIMS, recorded_tables
from ncnet.results import ROOT
from ncnet.studies.atlas import claims as atlas
from ncnet.studies.capacity import claims as capacity
from ncnet.studies.generalization import claims as generalization
from ncnet.studies.mechanism import claims as mechanism
from ncnet.studies.multiverse import claims as multiverse
from ncnet.studies.ranks import claims as ranks

each_claim = pytest.mark.parametrize("claim", CLAIMS.values(), ids=list(CLAIMS))


def test_no_statement_of_a_study_is_lost():
    studies = (atlas, capacity, generalization, mechanism, multiverse, ranks)
    assert sorted(CLAIMS) == sorted(claim.name for study in studies for claim in study.CLAIMS)


@each_claim
def test_a_claim_says_what_it_is(claim):
    assert CLAIMS[claim.name] is claim
    assert claim.statement.endswith(".")
    assert claim.rule.endswith(".")
    assert claim.estimand
    assert claim.smallest
    assert (ROOT / f"{claim.evidence}.ipynb").exists()


# Read in the abstract, on the review page and in the summaries, apart from what the package says.
KNOWN_FROM = {
    "abstract": {
        "rises-to-2",
        "exceeds-2",
        "returns-to-2",
        "fluctuates-at-4",
        "fluctuates-at-8",
        "fluctuates-at-4-solved",
        "fluctuates-at-8-solved",
        "fluctuates-at-4-in-batches",
        "fluctuates-at-8-in-batches",
        "fluctuates-at-4-solved-in-batches",
        "fluctuates-at-8-solved-in-batches",
        "competition-causes",
        "oscillation-senses",
        "generalization-correlates-within",
        "generalization-correlates-across",
        "first-2-generalizes",
        "text-correlates-within",
        "text-correlates-across",
    },
    "review page": {
        "peak-at-3",
        "above-2-suffices-by-definition",
        "above-2-suffices-beyond-signalling",
        "multilingual-rises-from-heads-alone",
        "multilingual-rises-with-rank",
        "mixed-depends-on-difficulty",
        "mixed-depends-on-balance",
    },
    "other public summaries": {"mixed-passes-2-at-low-rank"},
}


def test_every_claim_names_the_source_that_has_it():
    found = {source: set() for source in SOURCES}
    for claim in CLAIMS.values():
        found[claim.source].add(claim.name)
    assert found == KNOWN_FROM


def test_every_source_is_a_reference_of_the_book():
    references = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
    for key in SOURCES.values():
        assert f"{{{key}," in references


@pytest.mark.parametrize("page", sorted({claim.evidence for claim in CLAIMS.values()}))
def test_the_head_of_a_notebook_cites_who_says_what_it_tests(page):
    cells = nbformat.read(ROOT / f"{page}.ipynb", as_version=4).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    [head] = re.findall(r"\*\*The paper's statements?\.\*\*.*?(?=\n\n)", prose, re.S)
    cited = set(re.findall(r"\{cite:p\}`(\w+)`", head))
    tested = {SOURCES[claim.source] for claim in CLAIMS.values() if claim.evidence == page}
    assert cited & set(SOURCES.values()) == tested


@pytest.fixture(scope="module")
def tables():
    """Return the recorded tables that the rules read, at the choices of the book."""
    return recorded_tables()


@each_claim
def test_a_finding_lies_within_its_interval(tables, claim):
    found = claims.findings(claim, tables)
    assert found
    for one in found.values():
        assert one.estimate.low <= one.estimate.value <= one.estimate.high
        assert one.holds in (True, False, None)


@each_claim
def test_a_rule_reads_no_other_table_than_it_says(tables, claim):
    assert claims.findings(claim, {claim.result: tables[claim.result]}) == claims.findings(
        claim, tables
    )


def test_what_was_judged_before_is_judged_still():
    first = yaml.safe_load((ROOT / "book" / "first_wordings.yml").read_text(encoding="utf-8"))
    now = [name for rule in first["rules"] for name in rule["now"]]
    assert len(now) == len(set(now))
    new = {name for name in CLAIMS if name.startswith(("fluctuates", "text"))}
    assert set(CLAIMS) - set(now) == new
    assert set(now) <= set(CLAIMS)
