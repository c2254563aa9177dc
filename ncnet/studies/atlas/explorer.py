"""The tables behind the page "Play": any game of two Boolean tasks a party, looked up.

A context trains one pair of tasks, whatever game it belongs to: see `ncnet.studies.atlas.analysis`.
Outcomes are right or wrong, so that a task and its negation fare alike. For negate the task and the
initial weights of its head: along the whole training, each logit of that head is the negative of
what it was, and the same answers are right. Initial weights are as likely as their negatives, hence
both tasks have the same distribution of outcomes, and 8 of the 16 functions of two bits stand for
all. A game with negated tasks is looked up in networks whose heads started mirrored, not in those
that `ncnet.train` would train: its statistics are estimates of the same numbers.

Each pair is trained twice: with the trunk that both heads share, and with a trunk of as many units
for each head. Heads that are trained apart cannot know of each other, so that Delta is 0 and S at
most 2, whatever the game.

For a few games a whole report is recorded as well: its intervals are those of the game, while what
is put together from pairs is on the safe side, and wider.

``python -m ncnet.explorer`` records the tables. Its parts lie in ``runs/explorer``
until it ends: a run that was cut off goes on where it was.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
import xarray as xr

from ncnet import chsh, games, renamed, results
from ncnet.checks import check, check_choice, plain_number
from ncnet.games import LAYOUTS
from ncnet.parts import Parts
from ncnet.studies.atlas.analysis import tables, train_games, up_to_negation
from ncnet.sweeps import compute_grid
from ncnet.training import train

TRUNKS = ("shared", "own")
"""Whether both heads have one trunk, or each has one of its own."""
ACTIVATIONS = ("tanh", "sigmoid", "relu")
HIDDEN_SIZES = tuple(range(1, 9))
# Not from 0: where no ReLU is active yet, the logit is exactly 0, which reads as class 0, so that
# a task and its negation would not fare alike.
STEPS = (1, 3, 6, 10, 20, 40, 70, 100, 150, 200, 300, 450, 700, 1000, 1400, 2000)
"""Training steps at which outcomes are read."""
REPRESENTATIVES = tuple(up_to_negation(2))
"""The functions of two bits up to negation: truth tables that begin with 0."""
REPLICAS, SEED = 1600, 0
"""The replicas of the recorded table, and its seed."""
RECORDED = {
    "trunks": TRUNKS,
    "layouts": ("overlap", "separate"),
    "activations": ACTIVATIONS,
    "hidden_sizes": HIDDEN_SIZES,
    "steps": STEPS,
    "replicas": REPLICAS,
    "seed": SEED,
}
"""Arguments of `run`: what the page lets its reader choose, and how it was trained."""
EXAMPLES = {name: RECORDED[name] for name in ("layouts", "hidden_sizes", "seed")} | {"replicas": 12}
"""Arguments of `initial_weights`: networks that the page can train anew, for all to watch."""
REPORTED = (
    ("0001", "0110", "0001", "0110"),
    ("0110", "0110", "0110", "0110"),
    ("0001", "0111", "0001", "0111"),
    ("0011", "0110", "0101", "0110"),
    ("0000", "0011", "0000", "0101"),
    ("0000", "0110", "0000", "0110"),
    ("0011", "0101", "0110", "1001"),
    ("0101", "0101", "0011", "0011"),
    ("0101", "0010", "0011", "0001"),
)
"""Games with a report of their own, with tanh: those that the page offers to begin with."""
CHOICE = ("trunk", "layout", "activation", "hidden_size", "steps")
AXES = {f"{name}s": name for name in CHOICE if name != "steps"} | {"tasks": "tasks"}
PARTIES = ("alice", "bob")
MEANS = ("correlator", *PARTIES)
WEIGHTS = ("x1", "x2", "x3", "x4", *PARTIES)
REPORT_COLUMNS = (
    *(f"{name}{end}" for name in ("s", "delta", "excess") for end in ("", "_low", "_high")),
    "verdict",
    "explanation",
)
NORMAL_95 = 1.96
NEGATED = [0, 2, 1]
"""A number and the ends of its interval, in the order of those of its negative."""


def representative(task: str) -> str:
    """Return which of a truth table and its negation begins with 0.

    Raises
    ------
    ValueError
        If the text is no truth table of two bits.

    Examples
    --------
    >>> representative("0110"), representative("1001")
    ('0110', '0110')
    """
    check(task in tables(2), f"a truth table is {task!r}", "four times 0 or 1")
    return REPRESENTATIVES[min(int(task, 2), 15 - int(task, 2))]


def game(layout: str, tasks: Sequence[str]) -> games.Game:
    """Return the game of these tasks, each of two bits, on the inputs of a layout.

    Parameters
    ----------
    layout
        A name in `LAYOUTS`: whether the parties' inputs overlap in one bit or are separate.
    tasks
        Truth tables of A1, A2, B1, B2.

    Examples
    --------
    >>> played = game("overlap", ["0001", "0110", "0001", "0110"])
    >>> bool((played.bob_targets == games.overlap().bob_targets).all())
    True
    """
    check_choice("layout", layout, LAYOUTS)
    bits, alice, bob = LAYOUTS[layout]
    rows = list(itertools.product((0, 1), repeat=bits))
    tables = [
        "".join(task[2 * row[first] + row[second]] for row in rows)
        for task, (first, second) in zip(tasks, (alice, alice, bob, bob), strict=True)
    ]
    return games.boolean(bits, alice=tables[:2], bob=tables[2:], name="/".join(tasks))


def train_representatives(
    layout: str,
    *,
    trunk: str = "shared",
    tasks: tuple[Sequence[str], Sequence[str]] = (REPRESENTATIVES, REPRESENTATIVES),
    **training: object,
) -> xr.Dataset:
    """Train a network on every pair of tasks, one for each party.

    Parameters
    ----------
    layout
        A name in `LAYOUTS`.
    trunk
        "shared", or "own": each head has a trunk for itself, with as many units and the same
        initial weights.
    tasks
        Those of Alice and those of Bob among `REPRESENTATIVES`, an even number each; all by
        default. What a pair gives does not depend on which others are trained.
    training
        Arguments of `ncnet.train`, with several numbers of steps. All pairs start from the same
        initial weights.

    Returns
    -------
    xarray.Dataset
        `a`, `b`: correct (+1) or not (-1), int8 over (steps, alice_task, bob_task, replica,
        item); `diverged`, over (steps, alice_task, bob_task, replica).

    Raises
    ------
    ValueError
        For a trunk that there is not, or what `ncnet.train` refuses.

    Examples
    --------
    >>> trained = train_representatives(
    ...     "overlap", replicas=2, steps=[0, 10], hidden_size=1, seed=0
    ... )
    >>> dict(trained.a.sizes)
    {'steps': 2, 'alice_task': 8, 'bob_task': 8, 'replica': 2, 'item': 8}
    """
    check_choice("trunk", trunk, TRUNKS)
    train_all = partial(train_games, partial(game, layout), **training)
    alice, bob = tasks
    if trunk == "shared":
        found = train_all(alice, bob)
    else:
        # A trunk that follows one head's gradient alone is that head's own: what the other's task
        # is makes no difference to it.
        one = train_all(alice, alice[:2], gradient_weights=(1, 0)).isel(bob_task=0, drop=True)
        other = train_all(bob[:2], bob, gradient_weights=(0, 1)).isel(alice_task=0, drop=True)
        a, b = xr.broadcast(one["a"], other["b"])
        found = xr.Dataset({"a": a, "b": b, "diverged": one["diverged"] | other["diverged"]})
    found = found[["a", "b", "diverged"]].rename(capacity="steps")
    return found.transpose("steps", "alice_task", "bob_task", "replica", "item")


def means(trained: xr.Dataset) -> pd.DataFrame:
    """Return what the page needs of the outcomes of `train_representatives`.

    Returns
    -------
    pandas.DataFrame
        One row for each ``steps``, ``alice_task`` and ``bob_task``: the means ``correlator``,
        ``alice`` and ``bob``; ``correlator_error``, ``alice_error``, ``bob_error``, their
        standard errors over replicas; ``replicas``, and how many of them ``diverged``.

    Examples
    --------
    >>> trained = train_representatives("overlap", replicas=2, steps=[0], hidden_size=1, seed=0)
    >>> len(means(trained))
    64
    """
    a, b = trained["a"], trained["b"]
    outcomes = xr.Dataset({"correlator": a * b, "alice": a, "bob": b})
    # The first mean is exact: of few ones, over 8 or 16 items.
    of_replicas = outcomes.mean("item", dtype=np.float32).astype(float)
    replicas = trained.sizes["replica"]
    errors = of_replicas.std("replica", ddof=1) / math.sqrt(replicas)
    errors = errors.rename({name: f"{name}_error" for name in MEANS})
    columns = of_replicas.mean("replica").merge(errors).astype(np.float32)
    columns["diverged"] = trained["diverged"].sum("replica")
    table = columns.to_dataframe(dim_order=["steps", "alice_task", "bob_task"])
    return table.reset_index().assign(replicas=replicas)


def run(*, parts: Parts | None = None, **chosen: object) -> pd.DataFrame:
    """Return the tables of `means` for every training, one below the other.

    Parameters
    ----------
    parts
        Keeps the table of each training, for a run that may be cut off.
    chosen
        Other ``trunks``, ``layouts``, ``activations``, ``hidden_sizes`` and ``steps`` to choose
        among than those of the page, `RECORDED`; ``replicas`` and ``seed``, as `ncnet.train` takes
        them.
    """
    return _over_grid(_means_of, RECORDED | chosen, parts)


def _over_grid(
    compute: Callable[..., pd.DataFrame], asked: dict, parts: Parts | None = None
) -> pd.DataFrame:
    for name in asked:
        check_choice("choice", name, [*RECORDED, "tasks"])
    axes = {AXES[name]: values for name, values in asked.items() if name in AXES}
    shared = {name: value for name, value in asked.items() if name not in AXES}
    return compute_grid(compute, axes, parts=parts, **shared)


def _means_of(**asked: object) -> pd.DataFrame:
    training = {name: asked[name] for name in CHOICE if name != "steps"}
    table = means(train_representatives(**asked)).assign(**training)
    return table.set_index([*CHOICE, "alice_task", "bob_task"]).reset_index()  # puts them first


def reports(*, tasks: Sequence[Sequence[str]] = REPORTED, **chosen: object) -> pd.DataFrame:
    """Return what a report says of some games, on the outcomes that `look_up` adds up.

    Parameters
    ----------
    tasks
        Truth tables of A1, A2, B1, B2 of each game.
    chosen
        Arguments of `run`; the activation is tanh.

    Returns
    -------
    pandas.DataFrame
        One row for each training and ``game``: the tasks joined by dots. ``s``, ``delta`` and
        ``excess`` (S - Delta - 2), each with its 95 % interval, as in ``s_low`` and
        ``s_high``; ``verdict`` and ``explanation``, as `ncnet.chsh.Report` has them.

    Examples
    --------
    >>> table = reports(layouts=["overlap"], hidden_sizes=[1], steps=[1], replicas=32)
    >>> len(table) == 2 * len(REPORTED)
    True
    """
    return _over_grid(_reports_of, RECORDED | {"activations": ["tanh"], "tasks": tasks} | chosen)


def _reports_of(*, tasks: Sequence[str], **asked: object) -> pd.DataFrame:
    # Negated tasks are trained as those that stand for them.
    a1, a2, b1, b2 = map(representative, tasks)
    trained = train_representatives(tasks=((a1, a2), (b1, b2)), **asked)
    at_steps = (trained.sel(steps=step) for step in asked["steps"])
    rows = [chsh.report((one["a"].values, one["b"].values)).row() for one in at_steps]
    table = pd.DataFrame(rows).assign(game=".".join(tasks), **{n: asked[n] for n in CHOICE})
    return table[["game", *CHOICE, *REPORT_COLUMNS]]


def initial_weights(**chosen: object) -> pd.DataFrame:
    """Return the initial weights of the first replicas, from which the page trains examples.

    Parameters
    ----------
    chosen
        Other ``layouts``, ``hidden_sizes``, ``replicas`` and ``seed`` than `EXAMPLES`.

    Returns
    -------
    pandas.DataFrame
        One row for each ``layout``, ``hidden_size``, ``replica`` and ``unit``: its weights from
        the inputs, ``x1`` ... ``x4`` (``overlap`` has no ``x4``), and to the heads, ``alice`` and
        ``bob``. All biases start at 0.

    Examples
    --------
    >>> len(initial_weights(replicas=2)), sum(HIDDEN_SIZES)
    (144, 36)
    """
    table = _over_grid(_initial_weights_of, EXAMPLES | chosen)
    return table.reindex(columns=["layout", "hidden_size", "replica", "unit", *WEIGHTS])


def _initial_weights_of(layout: str, **training: int) -> pd.DataFrame:
    untrained = train(games.named(layout), steps=0, trace_steps=[0], trace=["weights"], **training)
    one = untrained.isel(alice_setting=0, bob_setting=0, step=0)
    weights = one["trunk_weight"].drop_sel(input="bias").to_dataset("input")
    weights = weights.assign(alice=one["alice_weight"], bob=one["bob_weight"])
    table = weights.to_dataframe(dim_order=["replica", "unit"]).reset_index()
    return table.assign(layout=layout, hidden_size=training["hidden_size"])


def look_up(
    table: pd.DataFrame, tasks: Sequence[str], **choice: str | int
) -> dict[str, float | np.ndarray]:
    """Return what the page says of a game.

    Parameters
    ----------
    table
        The recorded table, or one that `run` returns.
    tasks
        Truth tables of A1, A2, B1, B2.
    choice
        ``trunk``, ``layout``, ``activation``, ``hidden_size`` and ``steps``: one row for each pair
        of tasks.

    Returns
    -------
    dict
        ``s``, ``delta``, ``excess`` (S - Delta - 2), and ``correlator``, ``alice``, ``bob``
        [2, 2] by context; each with the ends of its interval, such as ``s_low`` and ``s_high``.
        An end is reached by all contexts being at the end of their own 95 % interval at once.
        Since standard deviations of a sum add up at most, that is on the safe side, however the
        contexts of a replica depend on each other.

    Raises
    ------
    KeyError
        If the table has no such choice.

    Examples
    --------
    >>> choice = {"trunk": "shared", "layout": "overlap", "activation": "tanh"}
    >>> table = run(**{f"{name}s": [one] for name, one in choice.items()}, replicas=64,
    ...             hidden_sizes=[1], steps=[10])
    >>> choice |= {"hidden_size": 1, "steps": 10}
    >>> found = look_up(table, ["0001", "0110", "0001", "0110"], **choice)
    >>> found["s_low"] < found["s"] < found["s_high"]
    True
    """
    chosen = table[np.logical_and.reduce([table[name] == choice[name] for name in CHOICE])]
    by_pair = chosen.set_index(["alice_task", "bob_task"])
    a1, a2, b1, b2 = map(representative, tasks)
    contexts = by_pair.loc[list(itertools.product((a1, a2), (b1, b2)))]
    mean = contexts[list(MEANS)].to_numpy(float).T
    error = contexts[[f"{name}_error" for name in MEANS]].to_numpy(float).T
    margin = margin_of_error(error, contexts["replicas"].to_numpy())
    ends = np.stack([mean, (mean - margin).clip(min=-1), (mean + margin).clip(max=1)])
    correlator, alice, bob = ends.reshape(3, 3, 2, 2).swapaxes(0, 1)
    s = np.where(chsh.SIGNS.values > 0, correlator, -correlator[NEGATED]).sum(axis=(1, 2))
    delta = np.sum([_changes(alice), _changes(bob.swapaxes(1, 2))], axis=(0, 2))
    found = {"correlator": correlator, "alice": alice, "bob": bob, "s": s, "delta": delta}
    found["excess"] = s - delta[NEGATED] - chsh.CLASSICAL_BOUND
    return {
        f"{name}{end}": plain_number(value)
        for name, values in found.items()
        for end, value in zip(("", "_low", "_high"), values, strict=True)
    }


def margin_of_error(error: np.ndarray, replicas: np.ndarray) -> np.ndarray:
    """Return by how much a mean of outcomes over replicas may be off, at 95 %.

    1.96 standard errors, or, where next to all replicas are alike and the standard error says
    nothing, the change by replicas that are as far off as can be, and as frequent as they can be
    without one among so many.

    >>> margin_of_error(np.array([0.01, 0.0]), 1600).round(4).tolist()
    [0.0196, 0.0046]
    """
    unseen = math.log(40) / replicas  # a frequency p leaves none with probability (1 - p)^replicas
    return np.maximum(NORMAL_95 * error, 2 * unseen)


def _changes(ends: np.ndarray) -> np.ndarray:
    """Return by how much marginals [end, task, other setting] change, and its ends: [end, task]."""
    change, low, high = ends[..., 0] - ends[NEGATED][..., 1]
    return np.stack([abs(change), np.maximum(low, -high).clip(min=0), np.maximum(high, -low)])


RENAMED = {
    "CLASSES": "REPRESENTATIVES",
    "train_classes": "train_representatives",
    "starts": "initial_weights",
    "half_width": "margin_of_error",
}
__getattr__ = renamed.names(__name__, RENAMED)


def record() -> None:
    """Write the recorded tables ``explorer``, ``explorer_reports`` and ``explorer_networks``."""
    results.checkout()  # before an edit that this run does not know of
    save = partial(results.save, command="python -m ncnet.explorer")
    parts = Parts(results.FOLDER.parent / "runs" / "explorer" / "parts", RECORDED)
    save("explorer", run(parts=parts), parameters=RECORDED)
    of_reports = {"activations": ["tanh"], "games": [".".join(tasks) for tasks in REPORTED]}
    save("explorer_reports", reports(), parameters=RECORDED | of_reports)
    save("explorer_networks", initial_weights(), parameters=EXAMPLES)
    parts.clear()
