"""Makes drawn pieces again, one after the other, and says what came of each."""

import json
import math
import time
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields

import pandas as pd

from ncnet import results
from ncnet.parts import Parts
from ncnet.replay.comparison import Comparison, compare
from ncnet.replay.pieces import NotReplayableError, Replay, Where, draw

PASS, FAIL, NOT_HERE = "pass", "fail", "not replayable here"
LARGEST_SHARE = 0.25
"""Of a limited time, what a single piece may take."""
MOST_MISSING = 3
"""Pieces not replayable here, one after the other, after which their table is left alone."""


@dataclass(frozen=True, kw_only=True)
class Piece(Comparison):
    """What came of one piece: the comparison, and what was replayed.

    Attributes
    ----------
    table, where
        The table, and what the rows of the piece have in common, as JSON.
    verdict
        `PASS`, `FAIL` or `NOT_HERE`.
    checksum
        Of the recorded table.
    seconds
        What it took.
    """

    table: str
    where: str = "{}"
    verdict: str
    checksum: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        where = ", ".join(f"{name} = {value}" for name, value in json.loads(self.where).items())
        line = f"{self.verdict}: {self.table}{f' ({where})' if where else ''}, "
        if not self.rows:
            return line + self.told
        line += f"{self.rows} row{'s'[: self.rows != 1]}, "
        if self.failed:
            return f"{line}{self.failed} too far away: {self.told}"
        differs = f"{self.column} differs by {self.difference:.1g}"
        missed = self.controls - self.caught
        controls = f"; {missed} of {self.controls} tampered cells not found" if missed else ""
        return (
            f"{line}{differs if self.column else 'no difference'}, {self.seconds:.1f} s{controls}"
        )


def make_again(replay: Replay, where: Where, *, equal: bool, seed: str) -> Piece:
    """Make one piece again and compare it with the recorded rows.

    `equal` says whether all but measurements must be equal; `seed` draws the tampered cells. Code
    that can no longer make the rows is a failure, whatever it raises.
    """
    recorded = replay.load()
    rows = replay.rows(recorded.table, where)
    begun = time.monotonic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the notebooks' runs show them
            made = replay.make(recorded, where)
        drawn = f"{seed} {where}"
        found = compare(rows, made, replay.key, replay.tolerances, equal=equal, seed=drawn)
        verdict = FAIL if found.failed or found.caught < found.controls else PASS
    except NotReplayableError as error:
        verdict, found = NOT_HERE, Comparison(told=str(error))
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        verdict, found = FAIL, Comparison(len(rows), len(rows), told=told)
    return Piece(
        **asdict(found),
        table=replay.table,
        where=json.dumps(where),
        verdict=verdict,
        checksum=recorded.provenance["checksum"],
        seconds=time.monotonic() - begun,
    )


class Costs:
    """What pieces may take, judged by what they took elsewhere.

    Tables of one study that are cut into the same pieces may be made of the same networks, and only
    the first of them takes the time: each is taken for the costliest.

    Parameters
    ----------
    replays
        All that there are.
    known
        Seconds, by table and `Piece.where`. Given some, a table that is not among them is left to
        runs without a limit: nobody knows how long it takes.
    """

    def __init__(self, replays: Sequence[Replay], known: Mapping[tuple[str, str], float]):
        kinds = {replay.table: _kind(replay) for replay in replays}
        self._unknown = math.inf if known else 0
        self._most: dict[tuple, float] = {}
        for (table, where), cost in known.items():
            for of in (kinds.get(table), where), (kinds.get(table), None):
                self._most[of] = max(cost, self._most.get(of, 0))

    def of(self, replay: Replay, where: Where) -> float:
        """Return the seconds of a piece; of one that is not known, the most of its kind."""
        kind = _kind(replay)
        of_kind = self._most.get((kind, None), self._unknown)
        return self._most.get((kind, json.dumps(where)), of_kind)


def run(
    replays: Sequence[Replay],
    *,
    seed: str,
    parts: Parts,
    rows: int | None = None,
    seconds: float = math.inf,
    costs: Costs | None = None,
    equal: Callable[[Replay, Where], bool] | None = None,
    tell: Callable[[Piece], None] = lambda piece: None,
) -> pd.DataFrame:
    """Replay pieces drawn by chance, each table in turn, until enough rows or the time is used up.

    Parameters
    ----------
    replays
        Of which tables.
    seed
        Decides which pieces are drawn.
    parts
        Keeps what is finished, so that a run that was cut off goes on.
    rows
        Of each table so many rows at least; by default all, as far as the time goes.
    seconds
        No piece is begun that would take longer than is left, or more than `LARGEST_SHARE` of all:
        many tables say more than one.
    costs
        What pieces may take; by default anything.
    equal
        Whether the rows of a piece must be equal here; by default where its table was recorded at
        this place.
    tell
        Is called with each piece when it is finished.

    Returns
    -------
    pandas.DataFrame
        One row a piece, with the attributes of `Piece`. A table that cannot be read has one row,
        which says why.
    """
    equal = equal or (lambda replay, where: results.same_place(replay.load().provenance))
    costs = costs or Costs(replays, {})
    replayed, missing = Counter(), Counter()
    begun, pieces, readable = time.monotonic(), [], []

    def finish(piece: Piece) -> None:
        pieces.append(piece)
        tell(piece)

    for one in replays:
        try:
            one.pieces(one.load().table)
            readable.append(one)
        except (OSError, ValueError) as error:
            finish(Piece(table=one.table, verdict=FAIL, failed=1, told=str(error)))
    for one, where in draw(readable, seed):
        enough = rows is not None and replayed[one.table] >= rows
        left = seconds - (time.monotonic() - begun)
        late = left < math.inf and costs.of(one, where) > min(left, LARGEST_SHARE * seconds)
        if enough or late or missing[one.table] == MOST_MISSING:
            continue
        piece = _kept(parts, one, where, equal=equal(one, where), seed=seed)
        replayed[one.table] += piece.rows
        missing[one.table] = missing[one.table] + 1 if piece.verdict == NOT_HERE else 0
        finish(piece)
    return pd.DataFrame(map(asdict, pieces), columns=[field.name for field in fields(Piece)])


def _kept(parts: Parts, replay: Replay, where: Where, *, equal: bool, seed: str) -> Piece:
    """Return a piece of this run, or what it came to before the run was cut off.

    What was missing is looked for again.
    """
    described = {"table": replay.table, "where": where, "seed": seed, "equal": equal}
    described["recorded"] = replay.load().provenance
    missing = []

    def make() -> pd.DataFrame:
        piece = make_again(replay, where, equal=equal, seed=seed)
        if piece.verdict == NOT_HERE:
            missing.append(piece)
            raise NotReplayableError(piece.told)
        return pd.DataFrame([asdict(piece)])

    try:
        return Piece(**parts.part(described, make).iloc[0].to_dict())
    except NotReplayableError:
        return missing[0]


def _kind(replay: Replay) -> tuple:
    folder = replay.table.rpartition("/")[0]
    return replay.make.__module__, folder, replay.piece
