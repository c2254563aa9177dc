"""The data sets that the paper names: where each is found, how it is divided, what a row says.

On the hub some are known to be dirty. Of these, rows are left out:

- pairs of PAWS-X that have a label other than 0 and 1, an empty sentence, or ``NS``, which stands
  for a missing translation; its training pairs are English ones and their machine translations;
- questions of MathQA whose choices, one string, do not come apart into five.
"""

import re
from collections.abc import Callable
from typing import Annotated, NamedTuple

from pydantic import BaseModel, Field, StrictInt

from ncnet.checks import check, check_type
from ncnet.datasets.items import CHOICES, Group

LANGUAGES = ("en", "de", "fr", "es", "zh", "ja", "ko")
"""The languages of PAWS-X."""
LETTERS = ["a", "b", "c", "d", "e"]
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


def _glue(row: dict) -> dict:
    # SST-2 has one `sentence`, MRPC two.
    first = row["sentence1"] if "sentence1" in row else row["sentence"]
    return {"text_a": first, "text_b": row.get("sentence2"), "label": row["label"]}


def _commonsense_qa(row: dict) -> dict:
    check_type("choices", row["choices"], dict, "letters and texts")
    letters, right = row["choices"]["label"], row["answerKey"]
    check_type("choices.label", letters, list, "letters")
    check(right in letters, f"`answerKey` is {right!r}", f"one of {letters}")
    choices = row["choices"]["text"]
    return {"question": row["question"], "choices": choices, "label": letters.index(right)}


def _math_qa(row: dict) -> dict | None:
    choices, right = options(row["options"] or ""), (row["correct"] or "").strip()
    if choices is None or right not in LETTERS:
        return None
    return {"question": row["Problem"], "choices": choices, "label": LETTERS.index(right)}


def options(text: str) -> list[str] | None:
    """Return the five choices of a question of MathQA, or None where there are not five.

    They are published as one string, of two kinds; in some the letter stands twice.

    >>> options("a ) 38 , b ) 27.675 , c ) 3 , 000 , d ) d ) no data , e ) none of these")
    ['38', '27.675', '3 , 000', 'no data', 'none of these']
    >>> options("['a ) 1', 'b ) 2', 'c ) 3', 'd ) 4', 'e ) 5']")
    ['1', '2', '3', '4', '5']
    """
    parts = re.split(r"(?:^|,)[\s\['\"]*([a-e])\s*\)", text)
    choices = [choice.strip(" ,'[]\"") for choice in parts[2::2]]
    choices = [re.sub(r"^[a-e]\s*\)\s*", "", choice) for choice in choices]
    return choices if parts[1::2] == LETTERS and all(choices) else None


def _paws_x(row: dict) -> dict | None:
    sentences = {(row[name] or "").strip().lower() for name in ("sentence1", "sentence2")}
    clean = row["label"] in (0, 1) and sentences.isdisjoint({"", "ns"})
    return {"id": row["id"], **_glue(row)} if clean else None


class Repository(NamedTuple):
    """A repository of the Hugging Face hub.

    Attributes
    ----------
    name
        Its name there, with the owner's.
    fields_of
        What makes the fields of a local folder of a row, or None of a dirty one.
    configuration
        The part of the data set; None where it is called as the task or its language is.
    file
        The path of a split in it.
    branch
        The branch whose commit is pinned.
    """

    name: str
    fields_of: Callable[[dict], dict | None]
    configuration: str | None = None
    file: str = "{configuration}/{split}-00000-of-00001.parquet"
    branch: str = "main"


GLUE = Repository("nyu-mll/glue", _glue)
COMMONSENSE_QA = Repository(
    "tau/commonsense_qa", _commonsense_qa, "default", "data/{split}-00000-of-00001.parquet"
)
# The main branch has a script, which nobody runs any more.
MATH_QA = Repository(
    "allenai/math_qa", _math_qa, "default", "default/{split}/0000.parquet", "refs/convert/parquet"
)
PAWS_X = Repository("google-research-datasets/paws-x", _paws_x)


class Published(NamedTuple):
    """What published tasks are: their kind, their place on the hub, their splits.

    Attributes
    ----------
    row_model
        The model of a row of a local folder.
    repository
        The repository of the hub.
    splits
        The hub's names of the training split and of the labelled one that is held out.
    local
        Their names in a local folder.
    """

    row_model: type[BaseModel]
    repository: Repository
    splits: tuple[str, str]
    local: tuple[str, str]


# Where the labels of a test split are not published, the validation split is held out.
TEST, VALIDATION, DEV = ("train", "test"), ("train", "validation"), ("train", "dev")
PUBLISHED = {
    Group("sst2", classes=2): Published(Sentence, GLUE, VALIDATION, DEV),
    Group("mrpc", classes=2): Published(Pair, GLUE, TEST, TEST),
    Group("commonsense_qa", classes=CHOICES): Published(Choice, COMMONSENSE_QA, VALIDATION, DEV),
    Group("mathqa", classes=CHOICES): Published(Choice, MATH_QA, TEST, TEST),
    Group("paws_x", 2, LANGUAGES): Published(Translation, PAWS_X, TEST, ("dev", "test")),
}
"""The published tasks, each with its other languages."""
