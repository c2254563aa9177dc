"""A reading of the paper: an answer to each question that it leaves open about small networks.

The defaults are this book's own (`book/protocol.md` has the reasons). Whoever knows the paper's
protocol writes down where it differs, and has all verdicts made again by ``ncnet verdicts``.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import xarray as xr
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
)

from ncnet import chsh
from ncnet.checks import check, problem_line
from ncnet.chsh.outcomes import Outcomes
from ncnet.claims import GAMES
from ncnet.companion.yaml_files import read_yaml
from ncnet.files import expanded
from ncnet.games import Game, boolean, named
from ncnet.parameters import Activation, Distinct, GameName, Optimizer, Rate

Initialisation = Literal["lecun_normal", "he_normal", "glorot_normal", "torch_linear"]
TRUTH_TABLE = r"^[01]{2,65536}$"


class OwnGame(BaseModel):
    """A game of the reader's.

    Attributes
    ----------
    name
        Its name.
    alice, bob
        Two truth tables a party, as texts of 0 and 1 (in quotes), rows in lexicographic order.
    """

    model_config = ConfigDict(strict=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^\w[\w .+-]*$")]
    alice: Annotated[list[Annotated[str, Field(pattern=TRUTH_TABLE)]], Field(min_length=2)]
    bob: Annotated[list[Annotated[str, Field(pattern=TRUTH_TABLE)]], Field(min_length=2)]

    def game(self) -> Game:
        """Return the game; its tasks are named by party, since both may have the same."""
        bits = round(math.log2(len(self.alice[0])))
        game = boolean(bits, alice=self.alice, bob=self.bob, name=self.name)
        alice, bob = (
            tuple(replace(task, name=f"{party}{i}") for i, task in enumerate(tasks, 1))
            for party, tasks in (("A", game.alice), ("B", game.bob))
        )
        return replace(game, alice=alice, bob=bob)


def _kind(game: object) -> str:
    return "OWN" if isinstance(game, dict | OwnGame) else "NAMED"


# Without a kind, a game with a mistake is told not to be one of this book's names.
AnyGame = Annotated[
    Annotated[GameName, Tag("NAMED")] | Annotated[OwnGame, Tag("OWN")], Discriminator(_kind)
]


def _is_context(place: list[int]) -> list[int]:
    if len(place) != 2 or set(place) - {1, 2}:
        raise ValueError("expected Alice's setting and Bob's, each 1 or 2")
    return place


class Reading(BaseModel):
    """A reading of the paper; what it does not say is this book's own.

    Attributes
    ----------
    readout
        What an outcome of +1 is: "correct", "solved", "prediction", or "loss", below 0.2.
    games
        Names of this book's games, or games of the reader's own.
    minus_at
        The context whose correlator S subtracts: Alice's setting and Bob's.
    activation, optimizer, learning_rate, steps, initialisation
        As `ncnet.train` takes them.
    run
        Replicas whose mean is one run.

    Examples
    --------
    >>> Reading(activation="relu").games
    ['overlap', 'separate']
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    readout: Literal["correct", "solved", "prediction", "loss"] = "correct"
    games: Distinct[AnyGame] = list(GAMES)
    minus_at: Annotated[list[int], AfterValidator(_is_context)] = [2, 2]
    activation: Activation = "tanh"
    optimizer: Optimizer = "gradient_descent"
    learning_rate: Rate = 0.5
    steps: Annotated[int, Field(ge=1, le=1_000_000)] = 2000
    initialisation: Initialisation = "lecun_normal"
    run: Annotated[int, Field(ge=2, le=3200)] = 32

    @property
    def training(self) -> dict[str, object]:
        """The arguments of `ncnet.train` that it answers."""
        names = ("activation", "optimizer", "learning_rate", "steps", "initialisation")
        return {name: getattr(self, name) for name in names}

    @property
    def played(self) -> dict[str, Game]:
        """The games by name, with their tasks in such an order that S subtracts at (2, 2)."""
        found = {}
        for one in self.games:
            game = named(one) if isinstance(one, str) else one.game()
            alice, bob = (
                tasks if setting == 2 else tasks[::-1]
                for tasks, setting in zip((game.alice, game.bob), self.minus_at, strict=True)
            )
            found[game.name] = Game(game.name, game.bits, alice, bob)
        return found

    def read(self, outcomes: xr.Dataset) -> tuple[Outcomes, str]:
        """Return outcomes, and the readout with which to read them, as `ncnet.chsh` takes both.

        Parameters
        ----------
        outcomes
            As `ncnet.train` returns them, with the losses at the end where these are what is read.
        """
        if self.readout != "loss":
            return outcomes, self.readout
        last = outcomes[["alice_loss", "bob_loss"]].isel(step=-1, missing_dims="ignore")
        return chsh.from_losses(last["alice_loss"], last["bob_loss"]), "correct"


def read(path: Path | str) -> Reading:
    """Read the file of a reading.

    Raises
    ------
    ValueError
        One line for a file that cannot be read, an entry that is not known or has another type, or
        games that are there twice or are none.
    """
    path = expanded(path)
    _, content = read_yaml(path)
    check(content is None or isinstance(content, Mapping), str(path), "entries, as in `steps: 500`")
    try:
        reading = Reading.model_validate(content or {})
        names = list(reading.played)
    except ValidationError as error:
        problem = error.errors()[0]
        # Of a game, pydantic names its kind, too.
        place = (part for part in problem["loc"] if isinstance(part, int) or part.islower())
        name = ".".join(str(part) for part in place if "[" not in str(part))
        line = problem_line(problem, Reading.model_fields, name=name, kind="entry")
        raise ValueError(f"{path}: {line}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    check(len(names) == len(reading.games), f"{path}: games are {names}", "each name once")
    return reading
