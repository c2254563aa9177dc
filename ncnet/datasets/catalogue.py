"""The data sets that the paper names: where each is found, and how it is divided."""

from typing import NamedTuple

LANGUAGES = ("en", "de", "fr", "es", "zh", "ja", "ko")
"""The languages of PAWS-X."""
CHOICES = 5


class Published(NamedTuple):
    """A published task: its kind, its place on the hub, its splits there and in a local folder.

    Attributes
    ----------
    name
        The task's name; of a task in several languages, what is before the slash is common to all.
    kind
        ``sentence``, ``pair``, ``translation`` (a pair that has an id) or ``choice``.
    repository, configuration
        The hub's names of the data set and of the part of it.
    splits
        The hub's names of the training split and of the labelled one that is held out.
    local
        The same in a local folder.
    file
        Where the hub has a split.
    at
        The branch whose commit is pinned.
    """

    name: str
    kind: str
    repository: str
    configuration: str
    splits: tuple[str, str]
    local: tuple[str, str]
    file: str = "{configuration}/{split}-00000-of-00001.parquet"
    at: str = "main"

    @property
    def group(self) -> str:
        """What all languages of one task share."""
        return self.name.partition("/")[0]

    @property
    def classes(self) -> int:
        """Number of classes, or of choices a question."""
        return CHOICES if self.kind == "choice" else 2

    @property
    def files(self) -> list[str]:
        """Where the hub has the training split and the held-out one."""
        return [
            self.file.format(configuration=self.configuration, split=split) for split in self.splits
        ]


# Where the labels of a test split are not published, the validation split is held out.
TEST, VALIDATION, DEV = ("train", "test"), ("train", "validation"), ("train", "dev")
GLUE, PAWS_X = "nyu-mll/glue", "google-research-datasets/paws-x"
ALL = (
    Published("sst2", "sentence", GLUE, "sst2", VALIDATION, DEV),
    Published("mrpc", "pair", GLUE, "mrpc", TEST, TEST),
    Published(
        name="commonsense_qa",
        kind="choice",
        repository="tau/commonsense_qa",
        configuration="default",
        splits=VALIDATION,
        local=DEV,
        file="data/{split}-00000-of-00001.parquet",
    ),
    Published(
        name="mathqa",
        kind="choice",
        repository="allenai/math_qa",
        configuration="default",
        splits=TEST,
        local=TEST,
        file="default/{split}/0000.parquet",
        at="refs/convert/parquet",  # the main branch has a script, which nobody runs any more
    ),
    *(
        Published(f"paws_x/{language}", "translation", PAWS_X, language, TEST, ("dev", "test"))
        for language in LANGUAGES
    ),
)
PUBLISHED = {task.name: task for task in ALL}
"""The published tasks by name."""
