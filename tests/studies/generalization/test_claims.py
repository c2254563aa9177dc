"""The rules on generalization, on rows whose verdict is plain."""

import pandas as pd
import pytest
import yaml

from ncnet import results
from ncnet.claims import verdict
from ncnet.studies.generalization.claims import CLAIMS, CONDITIONS
from ncnet.training import samples

BY_NAME = {claim.name: claim for claim in CLAIMS}


def generalization(low, high):
    """Rows of one condition; those that the rule must not read say the opposite."""
    about = ["target", "measure", "part", "capacity", "low", "high"]
    rows = [
        ("held_out_accuracy", "spearman", "up to 2", float("nan"), low, high),
        ("held_out_accuracy", "spearman", "beyond 2", float("nan"), -high, -low),
        ("held_out_accuracy", "given means", "up to 2", float("nan"), -high, -low),
        ("held_out_accuracy", "spearman", "at", 3.0, -high, -low),
        ("held_out_worst", "spearman", "up to 2", float("nan"), -high, -low),
    ]
    return pd.DataFrame(rows, columns=about)


def at_first(low, high, best=6):
    columns = ["target", "regret_low", "regret_high", "best_capacity", "largest_capacity"]
    rows = [
        ("held_out_accuracy", low, high, best, 8),
        ("held_out_worst", 1 - high, 1 - low, best, 8),
    ]
    return pd.DataFrame(rows, columns=columns)


@pytest.mark.parametrize(
    ("name", "rows", "holds"),
    [
        ("generalization-correlates", generalization(0.05, 0.3), True),
        ("generalization-correlates", generalization(-0.05, 0.09), False),
        ("generalization-correlates", generalization(-0.3, -0.2), False),
        ("generalization-correlates", generalization(-0.05, 0.2), None),
        ("first-2-generalizes", at_first(0.001, 0.02), True),
        ("first-2-generalizes", at_first(0.021, 0.05), False),
        ("first-2-generalizes", at_first(0.01, 0.03), None),
        ("first-2-generalizes", at_first(0.001, 0.02, best=8), None),
        ("first-2-generalizes", at_first(0.021, 0.05, best=8), False),
    ],
)
def test_rules_on_generalization_read_their_own_row(name, rows, holds):
    assert BY_NAME[name].holds(rows) is holds


@pytest.mark.parametrize(
    ("fails", "expected"), [(0, "reproduced"), (1, "partly"), (len(CONDITIONS), "not")]
)
def test_generalization_is_judged_over_all_conditions(fails, expected):
    table = pd.concat(
        generalization(*((-0.3, -0.2) if place < fails else (0.1, 0.2))).assign(condition=name)
        for place, name in enumerate(CONDITIONS)
    )
    claim = BY_NAME["generalization-correlates"]
    assert verdict(claim, {"generalization": table}) == expected
    missing = table[table["condition"] != CONDITIONS[0]]
    with pytest.raises(ValueError, match=f"{CONDITIONS[0]} has no rows"):
        verdict(claim, {"generalization": missing})


def test_of_many_conditions_the_extremes_are_named():
    table = results.load("first_at_2").table
    lost = 100 * table.loc[table["target"] == "held_out_accuracy", "regret"]
    found = BY_NAME["first-2-generalizes"].effect({"first_at_2": table})
    assert [one.value for one in found.estimates] == [lost.min(), lost.max()]
    assert f"of {len(CONDITIONS)} conditions" in found.quantity


def test_conditions_are_those_of_the_batch():
    path = results.ROOT / "batches" / "rq4.yml"
    conditions = yaml.safe_load(path.read_text(encoding="utf-8"))["grid"]["condition"]
    labels = set()
    for condition in conditions:
        [name] = condition["populations"]
        counts = {key: condition[key] for key in ("training", "label_noise")}
        labels.add(samples.label(name, **counts))
    assert labels == set(CONDITIONS)
