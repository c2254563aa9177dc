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
from ncnet.replay.pieces import NotReplayableError, Replay, Selection, draw, require

PASS, FAIL, NOT_HERE = "pass", "fail", "not replayable here"
LARGEST_SHARE = 0.25
"""Share of a limited time that a single piece may take."""
MOST_MISSING = 3
"""After so many pieces in a row that are not replayable here, the rest of a table is left out."""


@dataclass(frozen=True, kw_only=True)
class PieceResult(Comparison):
    """What came of one piece: the comparison, and what was replayed.

    Attributes
    ----------
    table
        The name of the table.
    where
        The `ncnet.replay.pieces.Selection` of the piece's rows, as JSON.
    verdict
        `PASS`, `FAIL` or `NOT_HERE`.
    checksum
        The checksum of the recorded table.
    seconds
        How long it took.
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
        differs = f"{self.column} differs by {self.difference:.1g}" if self.column else ""
        line += f"{differs or 'no difference'}, {self.seconds:.1f} s"
        missed = self.controls - self.caught
        return f"{line}; {missed} of {self.controls} tampered cells not found" if missed else line


def make_again(replay: Replay, selection: Selection, *, equal: bool, seed: str) -> PieceResult:
    """Make one piece again and compare it with the recorded rows.

    If `equal`, all but measurements must be equal. The `seed` draws the cells that are tampered
    with. Code that can no longer make the rows is a failure, whatever it raises.
    """
    recorded = replay.load()
    rows = replay.rows(recorded.table, selection)
    begun = time.monotonic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the notebooks' runs show them
            made = replay.make(recorded, selection)
        drawn = f"{seed} {selection}"
        found = compare(rows, made, replay.key, replay.tolerances, equal=equal, seed=drawn)
        verdict = FAIL if found.failed or found.caught < found.controls else PASS
    except NotReplayableError as error:
        verdict, found = NOT_HERE, Comparison(told=str(error))
    except Exception as error:
        told = f"{type(error).__name__}: {error}"
        verdict, found = FAIL, Comparison(len(rows), len(rows), told=told)
    return PieceResult(
        **asdict(found),
        table=replay.table,
        where=json.dumps(selection),
        verdict=verdict,
        checksum=recorded.provenance["checksum"],
        seconds=time.monotonic() - begun,
    )


class ExpectedTimes:
    """How long pieces may take, judged by how long they took elsewhere.

    Tables of one study with the same piece columns may be made of the same networks, and then only
    the first of them takes the time: each is expected to take as long as the longest.

    Parameters
    ----------
    replays
        All replays.
    known
        Seconds, by table and `PieceResult.where`. If some are given, a table without any is left to
        replays without a limit: nobody knows how long it takes.
    """

    def __init__(self, replays: Sequence[Replay], known: Mapping[tuple[str, str], float]):
        kinds = {replay.table: _kind(replay) for replay in replays}
        self._unknown = math.inf if known else 0
        self._longest: dict[tuple, float] = {}
        for (table, where), seconds in known.items():
            for of in (kinds.get(table), where), (kinds.get(table), None):
                self._longest[of] = max(seconds, self._longest.get(of, 0))

    def of(self, replay: Replay, selection: Selection) -> float:
        """Return the seconds of a piece; if they are not known, those of the longest of its kind.

        Kinds are told apart by study, folder and piece columns.
        """
        kind = _kind(replay)
        of_kind = self._longest.get((kind, None), self._unknown)
        return self._longest.get((kind, json.dumps(selection)), of_kind)


def replay_pieces(
    replays: Sequence[Replay],
    *,
    seed: str,
    parts: Parts,
    rows: int | None = None,
    seconds: float = math.inf,
    expected: ExpectedTimes | None = None,
    equal: Callable[[Replay, Selection], bool] | None = None,
    tell: Callable[[PieceResult], None] = lambda piece: None,
) -> pd.DataFrame:
    """Replay pieces drawn by chance, each table in turn, until enough rows or the time is used up.

    Parameters
    ----------
    replays
        The tables of which to replay pieces.
    seed
        Decides which pieces are drawn.
    parts
        Keeps what is finished, so that a replay that was cut off goes on.
    rows
        So many rows at least of each table. By default all, as far as the time goes.
    seconds
        No piece is begun that would take longer than is left, or more than `LARGEST_SHARE` of all:
        many tables say more than one.
    expected
        How long pieces may take. By default any fits.
    equal
        Returns whether the rows of a piece must be equal here. By default they must where the
        table was recorded at this place.
    tell
        Is called with each piece when it is finished.

    Returns
    -------
    pandas.DataFrame
        One row a piece, with the attributes of `PieceResult`. A table that cannot be read has one
        row, which says why.
    """
    equal = equal or (lambda replay, selection: results.same_place(replay.load().provenance))
    expected = expected or ExpectedTimes(replays, {})
    replayed, missing = Counter(), Counter()
    begun, pieces, readable = time.monotonic(), [], []

    def finish(piece: PieceResult) -> None:
        pieces.append(piece)
        tell(piece)

    for one in replays:
        try:
            one.pieces(one.load().table)
            readable.append(one)
        except (OSError, ValueError) as error:
            finish(PieceResult(table=one.table, verdict=FAIL, failed=1, told=str(error)))
    for one, selection in draw(readable, seed):
        enough = rows is not None and replayed[one.table] >= rows
        left = seconds - (time.monotonic() - begun)
        most = min(left, LARGEST_SHARE * seconds)
        late = left < math.inf and expected.of(one, selection) > most
        if enough or late or missing[one.table] == MOST_MISSING:
            continue
        piece = _kept(parts, one, selection, equal=equal(one, selection), seed=seed)
        replayed[one.table] += piece.rows
        missing[one.table] = missing[one.table] + 1 if piece.verdict == NOT_HERE else 0
        finish(piece)
    return pd.DataFrame(pieces, columns=[field.name for field in fields(PieceResult)])


def _kept(
    parts: Parts, replay: Replay, selection: Selection, *, equal: bool, seed: str
) -> PieceResult:
    """Return what came of a piece, also before this replay was cut off.

    What was missing is looked for again.
    """
    described = {"table": replay.table, "where": selection, "seed": seed, "equal": equal}
    described["recorded"] = replay.load().provenance
    made = []

    def make() -> pd.DataFrame:
        made.append(make_again(replay, selection, equal=equal, seed=seed))
        require(made[0].verdict != NOT_HERE, made[0].told)
        return pd.DataFrame(made)

    try:
        return PieceResult(**parts.part(described, make).iloc[0].to_dict())
    except NotReplayableError:
        return made[0]


def _kind(replay: Replay) -> tuple:
    folder = replay.table.rpartition("/")[0]
    return replay.make.__module__, folder, replay.piece_columns
