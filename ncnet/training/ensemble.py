"""Trains all replicas of a game in its four contexts and returns their outcomes."""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from ncnet import renamed
from ncnet.checks import check_integer
from ncnet.games import Game
from ncnet.training import backends, network
from ncnet.training.chunks import split_blocks, train_chunks
from ncnet.training.initialisation import BLOCK, draw
from ncnet.training.network import ACTIVATIONS, AnyWeights, DeepWeights, Weights
from ncnet.training.outcomes import Recorder
from ncnet.training.plan import CONTEXT_COUNT, DEFAULT_TRACE, EQUAL_WEIGHTS, Plan
from ncnet.training.streams import draw_keys


@renamed.keywords(path="backend")
def train(
    game: Game,
    *,
    hidden_size: int,
    second_hidden_size: int = 0,
    replicas: int,
    seed: int,
    steps: int | Sequence[int] = 2000,
    activation: str = "tanh",
    optimizer: str = "gradient_descent",
    learning_rate: float = 0.5,
    loss: str = "cross_entropy",
    initialisation: str = "lecun_normal",
    aggregator: str = "sum",
    gradient_weights: Sequence[float] = EQUAL_WEIGHTS,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    batch_size: int | None = None,
    own_batches: bool = False,
    label_noise: float = 0.0,
    own_starts: bool = False,
    head_start: int = 0,
    trace_steps: Sequence[int] = (),
    trace: Sequence[str] = DEFAULT_TRACE,
    dtype: str = "float32",
    device: str | None = None,
    backend: str | None = None,
    threads: int | None = None,
    chunk_size: int | None = None,
) -> xr.Dataset:
    """Train replicas 0 ... `replicas` - 1 of a game in all four contexts at once.

    A context (i, j) is one network, trained from scratch on Alice's task i and Bob's task j:
    loss L_A + L_B, the shared trunk receiving both gradients. By default each step takes all
    items, and the four contexts of a replica start from the same weights. A replica depends on the
    seed and its own index alone: not on how many others there are, on chunks or on threads; on a
    CPU, bit by bit.
    The paper states neither optimizer, nor steps, nor initialisation: the defaults are ours.

    Parameters
    ----------
    game
        Items and tasks, from `ncnet.games`.
    hidden_size
        Units n of the shared hidden layer, at least 1.
    second_hidden_size
        Units of a second shared hidden layer between the first and the heads; 0 for none. The
        activation is that of the first.
    replicas
        Number of initialisations, at least 1.
    seed
        Seed of the initial weights, at least 0. Games with as many bits share initial weights.
    steps
        Number of training steps. A sequence gives the outcomes after each of these numbers of
        steps, along `capacity` (with ``capacity_name`` "steps").
    activation
        "tanh", "sigmoid" or "relu".
    optimizer
        "gradient_descent" or "adam".
    learning_rate
        Step size, above 0.
    loss
        Each head's loss, averaged over items: "cross_entropy" of the class, or "squared_error",
        half the square of the logit's distance from the class as +-1.
    initialisation
        "lecun_normal" (weights N(0, 1/fan_in), biases 0), "he_normal", "glorot_normal" or
        "torch_linear".
    aggregator
        The rule by which both heads' gradients move the whole shared trunk: their "sum",
        or "pcgrad" (arXiv 2001.06782), "mgda" (arXiv 1810.04650) or "cagrad" (arXiv 2110.14048,
        radius 0.5), each scaled so that two equal gradients move it as far as their sum does. The
        heads' own weights always follow their own gradients.
    gradient_weights
        Weights of Alice's and Bob's gradient in that sum, from 0 (stopped before the trunk) to 1.
    momentum
        How much of a step the next one repeats, from 0 to below 1; of gradient descent only.
    weight_decay
        What is added to each weight's gradient for each unit of the weight, at least 0.
    batch_size
        Items of one step, of whose losses it takes the mean; by default all. They come in a stream
        of shuffled epochs, in which each item is once: the next step goes on where this one ended,
        also into the next epoch. It may be larger than the number of items.
    own_batches
        Whether each context of a replica draws its own batches and flips of labels; by default the
        four draw the same, and differ in nothing but their tasks.
    label_noise
        Probability, up to one half and rounded to 1 / 65,536, with which a label is flipped each
        time that it is shown, for each head by itself. Outcomes and traces are those of the true
        labels.
    own_starts
        Whether each context of a replica starts from weights of its own, as in experiments that
        are made apart.
    head_start
        Steps in which Alice's head and the trunk train for her task alone, before `steps` for both.
    trace_steps
        Steps at which to record what `trace` names; 0 is before the first, after a head start.
    trace
        "loss": each head's loss. "gradients": inner products of both heads' gradients on the
        weights of each hidden unit. "weights": all weights.
    dtype
        "float32" or "float64".
    device
        A torch device such as "cpu" or "cuda"; by default a GPU where torch sees one.
    backend
        "compiled" (a CPU, float32 and one hidden layer only) or "eager". By default compiled, where
        it can be and a training is long enough for the compiler to pay (networks x items of a step
        x steps of at least 2^24: for `overlap`, 2,000 steps of 263 replicas), and eager where it is
        not or where no C++ compiler is found, of which a warning tells once. Results of the two
        agree in distribution, not bit by bit.
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
        replica is dropped. Coordinates `capacity` and `split` (item); training parameters in
        attrs. Traces, over (alice_setting, bob_setting, replica, step): `alice_loss` and
        `bob_loss`; `alice_gradient` and `bob_gradient`, the squared lengths, and
        `gradient_product`, over `unit` as well; `trunk_weight` (..., unit, input) with the bias
        as the last input, `alice_weight` and `bob_weight` (..., unit), `alice_bias` and
        `bob_bias`. A second layer has the same gradients over `second_unit`, such as
        `second_alice_gradient` (`ncnet.gradients.of_layer` gives those of one layer),
        `second_weight` (..., second_unit, unit) and `second_bias`; the heads' weights are then over
        `second_unit`.

    Raises
    ------
    ValueError
        For an unknown name, a size, count or rate out of range, or a backend that cannot be taken
        here: before any work starts.

    Examples
    --------
    >>> from ncnet import games
    >>> outcomes = train(games.overlap(), hidden_size=3, replicas=64, seed=0, steps=10)
    >>> dict(outcomes.a.sizes)
    {'alice_setting': 2, 'bob_setting': 2, 'replica': 64, 'item': 8}
    """
    given = locals()  # the arguments; a Plan has all but those that divide the work
    plan = Plan(**{field.name: given[field.name] for field in dataclasses.fields(Plan)})
    return _trained(plan, backend, threads, chunk_size)


