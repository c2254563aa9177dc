"""Defines the games: what the network sees, and the two tasks of each party.

A game fixes the items (inputs) and four binary tasks. Alice's setting 1 or 2 chooses the task
``A1`` or ``A2`` that her head is trained on, Bob's the task ``B1`` or ``B2``. The paper calls its
set-up XORnet-inspired and names neither tasks nor inputs: `overlap` and `separate` are our
reading of it, and `boolean` spans all games over truth tables.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ncnet.checks import check, check_choice, check_integer

MOST_BITS = 16
LAYOUTS = {"overlap": (3, (0, 1), (1, 2)), "separate": (4, (0, 1), (2, 3))}
"""The number of input bits of each game, and the two of them that Alice's and Bob's tasks read."""


@dataclass(frozen=True)
class Task:
    """A binary task on the rows of a truth table.

    Attributes
    ----------
    name
        The function that the task computes, for people to read.
    table
        Class 0 or 1 of every row, rows in lexicographic order of the input bits.
    """

    name: str
    table: tuple[int, ...]


@dataclass(frozen=True)
class Game:
    """The items and the four tasks of a CHSH game on truth tables; printed as its truth table.

    Attributes
    ----------
    name
        The game's name.
    bits
        Number of input bits; the items are all ``2**bits`` inputs.
    alice, bob
        The tasks of settings 1 and 2 of each party.

    Examples
    --------
    >>> print(boolean(1, alice=([0, 1], [1, 0]), bob=([0, 1], [1, 1]), name="example"))
    game `example`: 1 bit, 2 items
    Alice: A1 = 01, A2 = 10
    Bob:   B1 = 01, B2 = 11
    <BLANKLINE>
      x1 | A1 A2 | B1 B2
      -1 |  0  1 |  0  1
      +1 |  1  0 |  1  1
    """

    name: str
    bits: int
    alice: tuple[Task, Task]
    bob: tuple[Task, Task]

    def __post_init__(self) -> None:
        bits = check_integer("bits", self.bits, at_least=1, at_most=MOST_BITS)
        object.__setattr__(self, "bits", bits)
        for party, tasks in (("alice", self.alice), ("bob", self.bob)):
            found = f"`{party}` has {len(tasks)} truth tables"
            check(len(tasks) == 2, found, "2, one for each setting")
            for setting, task in enumerate(tasks, start=1):
                _check_table(f"truth table {setting} of `{party}`", task.table, 2**bits)

    @property
    def inputs(self) -> np.ndarray:
        """Items as the trunk sees them, float [items, bits]; bit 1 is +1, bit 0 is -1."""
        return np.array(list(itertools.product((-1.0, 1.0), repeat=self.bits)))

    @property
    def alice_targets(self) -> np.ndarray:
        """Targets of A1 and A2, int8 [2, items]; class 1 is +1, class 0 is -1."""
        return _targets(self.alice)

    @property
    def bob_targets(self) -> np.ndarray:
        """Targets of B1 and B2, int8 [2, items]; class 1 is +1, class 0 is -1."""
        return _targets(self.bob)

    def __str__(self) -> str:
        plural = "" if self.bits == 1 else "s"
        lines = [
            f"game `{self.name}`: {self.bits} bit{plural}, {2**self.bits} items",
            f"Alice: A1 = {self.alice[0].name}, A2 = {self.alice[1].name}",
            f"Bob:   B1 = {self.bob[0].name}, B2 = {self.bob[1].name}",
            "",
            "  " + " ".join(f"x{k + 1}" for k in range(self.bits)) + " | A1 A2 | B1 B2",
        ]
        classes = zip(*(task.table for task in self.alice + self.bob), strict=True)
        for row, (a1, a2, b1, b2) in zip(self.inputs, classes, strict=True):
            bits = " ".join(f"{x:+.0f}" for x in row)
            lines.append(f"  {bits} |  {a1}  {a2} |  {b1}  {b2}")
        return "\n".join(lines)


def boolean(
    bits: int,
    *,
    alice: Sequence[Sequence[int] | str],
    bob: Sequence[Sequence[int] | str],
    name: str = "boolean",
) -> Game:
    """Return the game with these truth tables: any game over Boolean functions.

    Parameters
    ----------
    bits
        Number of input bits, at least 1.
    alice, bob
        Two truth tables a party, each of ``2**bits`` classes 0 or 1, as numbers or as one text, in
        lexicographic order of the bits: the first bit changes slowest.
    name
        The game's name when it is printed.

    Raises
    ------
    ValueError
        For a table of another length, a class other than 0 or 1, or not two tables a party.

    Examples
    --------
    Alice computes x1 or its negation, Bob AND or XOR of both bits:

    >>> game = boolean(2, alice=([0, 0, 1, 1], [1, 1, 0, 0]), bob=("0001", "0110"))
    >>> game.bob_targets.tolist()
    [[-1, -1, -1, 1], [-1, 1, 1, -1]]
    """
    return Game(name, bits, _tasks("alice", alice), _tasks("bob", bob))


def overlap() -> Game:
    """Return the XORnet game on three bits whose parties share the middle bit.

    Alice's tasks read (x1, x2), Bob's (x2, x3); setting 1 is AND, setting 2 is XOR. It is the
    primary game of this project: our choice, since the paper states neither tasks nor inputs.

    >>> print(overlap().alice[1].name, overlap().bob[1].name)
    XOR(x1, x2) XOR(x2, x3)
    """
    return _and_xor("overlap")


def separate() -> Game:
    """Return the XORnet game on four bits whose parties read two bits each.

    Alice's tasks read (x1, x2), Bob's (x3, x4); setting 1 is AND, setting 2 is XOR.

    >>> separate().inputs.shape
    (16, 4)
    """
    return _and_xor("separate")


NAMED: dict[str, Callable[[], Game]] = {"overlap": overlap, "separate": separate}
"""The functions that make the games with a name."""


def named(name: str) -> Game:
    """Return the game of this name.

    >>> named("separated")
    Traceback (most recent call last):
    ValueError: unknown game `separated`: did you mean `separate`?
    """
    check_choice("game", name, NAMED)
    return NAMED[name]()


def _and_xor(layout: str) -> Game:
    bits, *reads = LAYOUTS[layout]
    rows = list(itertools.product((0, 1), repeat=bits))
    alice, bob = (
        (
            Task(f"AND(x{i + 1}, x{j + 1})", tuple(row[i] & row[j] for row in rows)),
            Task(f"XOR(x{i + 1}, x{j + 1})", tuple(row[i] ^ row[j] for row in rows)),
        )
        for i, j in reads
    )
    return Game(layout, bits, alice, bob)


def _tasks(party: str, tables: Sequence[Sequence[int] | str]) -> tuple[Task, ...]:
    try:
        rows = [tuple(map(_class, table)) for table in tables]
    except TypeError:
        raise ValueError(f"`{party}` is {tables!r}: expected two truth tables") from None
    return tuple(Task("".join(map(str, row)), row) for row in rows)


def _class(value: object) -> object:
    return int(value) if isinstance(value, str) and value in ("0", "1") else value


def _check_table(name: str, table: Sequence[int], rows: int) -> None:
    check(len(table) == rows, f"{name} has {len(table)} rows", f"{rows}, one for each input")
    wrong = [value for value in table if not (np.isscalar(value) and value in (0, 1))]
    check(not wrong, f"{name} holds {wrong}", "classes 0 or 1")


def _targets(tasks: tuple[Task, Task]) -> np.ndarray:
    return (2 * np.array([task.table for task in tasks]) - 1).astype(np.int8)
