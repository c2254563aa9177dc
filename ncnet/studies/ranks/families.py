"""Families of tasks of which every pair is trained once, and a quartet of each named beforehand."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from ncnet import datasets
from ncnet.checks import check, check_choice, check_number, check_positive
from ncnet.datasets.doses import shuffled_labels
from ncnet.printing import shown

Quartet = tuple[tuple[str, str], tuple[str, str]]
"""Alice's two tasks, and Bob's; the tasks of setting 2 meet in the context with the minus sign."""


@dataclass(frozen=True)
class Family:
    """Tasks that are trained together in pairs, and the quartet that questions are asked of.

    Attributes
    ----------
    name
        Short name.
    tasks
        The names of all its tasks, out of `ncnet.datasets.TASKS`.
    paired
        True where the k-th items of all tasks are partners: translations of one another.
    named
        Its named quartet: by `name_quartet` on what a trial got right at rank 1 where tasks are
        published ones, and else in their order.
    """

    name: str
    tasks: tuple[str, ...]
    paired: bool
    named: Quartet

    @property
    def contexts(self) -> tuple[tuple[str, str], ...]:
        """The four pairs of the named quartet."""
        return tuple(itertools.product(*self.named))

    @property
    def minus(self) -> tuple[str, str]:
        """A2 and B2, the pair of the named quartet that has the minus sign."""
        return self.named[0][1], self.named[1][1]

    def data(
        self, *, items: int, held_out: int, seed: int, shuffled: float = 0.0, ratio: float = 1.0
    ) -> dict[str, datasets.TaskData]:
        """Return the items of all tasks, drawn evenly from their classes.

        Parameters
        ----------
        items, held_out, seed
            See `ncnet.datasets.load`: `items` is the number of those that S is computed on.
        shuffled
            The share of the training labels of A2 and B2 that is shuffled
            (`ncnet.datasets.shuffled_labels`).
        ratio
            Training items of Alice's tasks in the named quartet to those of Bob's, so of one task
            to the other in every context: a whole number, or one divided by one. The tasks with
            more of them have further ones that S is not computed on.

        Raises
        ------
        ValueError
            For another ratio, a share outside 0 to 1, and all that `ncnet.datasets.load` refuses.

        Examples
        --------
        >>> tasks = family("toy_mixed").data(items=2, held_out=1, seed=0, ratio=0.5)
        >>> {name: len(task.further) for name, task in tasks.items()}
        {'toy/mood': 0, 'toy/same': 2, 'toy/sum': 0, 'toy/which': 2}
        """
        factor, (alice, bob) = times(ratio), self.named
        more = alice if ratio > 1 else bob
        loaded = datasets.load(
            self.tasks,
            items=items,
            held_out=held_out,
            further=dict.fromkeys(more, (factor - 1) * items),
            balanced=True,
            seed=seed,
        )
        for name in self.minus:
            loaded[name] = shuffled_labels(loaded[name], shuffled, seed=seed)
        return loaded


def times(ratio: float) -> int:
    """Return how many times as many items the tasks with more of them have.

    >>> times(4), times(0.25), times(0.3)
    Traceback (most recent call last):
    ValueError: `ratio` is 0.3: expected a whole number, or one divided by one
    """
    exact = Fraction(check_positive("ratio", ratio)).limit_denominator(1000)
    whole = 1 in (exact.numerator, exact.denominator) and float(exact) == ratio
    check(whole, f"`ratio` is {shown(ratio)}", "a whole number, or one divided by one")
    return max(exact.numerator, exact.denominator)


def family(name: str) -> Family:
    """Return a family by name.

    >>> family("languages").minus
    ('paws_x/en', 'paws_x/fr')
    >>> family("language")
    Traceback (most recent call last):
    ValueError: unknown family `language`: did you mean `languages`?
    """
    check_choice("family", name, FAMILIES)
    return FAMILIES[name]


TITLES = {
    "commonsense_qa": "CommonsenseQA",
    "mathqa": "MathQA",
    "mrpc": "MRPC",
    "paws_x": "PAWS-X",
    "sst2": "SST-2",
}
"""Names of data sets as their authors write them."""


def title(task: str) -> str:
    """Return the name of a task as its authors write it.

    >>> title("commonsense_qa"), title("paws_x/en"), title("toy/mood")
    ('CommonsenseQA', 'PAWS-X en', 'toy mood')
    """
    data_set, _, part = task.partition("/")
    return f"{TITLES.get(data_set, data_set.replace('_', ' '))} {part}".rstrip()


def name_quartet(right: Mapping[str, float]) -> Quartet:
    """Return the quartet of tasks that is named before anything is known of S.

    The pair with the minus sign are the two tasks that are got right least when trained alone; A1
    and B1 are the two that are got right most. Alice has the task that is got right most and the
    one that is got right least. Of tasks got right equally, the first by name counts as got right
    more.

    Parameters
    ----------
    right
        By task, the share of its training items that is got right when it is trained alone: of at
        least four.

    Examples
    --------
    >>> name_quartet({"de": 0.9, "en": 0.8, "fr": 0.8, "ja": 0.6, "ko": 0.7})
    (('de', 'ja'), ('en', 'ko'))
    """
    check(len(right) >= 4, f"there are {len(right)} tasks", "four or more")
    shares = {task: check_number(f"right[{task!r}]", share, 0, 1) for task, share in right.items()}
    a1, b1, *_, b2, a2 = sorted(shares, key=lambda task: (-shares[task], task))
    return (a1, a2), (b1, b2)


_LANGUAGES = tuple(f"paws_x/{language}" for language in ("de", "en", "es", "fr", "ja", "ko", "zh"))
_MIXED = ("commonsense_qa", "mathqa", "mrpc", "paws_x/en", "sst2")
_TOY = ("toy/mood", "toy/same", "toy/sum", "toy/which")
_TOY_LANGUAGES = tuple(f"toy_pairs/{name}" for name in ("avelic", "borun", "cimtar", "dushan"))
FAMILIES = {
    one.name: one
    for one in (
        Family(
            "languages", _LANGUAGES, True, (("paws_x/ko", "paws_x/en"), ("paws_x/es", "paws_x/fr"))
        ),
        Family("mixed", _MIXED, False, (("sst2", "mathqa"), ("mrpc", "commonsense_qa"))),
        Family("toy_mixed", _TOY, False, (("toy/mood", "toy/sum"), ("toy/same", "toy/which"))),
        Family("toy_languages", _TOY_LANGUAGES, True, (_TOY_LANGUAGES[::2], _TOY_LANGUAGES[1::2])),
    )
}
