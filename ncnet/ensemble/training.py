"""Trains every replica of a game in its four contexts and returns the outcomes."""

import math
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
import xarray as xr
from torch import Tensor
from tqdm import tqdm

from ncnet.checks import check_choice, check_integer, check_positive
from ncnet.ensemble import compiled, network
from ncnet.ensemble.compiled import Compiled
from ncnet.ensemble.compiler import CompilerError
from ncnet.ensemble.eager import Eager
from ncnet.ensemble.initialisation import BLOCK, INITIALISATIONS, draw_block
from ncnet.ensemble.network import ACTIVATIONS, Weights
from ncnet.ensemble.optimizers import OPTIMIZERS
from ncnet.games import Game

CONTEXTS = 4
# Far above what fits in memory or a lifetime: a slip of the pen is told before numpy fails.
MOST_UNITS, MOST_REPLICAS = 10**6, 10**10
DTYPES = {"float32": torch.float32, "float64": torch.float64}
PATHS = {"compiled": Compiled, "eager": Eager}
COMPILING_PAYS = 2**24
"""Networks x items x steps from which on a training is compiled: eagerly it would take longer
than the compiler does. Neither the hidden size nor what is compiled already is asked, so that the
same call takes the same path, and a sweep over hidden sizes one path."""


def train(
    game: Game,
    *,
    hidden_size: int,
    replicas: int,
    seed: int,
    steps: int | Sequence[int] = 2000,
    activation: str = "tanh",
    optimizer: str = "gradient_descent",
    learning_rate: float = 0.5,
    initialisation: str = "lecun_normal",
    trace_steps: Sequence[int] = (),
    dtype: str = "float32",
    device: str | None = None,
    path: str | None = None,
    threads: int | None = None,
    chunk_size: int | None = None,
) -> xr.Dataset:
    """Train replicas 0 ... `replicas` - 1 of a game in all four contexts at once.

    A context (i, j) is one network, trained from scratch on Alice's task i and Bob's task j:
    full batch, loss L_A + L_B, the shared trunk receiving both gradients. The four contexts of
    a replica start from the same weights. A replica depends on the seed and its own index
    alone: not on how many others there are, on chunks or on threads; on a CPU, bit by bit.
    The paper states neither optimizer, nor steps, nor initialisation: the defaults are ours.

    Parameters
    ----------
    game
        Items and tasks, from `ncnet.games`.
    hidden_size
        Units n of the shared hidden layer, at least 1.
    replicas
        Number of initialisations, at least 1.
    seed
        Seed of the initial weights, at least 0. Games with as many bits share initial weights.
    steps
        Training steps. A sequence gives the outcomes after each of these numbers of steps,
        along `capacity` (with ``capacity_name`` "steps").
    activation
        "tanh", "sigmoid" or "relu".
    optimizer
        "gradient_descent" or "adam".
    learning_rate
        Step size, above 0.
    initialisation
        "lecun_normal" (weights N(0, 1/fan_in), biases 0), "he_normal", "glorot_normal" or
        "torch_linear".
    trace_steps
        Steps at which to record each head's loss (0 is before the first step).
    dtype
        "float32" or "float64".
    device
        A torch device such as "cpu" or "cuda"; by default a GPU where torch sees one.
    path
        "compiled" (a CPU and float32 only) or "eager". By default compiled, on a CPU and in
        float32, where a training is long enough for the compiler to pay (networks x items x
        steps of at least 2^24: for `overlap`, 2,000 steps of 263 replicas), and eager where it is
        not or where no C++ compiler is found, which is said once. Results of the two agree in
        distribution, not bit by bit.
    threads
        Chunks trained side by side on a CPU; by default as many as torch has threads.
    chunk_size
        Replicas trained together, rounded up to a multiple of 64; bounds the memory. Chosen by
        network size by default.

    Returns
    -------
    xarray.Dataset
        `a`, `b`: int8, +1 where the head classifies the item correctly after training, else -1,
        over (alice_setting, bob_setting, replica, item). `alice_target` (alice_setting, item)
        and `bob_target` (bob_setting, item), +-1. `diverged` (alice_setting, bob_setting,
        replica): whether any logit ended non-finite; such a logit reads as class 0, and no
        replica is dropped. `alice_loss` and `bob_loss` (alice_setting, bob_setting, replica,
        step) if traces were asked for. Coordinates `capacity` and `split` (item); training
        parameters in attrs.

    Raises
    ------
    ValueError
        For an unknown name, a size, count or rate out of range, or a path that cannot be taken
        here: before any work starts.

    Examples
    --------
    >>> from ncnet import games
    >>> outcomes = train(games.overlap(), hidden_size=3, replicas=64, seed=0, steps=10)
    >>> dict(outcomes.a.sizes)
    {'alice_setting': 2, 'bob_setting': 2, 'replica': 64, 'item': 8}
    """
    if not isinstance(game, Game):
        raise ValueError(f"`game` is {game!r}: expected a game, such as `ncnet.games.overlap()`")
    plan = _Plan(
        game=game,
        hidden_size=check_integer("hidden_size", hidden_size, at_least=1, at_most=MOST_UNITS),
        replicas=check_integer("replicas", replicas, at_least=1, at_most=MOST_REPLICAS),
        seed=check_integer("seed", seed, at_least=0),
        steps=_check_steps("steps", steps if _is_sequence(steps) else (steps,)),
        activation=activation,
        optimizer=optimizer,
        learning_rate=check_positive("learning_rate", learning_rate),
        initialisation=initialisation,
        trace_steps=_check_steps("trace_steps", trace_steps),
        dtype=dtype,
        device=_check_device(device),
    )
    plan.check()
    threads = torch.get_num_threads() if threads is None else threads
    check_integer("threads", threads, at_least=1)
    if plan.device.type != "cpu":
        threads = 1
    if chunk_size is not None:
        check_integer("chunk_size", chunk_size, at_least=1)
    path = _choose_path(plan, path)
    results = _Results(plan)
    _run(plan, results, path, threads, _blocks_per_chunk(plan, path, threads, chunk_size))
    dataset = _dataset(plan, results, steps_are_capacity=_is_sequence(steps))
    return dataset.assign_attrs(path=path)


