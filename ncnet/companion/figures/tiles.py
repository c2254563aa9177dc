"""Shows the paper's statements as tiles: a colour and a letter a verdict, hatched if fragile.

Whatever statements and verdicts there are: no number of them is written here.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from ncnet.checks import check_choice

EQUALS = "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}"
OPEN = "?"
"""The letter of a verdict whose initial another one has."""


@dataclass(frozen=True)
class Tile:
    """A statement with its verdict.

    Attributes
    ----------
    about
        What the statement is about: tiles that stand together and share it are one group.
    label
        The statement in a few words.
    statement
        The statement as a sentence.
    verdict
        The verdict on it.
    address
        Where the book says more about it.
    held
        The share of other choices under which it holds; None where no others were tried.
    """

    about: str
    label: str
    statement: str
    verdict: str
    address: str
    held: float | None = None

    @property
    def hatched(self) -> bool:
        """Whether fewer than half of the other choices agree."""
        return self.held is not None and self.held < 0.5

    @property
    def unseen(self) -> str:
        """The text that a screen reader reads after the label.

        >>> Tile("", "above 2", "Near 3 units S may exceed 2.", "partly", "#above", 0.446).unseen
        'Near 3 units S may exceed 2. Partly; holds under 45 % of the choices.'
        """
        share = "" if self.held is None else f"; holds under {100 * self.held:.0f} % of the choices"
        return f"{self.statement} {self.verdict.capitalize()}{share}."


def tiles(shown: Sequence[Tile], verdicts: Sequence[str]) -> str:
    """Return the tiles as HTML: a list of links for each group.

    Parameters
    ----------
    shown
        The statements, in their order.
    verdicts
        All that a verdict may be, the best first: a tile's class is the place of its own.

    Raises
    ------
    ValueError
        For a verdict that is not one of these.
    """
    groups = (
        f'<div class="tile-group"><p>{escape(about)}</p>'
        f'<ul class="tiles">{"".join(_item(tile, verdicts) for tile in group)}</ul></div>'
        for about, group in groupby(shown, lambda tile: tile.about)
    )
    return f'<div class="tile-groups">{"".join(groups)}</div>'


def _item(tile: Tile, verdicts: Sequence[str]) -> str:
    check_choice("verdict", tile.verdict, verdicts)
    letter = _letters(verdicts)[tile.verdict]
    label = tile.label.replace(" = ", EQUALS)
    return (
        f'<li><a class="tile {_classes(tile.verdict, verdicts, tile.hatched)}" '
        f'href="{escape(tile.address)}" title="{escape(tile.statement)}">'
        f'<span class="tile-letter" aria-hidden="true">{letter}</span>{escape(label)}'
        f'<span class="visually-hidden">: {escape(tile.unseen)}</span></a></li>'
    )


def legend(shown: Sequence[Tile], verdicts: Sequence[str]) -> str:
    """Return as HTML what letters and hatching mean, and how many tiles have each.

    A verdict that no statement has is left out.
    """
    counts = Counter(tile.verdict for tile in shown)
    parts = [
        f"{_mark(_classes(verdict, verdicts, False), letter)} {escape(verdict)}: {counts[verdict]}"
        for verdict, letter in _letters(verdicts).items()
        if counts[verdict]
    ]
    if hatched := sum(tile.hatched for tile in shown):
        mark = _mark(_classes(verdicts[0], verdicts, True), "")
        parts.append(f"{mark} holds under fewer than half of the choices: {hatched}")
    return f'<p class="tiles-legend">{"".join(f"<span>{part}</span> " for part in parts)}</p>'


def _mark(classes: str, letter: str) -> str:
    return f'<b class="tile-mark {classes}">{letter}</b>'


def _classes(verdict: str, verdicts: Sequence[str], hatched: bool) -> str:
    return f"verdict-{verdicts.index(verdict) + 1}{' hatched' if hatched else ''}"


def _letters(verdicts: Sequence[str]) -> dict[str, str]:
    """Return a letter for each verdict: its initial, or else `OPEN`, or else another of its own."""
    letters: dict[str, str] = {}
    for verdict in verdicts:
        initial, *others = (letter.upper() for letter in verdict if letter.isalpha())
        candidates = [initial, OPEN, *others]
        taken = letters.values()
        letters[verdict] = next(letter for letter in candidates if letter not in taken)
    return letters
