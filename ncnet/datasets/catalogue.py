"""The data sets that the paper names: where each is found, and how it is divided."""

from typing import NamedTuple

from ncnet.datasets.items import CHOICES, Group

LANGUAGES = ("en", "de", "fr", "es", "zh", "ja", "ko")
"""The languages of PAWS-X."""


class Repository(NamedTuple):
    """A repository of the Hugging Face hub.

    Attributes
    ----------
    name
        Its name there, with the owner's.
    file
        The path of a split in it.
    branch
        The branch whose commit is pinned.
    """

    name: str
    file: str = "{configuration}/{split}-00000-of-00001.parquet"
    branch: str = "main"


GLUE = Repository("nyu-mll/glue")
COMMONSENSE_QA = Repository("tau/commonsense_qa", "data/{split}-00000-of-00001.parquet")
# The main branch has a script, which nobody runs any more.
MATH_QA = Repository("allenai/math_qa", "default/{split}/0000.parquet", "refs/convert/parquet")
PAWS_X = Repository("google-research-datasets/paws-x")


class Published(NamedTuple):
    """A published task: its kind, its place on the hub, its splits there and in a local folder.

    Attributes
    ----------
    name
        The task's name.
    kind
        ``sentence``, ``pair``, ``translation`` (a pair that has an id) or ``choice``.
    repository, configuration
        The repository of the hub, and the part of its data set.
    splits
        The hub's names of the training split and of the labelled one that is held out.
    local
        Their names in a local folder.
    """

    name: str
    kind: str
    repository: Repository
    configuration: str
    splits: tuple[str, str]
    local: tuple[str, str]

    @property
    def files(self) -> list[str]:
        """The paths of the training split and of the held-out one in the repository."""
        names = [{"configuration": self.configuration, "split": split} for split in self.splits]
        return [self.repository.file.format(**of_split) for of_split in names]


# Where the labels of a test split are not published, the validation split is held out.
TEST, VALIDATION, DEV = ("train", "test"), ("train", "validation"), ("train", "dev")
ALL = (
    Published("sst2", "sentence", GLUE, "sst2", VALIDATION, DEV),
    Published("mrpc", "pair", GLUE, "mrpc", TEST, TEST),
    Published("commonsense_qa", "choice", COMMONSENSE_QA, "default", VALIDATION, DEV),
    Published("mathqa", "choice", MATH_QA, "default", TEST, TEST),
    *(
        Published(f"paws_x/{language}", "translation", PAWS_X, language, TEST, ("dev", "test"))
        for language in LANGUAGES
    ),
)
PUBLISHED = {task.name: task for task in ALL}
"""The published tasks by name."""
GROUPS = (
    Group("sst2", ("sst2",), classes=2),
    Group("mrpc", ("mrpc",), classes=2),
    Group("commonsense_qa", ("commonsense_qa",), classes=CHOICES),
    Group("mathqa", ("mathqa",), classes=CHOICES),
    Group("paws_x", tuple(f"paws_x/{language}" for language in LANGUAGES), classes=2),
)
"""The published tasks, each with its other languages."""
