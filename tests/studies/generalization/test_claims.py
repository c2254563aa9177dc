"""The rules on generalization, on rows whose verdict is plain."""

import pandas as pd
import pytest
import yaml

from ncnet import results
from ncnet.claims import verdict
from ncnet.estimates import Estimate, columns_of
from ncnet.studies.generalization.claims import CLAIMS, CONDITIONS, answers_by_margin
from ncnet.training import samples

BY_NAME = {claim.name: claim for claim in CLAIMS}


def readings(reading, low, high):
    """Rows of one condition; those that the rule must not read say the opposite."""
    other = {"within": "across", "across": "within"}[reading]
    ends = {reading: (low, high), other: (0.2 - high, 0.2 - low)}
    rows = [
        {"reading": name, **columns_of("correlation", Estimate((a + b) / 2, a, b))}
        for name, (a, b) in ends.items()
    ]
    return pd.DataFrame(rows)


def at_first(low, high, best=6):
    rows = [
        {"target": "held_out_accuracy", **columns_of("lost", Estimate(low, low, high))},
        {"target": "held_out_worst", **columns_of("lost", Estimate(0.5, 0.04 - high, 0.04 - low))},
    ]
    return pd.DataFrame(rows).assign(best_capacity=best, largest_capacity=8)


@pytest.mark.parametrize("reading", ["within", "across"])
@pytest.mark.parametrize(
    ("low", "high", "holds"),
    [(0.101, 0.3, True), (0.05, 0.3, None), (-0.05, 0.099, False), (-0.3, -0.2, False)],
)
def test_rules_on_correlations_read_their_own_row(reading, low, high, holds):
    found = BY_NAME[f"generalization-correlates-{reading}"].find(readings(reading, low, high))
    assert found.holds is holds
    assert found.estimate.high == high


@pytest.mark.parametrize(
    ("rows", "holds"),
    [
        (at_first(0.0, 0.019), True),
        (at_first(0.021, 0.05), False),
        (at_first(0.01, 0.03), None),
        (at_first(0.0, 0.019, best=8), None),
        (at_first(0.021, 0.05, best=8), None),
    ],
)
def test_the_rule_on_the_first_2_reads_held_out_accuracy(rows, holds):
    assert BY_NAME["first-2-generalizes"].find(rows).holds is holds


def test_over_the_margin_what_does_not_hold_is_open_and_then_holds():
    parts = [at_first(0.01, 0.03).assign(condition="a"), at_first(0.04, 0.06).assign(condition="b")]
    parts += [at_first(0.0, 0.01, best=8).assign(condition="c")]
    counted = answers_by_margin(pd.concat(parts), [0.0, 0.02, 0.035, 0.07])
    assert counted["holds"].tolist() == [0, 0, 1, 2]
    assert counted["fails"].tolist() == [2, 1, 1, 0]
    assert (counted.sum(axis=1) == 3).all()


@pytest.mark.parametrize(
    ("fails", "expected"), [(0, "reproduced"), (1, "partly"), (len(CONDITIONS), "not")]
)
def test_generalization_is_judged_over_all_conditions(fails, expected):
    table = pd.concat(
        readings("within", *((-0.3, -0.2) if place < fails else (0.11, 0.2))).assign(condition=name)
        for place, name in enumerate(CONDITIONS)
    )
    claim = BY_NAME["generalization-correlates-within"]
    assert verdict(claim, {"generalization_rules": table}) == expected
    missing = table[table["condition"] != CONDITIONS[0]]
    with pytest.raises(ValueError, match=f"{CONDITIONS[0]} has no rows"):
        verdict(claim, {"generalization_rules": missing})


def test_conditions_are_those_of_the_batch():
    path = results.ROOT / "batches" / "rq4.yml"
    conditions = yaml.safe_load(path.read_text(encoding="utf-8"))["grid"]["condition"]
    labels = [
        samples.label(
            *condition["populations"],
            training=condition["training"],
            label_noise=condition["label_noise"],
            by_steps=condition["capacity_name"] == "steps",
        )
        for condition in conditions
    ]
    assert labels == list(CONDITIONS)