def _trained(
    plan: Plan, backend: str | None, threads: int | None, chunk_size: int | None
) -> xr.Dataset:
    threads = torch.get_num_threads() if threads is None else threads
    threads = check_integer("threads", threads, at_least=1)
    if plan.device.type != "cpu":
        threads = 1
    if chunk_size is not None:
        chunk_size = check_integer("chunk_size", chunk_size, at_least=1)
    backend = backends.choose(plan, backend)
    recorder = Recorder(plan)
    train_chunks(
        lambda blocks: _train_chunk(plan, backend, blocks, recorder),
        split_blocks(plan, backend, threads=threads, chunk_size=chunk_size),
        threads=threads,
    )
    return recorder.dataset(backend=backend)


@torch.inference_mode()
def _train_chunk(plan: Plan, backend: str, blocks: range, recorder: Recorder) -> None:
    """Train the replicas of some blocks and write their rows of the results.

    Whole blocks of 64 are computed, so that a replica always falls on the same place of a
    vector; surplus replicas of the last block are left out when they are written.
    """
    inputs = network.with_bias(plan.tensor(plan.game.inputs))
    weights, keys = _initial_weights(plan, blocks), _keys(plan, blocks)
    targets = _targets(plan, len(blocks) * BLOCK)
    make_networks = backends.BACKENDS[backend]
    if plan.head_start:
        bobs_head = weights.heads[1].clone()
        alone, _ = plan.phases
        make_networks(inputs, targets, weights, alone, keys).advance(plan.head_start)
        weights.heads[1] = bobs_head
    networks = make_networks(inputs, targets, weights, plan.method, keys, plan.head_start)
    rows = slice(blocks.start * BLOCK, min(blocks.stop * BLOCK, plan.replicas))
    stops = sorted({*plan.steps, *plan.trace_steps})
    for before, stop in itertools.pairwise([0, *stops]):
        networks.advance(stop - before)
        if stop in plan.steps:
            _, _, logit = network.forward(inputs, weights, ACTIVATIONS[plan.activation])
            recorder.write_outcomes(stop, rows, logit, targets)
        if stop in plan.trace_steps:
            losses, products = networks.measure(products="gradients" in plan.trace)
            recorder.write_traces(stop, rows, losses, products, weights)


def _initial_weights(plan: Plan, blocks: range) -> AnyWeights:
    replicas = range(blocks.start * BLOCK, blocks.stop * BLOCK)
    asked = _shape(plan) | {"replicas": replicas, "second_hidden_size": plan.second_hidden_size}
    contexts = range(CONTEXT_COUNT) if plan.own_starts else [None]
    drawn = [draw(plan.initialisation, **asked, context=context) for context in contexts]
    parts = (torch.cat([plan.tensor(one) for one in part], -1) for part in zip(*drawn, strict=True))
    kind = DeepWeights if plan.second_hidden_size else Weights
    return kind(*(part.repeat(1, 1, CONTEXT_COUNT // len(contexts)) for part in parts))


def _keys(plan: Plan, blocks: range) -> np.ndarray | None:
    if not plan.method.draws:
        return None
    contexts = CONTEXT_COUNT if plan.own_batches else 1
    return draw_keys(**_shape(plan), blocks=blocks, contexts=contexts)


def _shape(plan: Plan) -> dict[str, int]:
    return {"features": plan.game.bits, "hidden_size": plan.hidden_size, "seed": plan.seed}


def _targets(plan: Plan, replicas: int) -> Tensor:
    """Return classes as +-1 [2, items, 4 * replicas]; contexts in row order, (1, 1) first."""
    alice = plan.game.alice_targets.repeat(2, axis=0)
    bob = np.tile(plan.game.bob_targets, (2, 1))
    contexts = np.stack([alice, bob]).swapaxes(1, 2)
    return plan.tensor(contexts).repeat_interleave(replicas, dim=2)
