"""All games over a set of tasks from one training of every pair of them.

A context trains one pair of tasks, whatever game it belongs to. So K tasks take K^2 trainings, one
for each pair of a task of Alice's and a task of Bob's, and the K^4 games made of two tasks a party
are looked up in them: 65,536 for the 16 Boolean functions of two bits. A game that stands out among
so many does so by chance as well: `confirm` trains it anew.
"""

import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np
import pandas as pd
import xarray as xr
from tqdm import tqdm

from ncnet import chsh, games, renamed, results
from ncnet.checks import check, check_integer
from ncnet.chsh.outcomes import select
from ncnet.parts import Parts
from ncnet.sweeps import compute_grid
from ncnet.training import train

PLACES = ("A1", "A2", "B1", "B2")
TRAININGS = tuple(
    {"hidden_size": hidden_size, "activation": activation, "loss": loss, "learning_rate": rate}
    for activation, loss, rate, hidden_sizes in (
        ("tanh", "cross_entropy", 0.5, (1, 2, 3)),
        ("relu", "cross_entropy", 0.5, (1, 2, 3)),
        ("sigmoid", "cross_entropy", 0.5, (1, 2)),
        ("tanh", "squared_error", 0.1, (1, 2)),
    )
    for hidden_size in hidden_sizes
)
"""Arguments of `ncnet.train` with which the book looks for games of three bits."""
SEARCH_OPTIONS = {"replicas": 256, "seed": 1, "fresh_replicas": 8192, "fresh_seed": 1001, "most": 5}
"""Arguments of `run` with which the book searches."""
COUNTS = ("games", "ruled_out", "above")
"""What a search counts, for each training and readout."""
CANDIDATES = 20_000
"""At most so many games above the line are sorted into orbits."""
ROUNDING = 1e-6
"""Averages of single precision: what lies nearer to a line lies on it."""


def tables(bits: int) -> list[str]:
    """Return the truth tables of all Boolean functions of so many bits, as texts of 0 and 1.

    >>> len(tables(2)), tables(2)[6]
    (16, '0110')
    """
    return ["".join(table) for table in itertools.product("01", repeat=2**bits)]


def up_to_negation(bits: int) -> list[str]:
    """Return of each task and its negation one: the truth table that begins with 0.

    >>> up_to_negation(1)
    ['00', '01']
    """
    return [table for table in tables(bits) if table.startswith("0")]


def train_games(
    game_of: Callable[[Sequence[str]], games.Game],
    alice: Sequence[str],
    bob: Sequence[str],
    **training: object,
) -> xr.Dataset:
    """Train every pair of a task of Alice's and one of Bob's, in games of two tasks a party.

    Parameters
    ----------
    game_of
        Makes the game of four tasks, A1, A2, B1, B2.
    alice, bob
        Tasks of each party, an even number.
    training
        Arguments of `ncnet.train`.

    Returns
    -------
    xarray.Dataset
        Outcomes, as `ncnet.train` returns them, over ``alice_task`` and ``bob_task`` instead of
        settings.
    """
    of_alice, of_bob = (list(zip(x[::2], x[1::2], strict=True)) for x in (alice, bob))
    trained = [
        [train(game_of(one + other), **training) for other in of_bob]
        for one in tqdm(of_alice, "pairs of Alice's tasks", disable=None)
    ]
    parties = {"alice_setting": "alice_task", "bob_setting": "bob_task"}
    alike = dict.fromkeys(("compat", "join", "combine_attrs"), "override")
    joined = xr.combine_nested(
        trained, list(parties), data_vars="minimal", coords="minimal", **alike
    )
    return joined.rename(parties).assign_coords(alice_task=list(alice), bob_task=list(bob))