@dataclass(frozen=True)
class _Plan:
    """One training, validated."""

    game: Game
    hidden_size: int
    replicas: int
    seed: int
    steps: tuple[int, ...]
    activation: str
    optimizer: str
    learning_rate: float
    initialisation: str
    trace_steps: tuple[int, ...]
    dtype: str
    device: torch.device

    def check(self) -> None:
        check_choice("activation", self.activation, ACTIVATIONS)
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_choice("initialisation", self.initialisation, INITIALISATIONS)
        check_choice("dtype", self.dtype, DTYPES)
        late = [step for step in self.trace_steps if step > self.steps[-1]]
        if late:
            raise ValueError(
                f"`trace_steps` has {late[0]}: expected at most `steps`, {self.steps[-1]}"
            )

    def tensor(self, array: np.ndarray) -> Tensor:
        return torch.as_tensor(array, dtype=DTYPES[self.dtype], device=self.device)


class _Results:
    """Where the chunks write what they found; [4, replicas, ...] with contexts in row order."""

    def __init__(self, plan: _Plan) -> None:
        networks = (CONTEXTS, plan.replicas)
        items = len(plan.game.inputs)
        self.correct = np.empty((2, len(plan.steps), *networks, items), np.int8)
        self.diverged = np.empty((len(plan.steps), *networks), bool)
        self.losses = np.empty((2, *networks, len(plan.trace_steps)), plan.dtype)


def _choose_path(plan: _Plan, path: str | None) -> str:
    if path is not None:
        check_choice("path", path, PATHS)
    if path == "eager":
        return path
    reason = None
    if plan.device.type != "cpu":
        reason = f"it runs on a CPU only, `device` is {plan.device.type!r}"
    elif plan.dtype != "float32":
        reason = f"it computes in float32 only, `dtype` is {plan.dtype!r}"
    if reason is None and (path == "compiled" or _work(plan) >= COMPILING_PAYS):
        try:
            items, features = plan.game.inputs.shape
            compiled.kernel(
                features=features + 1,
                items=items,
                activation=plan.activation,
                optimizer=plan.optimizer,
            )
        except CompilerError as error:
            reason = str(error)
            if path is None:
                _say_that_training_is_eager(reason)
        else:
            return "compiled"
    if path == "compiled":
        raise ValueError(f"`path` is 'compiled': {reason}")
    return "eager"


