"""The data sets that the paper names: where each is found, and what a row of it holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from ncnet.checks import suggestion

CHOICES = 5


@dataclass(frozen=True)
class Published:
    """A published task: its kind, its files in a local folder, its place on the hub.

    Attributes
    ----------
    name
        The task's name.
    kind
        ``sentence``, ``pair`` or ``choice``.
    local
        The file of training items and the held-out one in a local folder, without suffix.
    repository, configuration
        The hub's names of the data set and of the part of it.
    splits
        The hub's names of the training split and of the labelled one that is held out.
    at
        The branch whose commit is pinned.
    group
        What all languages of one task share; the name, where a task comes in one language.
    """

    name: str
    kind: str
    local: tuple[str, str]
    repository: str
    configuration: str
    splits: tuple[str, str]
    at: str = "main"
    group: str = ""

    @property
    def classes(self) -> int:
        """Number of classes, or of choices a question."""
        return CHOICES if self.kind == "choice" else 2


LANGUAGES = ("en", "de", "fr", "es", "zh", "ja", "ko")
"""The languages of PAWS-X."""


def _paws_x(language: str) -> Published:
    return Published(
        name=f"paws_x/{language}",
        kind="pair",
        local=(f"paws_x/{language}/dev", f"paws_x/{language}/test"),
        repository="google-research-datasets/paws-x",
        configuration=language,
        splits=("train", "test"),
        group="paws_x",
    )


_ALL = (
    Published(
        name="sst2",
        kind="sentence",
        local=("sst2/train", "sst2/dev"),
        repository="nyu-mll/glue",
        configuration="sst2",
        splits=("train", "validation"),  # labels of the test split are not published
        group="sst2",
    ),
    Published(
        name="mrpc",
        kind="pair",
        local=("mrpc/train", "mrpc/test"),
        repository="nyu-mll/glue",
        configuration="mrpc",
        splits=("train", "test"),
        group="mrpc",
    ),
    Published(
        name="commonsense_qa",
        kind="choice",
        local=("commonsense_qa/train", "commonsense_qa/dev"),
        repository="tau/commonsense_qa",
        configuration="default",
        splits=("train", "validation"),  # answers of the test split are not published
        group="commonsense_qa",
    ),
    Published(
        name="mathqa",
        kind="choice",
        local=("mathqa/train", "mathqa/test"),
        repository="allenai/math_qa",
        configuration="default",
        splits=("train", "test"),
        at="refs/convert/parquet",  # the main branch has a script, which nobody runs any more
        group="mathqa",
    ),
    *map(_paws_x, LANGUAGES),
)
PUBLISHED = {task.name: task for task in _ALL}
"""The published tasks by name."""


def group(name: str) -> tuple[Published, ...]:
    """Return the tasks of a group, one a language.

    >>> [task.configuration for task in group("paws_x")]
    ['en', 'de', 'fr', 'es', 'zh', 'ja', 'ko']
    """
    return tuple(task for task in _ALL if task.group == name)


def check_name(name: str, valid: Sequence[str]) -> None:
    """Raise ``ValueError`` unless `name` is one of the tasks `valid`.

    >>> check_name("paws_x/it", tuple(PUBLISHED))
    Traceback (most recent call last):
    ValueError: unknown language `it` of `paws_x`: expected one of `de`, `en`, `es`, `fr`, `ja`, \
`ko`, `zh`
    >>> check_name("sst-2", tuple(PUBLISHED))
    Traceback (most recent call last):
    ValueError: unknown task `sst-2`: did you mean `sst2`?
    """
    if name in valid:
        return
    task, _, part = str(name).partition("/")
    languages = [known.removeprefix(f"{task}/") for known in valid if known.startswith(f"{task}/")]
    if not languages or task == "toy":
        raise ValueError(f"unknown task `{name}`{suggestion(name, valid)}")
    raise ValueError(f"unknown language `{part}` of `{task}`{suggestion(part, languages)}")