@renamed.keywords(path="backend")
def train_pairs(tasks: Sequence[str], **training: object) -> xr.Dataset:
    """Train a network on every pair of tasks, one for each party.

    Parameters
    ----------
    tasks
        An even number of truth tables of the same length, each as often as it is to be trained.
    training
        Arguments of `ncnet.train`. All pairs start from the same initial weights.

    Returns
    -------
    xarray.Dataset
        Outcomes, as `ncnet.train` returns them, over ``alice_task`` and ``bob_task`` instead of
        settings: the truth tables.

    Raises
    ------
    ValueError
        For an odd number of tasks, or tables of another length than a power of 2.

    Examples
    --------
    >>> pairs = train_pairs(
    ...     ["0001", "0110"], hidden_size=1, replicas=64, seed=0, steps=10
    ... )
    >>> dict(pairs.a.sizes)
    {'alice_task': 2, 'bob_task': 2, 'replica': 64, 'item': 4}
    """
    check(tasks and len(tasks) % 2 == 0, f"there are {len(tasks)} tasks", "an even number")
    for task in tasks:  # before any is trained
        game = _game([tasks[0], task] * 2)
    if training.get("backend") is None:
        with suppress(ValueError):  # where it cannot be compiled
            train(game, **training | {"backend": "compiled", "replicas": 1, "steps": 0})
            training["backend"] = "compiled"  # with so many alike it always pays
    return train_games(_game, tasks, tasks, **training).drop_vars("capacity")


def read(pairs: xr.Dataset, readout: str) -> xr.Dataset:
    """Return the outcomes of `train_pairs` under another readout, as `ncnet.chsh.read` has them.

    >>> pairs = train_pairs(["0001", "0110"], hidden_size=1, replicas=64, seed=0, steps=10)
    >>> read(pairs, "solved").sizes["item"]
    1
    """
    return select(pairs, split="training", readout=readout)[["a", "b"]]


def survey(pairs: xr.Dataset, above: float = -np.inf) -> pd.DataFrame:
    """Return S, Delta and what is left of S for every game over the tasks.

    Parameters
    ----------
    pairs
        Outcomes, as `train_pairs` or `read` returns them.
    above
        Games are kept whose S - Delta - 2 is above this; all by default.

    Returns
    -------
    pandas.DataFrame
        One row a game: places ``A1``, ``A2``, ``B1``, ``B2`` among the tasks, ``s``, ``delta``,
        ``influence``, ``excess`` (S - Delta - 2) and ``bound`` (what it cannot exceed, as
        `ncnet.chsh.excess_bound` has it), in single precision. Its ``attrs`` count all
        ``games`` and those ``ruled_out``, by a bound of 0.

    Examples
    --------
    >>> pairs = train_pairs(["0001", "0110"], hidden_size=1, replicas=64, seed=0, steps=10)
    >>> len(survey(pairs))
    16
    """
    a, b = (pairs[party].values.reshape(*pairs["a"].shape[:2], -1) for party in ("a", "b"))
    means = np.stack([party.mean(axis=2, dtype=np.float32) for party in (a * b, a, b)])
    changes = 2 * _changes(a), 2 * _changes(b.swapaxes(0, 1))
    tables, ruled_out = [], 0
    for a1 in range(len(a)):
        statistics = _games_of(a1, means, *changes)
        ruled_out += int((statistics["bound"] <= ROUNDING).sum())
        kept = statistics["excess"] > above
        places = dict(zip(PLACES[1:], np.nonzero(kept), strict=True))
        found = {name: values[kept] for name, values in statistics.items()}
        tables.append(pd.DataFrame({"A1": a1} | places | found))
    table = pd.concat(tables, ignore_index=True).astype(dict.fromkeys(PLACES, np.int16))
    table.attrs = {"games": len(a) ** 4, "ruled_out": ruled_out}
    return table


