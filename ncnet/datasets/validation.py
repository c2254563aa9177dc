"""Validates rows of data sets, field by field, and makes items of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictInt, ValidationError

from ncnet.checks import check
from ncnet.datasets.items import CHOICES, Item, ItemsByKey
from ncnet.printing import shown

Text = Annotated[str, Field(strict=True, pattern=r"\S")]


class Sentence(BaseModel):
    """A sentence, and one of two classes; other fields may be there."""

    text: Text = Field(alias="text_a")
    label: StrictInt = Field(ge=0, lt=2)


class Pair(Sentence):
    """Two sentences, and one of two classes."""

    pair: Text = Field(alias="text_b")


class Translation(Pair):
    """Two sentences, one of two classes, and an id that all their translations have."""

    id: StrictInt


class Choice(BaseModel):
    """A question, its choices, and the index of the right one."""

    text: Text = Field(alias="question")
    choices: tuple[Text, ...] = Field(min_length=CHOICES, max_length=CHOICES)
    label: StrictInt = Field(ge=0, lt=CHOICES)


def items(
    model: type[BaseModel], split: str, rows: Iterable[dict | None], *, where: str, first: int
) -> ItemsByKey:
    """Return the items of a split by key.

    Parameters
    ----------
    model, split
        The model of a row, and what keys begin with.
    rows
        The fields of each by name; None where one is left out.
    where, first
        The words of a refusal before the number of a row, and the number of the first row.

    Raises
    ------
    ValueError
        For a row that is not what its model says, an id that is there twice, and rows that cannot
        be read; the line names the row.

    Examples
    --------
    >>> rows = [{"text_a": "A fine film.", "label": 1}, {"text_a": "A film.", "label": 2}]
    >>> items(Sentence, "train", rows[:1], where="line", first=1)["train:0"].label
    1
    >>> items(Sentence, "train", rows, where="line", first=1)
    Traceback (most recent call last):
    ValueError: line 2: `label` is 2: expected an integer of 0 to 1
    """
    found: ItemsByKey = {}
    number = first
    try:
        for row in rows:
            if row is not None:
                fields = model.model_validate(row).model_dump()
                key = f"{split}:{fields.pop('id', number - first)}"
                check(key not in found, f"`id` is {row.get('id')}, as before", "one a pair")
                found[key] = Item(key, **fields)
            number += 1
    except ValidationError as error:
        line = _told(error.errors()[0], row, CHOICES if model is Choice else 2)
    except KeyError as error:
        line = f"no column {error}"
    except ValueError as error:
        line = str(error)
    else:
        return found
    raise ValueError(f"{where} {number}: {line}")


def _told(problem: Mapping[str, Any], row: dict, classes: int) -> str:
    """Return in a line what pydantic finds wrong with a row."""
    name, *within = problem["loc"]
    if problem["type"] == "missing":
        return f"no field `{name}`: expected it beside {shown([*row])}"
    expected = {
        "id": "an integer",
        "label": f"an integer of 0 to {classes - 1}",
        "choices": f"{CHOICES} texts",
    }
    found = f"`{name}` {'holds' if within else 'is'} {shown(problem['input'])}"
    return f"{found}: expected {expected.get(name, 'a text')}"