def _work(plan: _Plan) -> int:
    return CONTEXTS * plan.replicas * len(plan.game.inputs) * plan.steps[-1]


@lru_cache
def _say_that_training_is_eager(reason: str) -> None:
    warnings.warn(
        f"training eagerly, several times slower than compiled: {reason}",
        RuntimeWarning,
        stacklevel=4,
    )


def _run(plan: _Plan, results: _Results, path: str, threads: int, blocks_per_chunk: int) -> None:
    blocks = math.ceil(plan.replicas / BLOCK)
    chunks = [
        range(start, min(start + blocks_per_chunk, blocks))
        for start in range(0, blocks, blocks_per_chunk)
    ]
    with _single_threaded_operators(), ThreadPoolExecutor(threads) as pool:
        finished = pool.map(lambda chunk: _train_chunk(plan, path, chunk, results), chunks)
        try:
            # tqdm's None: no bar where the output is not a terminal.
            list(tqdm(finished, "training", len(chunks), leave=False, disable=None))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def _single_threaded_operators() -> Iterator[None]:
    """Keep torch from splitting one operation over threads.

    A split may fall inside a vector, whose remainder is computed by other instructions: results
    would depend on the number of threads in the last bit.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@torch.inference_mode()
def _train_chunk(plan: _Plan, path: str, blocks: range, results: _Results) -> None:
    """Train the replicas of some blocks and write their rows of the results.

    Whole blocks of 64 are computed, so that a replica always falls on the same place of a
    vector; surplus replicas of the last block are left out when the results are written.
    """
    inputs = network.with_bias(plan.tensor(plan.game.inputs))
    weights = _initial_weights(plan, blocks)
    signs = _signs(plan, len(blocks) * BLOCK)
    networks = PATHS[path](
        inputs,
        signs,
        weights,
        activation=plan.activation,
        optimizer=plan.optimizer,
        learning_rate=plan.learning_rate,
    )
    rows = slice(blocks.start * BLOCK, min(blocks.stop * BLOCK, plan.replicas))
    at = 0
    for stop in sorted({*plan.steps, *plan.trace_steps}):
        networks.advance(stop - at)
        at = stop
        hidden = network.hidden_units(inputs, weights.trunk, ACTIVATIONS[plan.activation])
        logit = network.logits(hidden, weights.heads)
        if stop in plan.steps:
            _write_outcomes(results, plan.steps.index(stop), rows, logit, signs)
        if stop in plan.trace_steps:
            loss = _networks(network.losses(logit, signs), rows)
            results.losses[:, :, rows, plan.trace_steps.index(stop)] = loss


def _initial_weights(plan: _Plan, blocks: range) -> Weights:
    drawn = [
        draw_block(
            plan.initialisation,
            features=plan.game.inputs.shape[1],
            hidden_size=plan.hidden_size,
            seed=plan.seed,
            block=block,
        )
        for block in blocks
    ]
    trunk, heads = (np.concatenate(parts, axis=-1) for parts in zip(*drawn, strict=True))
    return Weights(
        plan.tensor(trunk).repeat(1, 1, CONTEXTS), plan.tensor(heads).repeat(1, 1, CONTEXTS)
    )


def _signs(plan: _Plan, replicas: int) -> Tensor:
    """Return classes as +-1 [2, items, 4 * replicas]; contexts in row order, (1, 1) first."""
    alice = plan.game.alice_targets.repeat(2, axis=0)
    bob = np.tile(plan.game.bob_targets, (2, 1))
    contexts = np.stack([alice, bob]).swapaxes(1, 2)
    return plan.tensor(contexts).repeat_interleave(replicas, dim=2)


def _write_outcomes(
    results: _Results, index: int, rows: slice, logit: Tensor, signs: Tensor
) -> None:
    finite = logit.isfinite()
    # A tie and a non-finite logit both read as class 0.
    correct = ((logit > 0) & finite) == (signs > 0)
    outcomes = 2 * correct.to(torch.int8) - 1
    results.correct[:, index, :, rows] = np.moveaxis(_networks(outcomes, rows), 1, -1)
    diverged = ~finite.all(dim=0).all(dim=0)
    results.diverged[index, :, rows] = _networks(diverged, rows)


def _networks(values: Tensor, rows: slice) -> np.ndarray:
    """Split [..., 4 * replicas] into [..., 4, replicas], without surplus replicas."""
    contexts = values.unflatten(-1, (CONTEXTS, -1))
    return contexts[..., : rows.stop - rows.start].cpu().numpy()


def _blocks_per_chunk(plan: _Plan, path: str, threads: int, chunk_size: int | None) -> int:
    if chunk_size is None:
        # In values of a hidden-layer array. Eagerly, at most 2 MiB stays near the cache of a CPU,
        # while a GPU takes what fits; threads take turns at calling operations, so that chunks
        # of less than 256 KiB are slower side by side than one after the other. Compiled, a chunk
        # of any size computes alike: small ones show progress and keep threads equally busy.
        most, least = (2**19, 2**16) if plan.device.type == "cpu" else (2**27, 2**27)
        if path == "compiled":
            most, least = 2**17, 1
        per_replica = CONTEXTS * plan.hidden_size * len(plan.game.inputs)
        share = max(math.ceil(plan.replicas / threads), least // per_replica)
        chunk_size = max(min(share, most // per_replica), 1)
    return math.ceil(chunk_size / BLOCK)


def _is_sequence(steps: object) -> bool:
    return isinstance(steps, Sequence) or (isinstance(steps, np.ndarray) and steps.ndim == 1)


def _check_steps(name: str, steps: Sequence[int]) -> tuple[int, ...]:
    if not _is_sequence(steps) or isinstance(steps, str):
        raise ValueError(f"`{name}` is {steps!r}: expected numbers of steps")
    numbers = tuple(check_integer(name, number, at_least=0) for number in steps)
    if list(numbers) != sorted(set(numbers)) or (name == "steps" and not numbers):
        raise ValueError(f"`{name}` is {list(numbers)}: expected increasing numbers of steps")
    return numbers


def _check_device(device: str | None) -> torch.device:
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        chosen = torch.device(device)
        torch.ones(1, device=chosen).item()
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        raise ValueError(
            f"`device` is {device!r}, which torch cannot use here: expected `cpu` or a GPU it sees"
        ) from error
    return chosen


def _dataset(plan: _Plan, results: _Results, *, steps_are_capacity: bool) -> xr.Dataset:
    settings = ("alice_setting", "bob_setting")
    networks = ("capacity", *settings, "replica")
    shape = (len(plan.steps), 2, 2, plan.replicas)
    items = len(plan.game.inputs)
    correct = results.correct.reshape(2, *shape, items)
    variables = {
        "a": ((*networks, "item"), correct[0]),
        "b": ((*networks, "item"), correct[1]),
        "alice_target": (("alice_setting", "item"), plan.game.alice_targets),
        "bob_target": (("bob_setting", "item"), plan.game.bob_targets),
        "diverged": (networks, results.diverged.reshape(shape)),
    }
    coordinates = {
        "alice_setting": [1, 2],
        "bob_setting": [1, 2],
        "replica": np.arange(plan.replicas),
        "split": ("item", np.full(items, "training")),
    }
    if plan.trace_steps:
        losses = results.losses.reshape(2, 2, 2, plan.replicas, len(plan.trace_steps))
        traced = (*settings, "replica", "step")
        variables |= {"alice_loss": (traced, losses[0]), "bob_loss": (traced, losses[1])}
        coordinates["step"] = list(plan.trace_steps)
    attributes = {
        "game": plan.game.name,
        "alice_tasks": [task.name for task in plan.game.alice],
        "bob_tasks": [task.name for task in plan.game.bob],
        "activation": plan.activation,
        "optimizer": plan.optimizer,
        "learning_rate": plan.learning_rate,
        "initialisation": plan.initialisation,
        "seed": plan.seed,
        "dtype": plan.dtype,
        "device": plan.device.type,
        "paired": True,
    }
    if steps_are_capacity:
        name, values = "steps", list(plan.steps)
        attributes["hidden_size"] = plan.hidden_size
    else:
        name, values = "hidden_size", [plan.hidden_size]
        attributes["steps"] = plan.steps[0]
    coordinates["capacity"] = ("capacity", values, {"capacity_name": name})
    dataset = xr.Dataset(variables, coordinates, attributes)
    return dataset if steps_are_capacity else dataset.squeeze("capacity")