def _games_of(
    a1: int, means: np.ndarray, alice_changes: np.ndarray, bob_changes: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the statistics of all games with this A1, over (A2, B1, B2)."""
    both, alice, bob = means
    same = 1 + both - abs(alice + bob)  # four times the rarer of both right and both wrong
    differ = 1 - both - abs(alice - bob)
    table = np.stack([*means, same, differ])
    first = table[:, a1]
    e11, a11, b11, s11, _ = first[:, None, :, None]
    e12, a12, b12, s12, _ = first[:, None, None, :]
    e21, a21, b21, s21, _ = table[:, :, :, None]
    e22, a22, b22, _, d22 = table[:, :, None, :]
    s = e11 + e12 + e21 - e22
    delta = abs(a11 - a12) + abs(a21 - a22) + abs(b11 - b21) + abs(b12 - b22)
    won = np.minimum(np.minimum(s11, s12), np.minimum(s21, d22))
    changed = bob_changes[:, a1].T  # [A2, B]
    influence = alice_changes[a1][None] + alice_changes
    influence = influence + changed[:, :, None] + changed[:, None, :]
    return {
        "s": s,
        "delta": delta,
        "influence": influence,
        "excess": s - delta - np.float32(chsh.CLASSICAL_BOUND),
        "bound": won.clip(min=0),
    }


def _changes(outcomes: np.ndarray) -> np.ndarray:
    """Return how often an outcome differs between two tasks of the other party.

    [tasks, others, others], of outcomes +-1 [tasks, others, answers]: a mean of products is 1
    less twice the share of those that differ.
    """
    return np.stack([(1 - one @ one.T / one.shape[1]) / 2 for one in outcomes.astype(np.float32)])


def orbits(games_of: pd.DataFrame, tasks: Sequence[str]) -> pd.Series:
    """Return the orbit of each game under the symmetries of the networks, as a number.

    Networks with symmetric initial weights do not tell apart which input bit is which, which
    value of a bit is which, which class of a task is which, nor (with equal initialisation) the
    parties. These exchanges are a group. Two games of one orbit have the same S, Delta and excess
    where outcomes are right and wrong answers (readouts `correct` and `solved`). They do not have
    the same influence, which compares contexts outcome by outcome: exchanging the classes of one
    task mirrors the initial weights of its contexts alone. Nor do they have the same S under the
    readout `prediction`, where the exchange turns the outcomes' signs.

    Parameters
    ----------
    games_of
        Places ``A1``, ``A2``, ``B1``, ``B2``, as `survey` returns them.
    tasks
        The truth tables, of at most 4 bits.

    Raises
    ------
    ValueError
        For tasks of more than 4 bits, whose games outnumber 64-bit integers.

    Examples
    --------
    >>> games_of = pd.DataFrame([[1, 6, 1, 6], [7, 9, 2, 6]], columns=list(PLACES))
    >>> orbits(games_of, tables(2)).nunique()  # AND, XOR | AND, XOR and OR, XNOR | another AND, XOR
    2
    >>> games_of.iloc[1] = [7, 9, 7, 6]
    >>> orbits(games_of, tables(2)).nunique()
    1
    """
    bits = check_integer("bits", _bits(tasks[0]), at_least=1, at_most=4)
    classes = np.array([list(map(int, task)) for task in tasks])
    rows = np.array(list(itertools.product((0, 1), repeat=bits)))
    weights = 2 ** np.arange(2**bits, dtype=np.int64)[::-1]
    places = games_of[list(PLACES)].to_numpy(int)
    images = []
    for order in itertools.permutations(range(bits)):
        for flips in itertools.product((0, 1), repeat=bits):
            moved = (rows[:, order] ^ np.array(flips)) @ 2 ** np.arange(bits)[::-1]
            turned = classes[:, moved]
            numbers = np.minimum(turned @ weights, (1 - turned) @ weights)[places]
            images += [numbers, numbers[:, [2, 3, 0, 1]]]
    codes = np.stack(images) @ (2 ** (2**bits * np.arange(3, -1, -1, dtype=np.int64)))
    return pd.Series(codes.min(axis=0), games_of.index)


def best_of_each_orbit(games_of: pd.DataFrame, tasks: Sequence[str], most: int) -> pd.DataFrame:
    """Return the games above the line with the largest S - Delta - 2, at most one of each orbit.

    Parameters
    ----------
    games_of
        Games, as `survey` returns them.
    tasks
        The truth tables.
    most
        The largest number of games to return.
    """
    above = games_of[games_of["excess"] > ROUNDING]
    best = above.nlargest(CANDIDATES, "excess")
    return best[~orbits(best, tasks).duplicated()].head(most)


def run(
    trainings: Sequence[dict], tasks: Sequence[str], *, parts: Parts | None = None, **options: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Look for games in which S > 2 is more than the marginals explain, and confirm the best.

    Of those above the line, the games with the largest S - Delta - 2 are chosen, at most one of
    each orbit, under each readout. That is selection, from very many: only the report on fresh
    replicas says something of them.

    Parameters
    ----------
    trainings
        Arguments of `ncnet.train`, ``hidden_size`` among them, such as those of `TRAININGS`; they
        become columns.
    tasks
        Truth tables, as `train_pairs` takes them.
    parts
        Keeps the table of each training, for a run that may be cut off.
    options
        As in `SEARCH_OPTIONS`: ``replicas`` and ``seed`` of the training of all pairs,
        ``fresh_replicas`` and ``fresh_seed`` of the confirmations, and ``most``, the largest number
        of games to confirm for each training and readout.

    Returns
    -------
    counts : pandas.DataFrame
        For each training and readout (`ncnet.chsh.READOUTS`), how many ``games`` there are, are
        ``ruled_out`` by a cell that never occurs, and lie ``above`` the line.
    confirmations : pandas.DataFrame
        One row a game that was confirmed: ``readout``; the tasks ``A1``, ``A2``, ``B1``, ``B2``;
        ``selected``, S - Delta - 2 in the selection; the columns of `ncnet.chsh.Report.row`.

    Examples
    --------
    >>> training = {"hidden_size": 1, "steps": 10}
    >>> options = {"replicas": 64, "seed": 0, "fresh_replicas": 64, "fresh_seed": 1, "most": 1}
    >>> counts, confirmations = run([training], ["0001", "0110"], **options)
    >>> counts[["readout", "games"]].values.tolist()
    [['correct', 16], ['solved', 16], ['prediction', 16]]
    """
    axes = {"training": trainings}
    table = compute_grid(_search, axes, parts=parts, tasks=list(tasks), **options)
    counts = table[["readout", *COUNTS, *trainings[0]]].drop_duplicates(ignore_index=True)
    confirmations = table.dropna(subset="A1", ignore_index=True)
    return counts, confirmations.drop(columns=list(COUNTS))


def _search(
    training: dict,
    *,
    tasks: Sequence[str],
    fresh_replicas: int,
    fresh_seed: int,
    most: int,
    **options: int,
) -> pd.DataFrame:
    """Return one row a confirmation, or one without a game where none was above the line."""
    check_integer("fresh_replicas", fresh_replicas, at_least=1)
    check_integer("fresh_seed", fresh_seed, at_least=0)
    pairs = train_pairs(tasks, **training, **options)
    fresh = training | {"replicas": fresh_replicas, "seed": fresh_seed}
    rows = []
    for readout in chsh.READOUTS:
        found = survey(read(pairs, readout), above=ROUNDING)
        counts = {"readout": readout, **found.attrs, "above": len(found)}
        chosen = best_of_each_orbit(found, tasks, most)
        if chosen.empty:
            rows.append(counts | dict.fromkeys(PLACES))
        for game in chosen.to_dict("records"):
            named = {place: tasks[game[place]] for place in PLACES}
            report = confirm(list(named.values()), readout=readout, **fresh)
            rows.append(counts | named | {"selected": game["excess"]} | report.row())
    return pd.DataFrame(rows).assign(**training)


def confirm(tasks: Sequence[str], *, readout: str = "correct", **training: object) -> chsh.Report:
    """Train a game that stood out on fresh replicas, and report on it.

    Parameters
    ----------
    tasks
        Truth tables of A1, A2, B1, B2.
    readout
        One of `ncnet.chsh.READOUTS`.
    training
        Arguments of `ncnet.train`, with another seed than the game was chosen with.

    Examples
    --------
    >>> confirm(["0001", "0110"] * 2, hidden_size=1, replicas=64, seed=1, steps=10).replicas
    64
    """
    return chsh.report(train(_game(tasks), **training), readout=readout)


def _game(tasks: Sequence[str]) -> games.Game:
    a1, a2, b1, b2 = tasks
    return games.boolean(_bits(a1), alice=(a1, a2), bob=(b1, b2))


def _bits(task: str) -> int:
    return (len(task) - 1).bit_length()


def record() -> None:
    """Write a search among games of two bits, ``small/search`` and ``small/search_counts``.

    It takes seconds, and what is recorded of it can be made again as quickly.
    """
    asked = SEARCH_OPTIONS | {"replicas": 64, "fresh_replicas": 1024, "most": 1}
    counts, confirmations = run([TRAININGS[0], TRAININGS[3]], up_to_negation(2), **asked)
    how = {"parameters": {"bits": 2} | asked, "command": "python -m ncnet.atlas"}
    for name, table in (("search", confirmations), ("search_counts", counts)):
        results.save(name, table, folder=results.FOLDER / "small", **how)


RENAMED = {
    "halves": "up_to_negation",
    "kinds": "orbits",
    "best_of_each_kind": "best_of_each_orbit",
    "retest": "confirm",
    "LOOKED_AT": "CANDIDATES",
    "SEARCHED": "TRAININGS",
    "ASKED": "SEARCH_OPTIONS",
}
__getattr__ = renamed.names(__name__, RENAMED)
