"""Records one training in torch."""

import inspect
import math
import time
import warnings
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ncnet.checks import check, check_integer
from ncnet.experiment.probe.side_effects import Gradient, gradient, keep_random_streams
from ncnet.experiment.trained import Checker, Trained
from ncnet.gradients import GRADIENTS, conflict
from ncnet.printing import shown


class Probe:
    """Records one training: the gradients of both heads on the trunk, and what they get right.

    Call `record` once a step, before ``backward()``. The training is the same, bit by bit, with and
    without it: the probe changes no weight and no ``grad`` of a parameter, and puts the random
    streams of torch, numpy and Python back. The trunk's modules, and those that its backward passes
    call again (checkpointing), get their buffers and attributes back. Whatever else is done in a
    backward pass, by your own hooks, autograd functions or what is called again, such as to a list,
    a generator of its own or a frozen parameter, is done in those of the probe, too. A tensor with
    ``retain_grad()`` adds up the gradients of all passes.

    Where gradients cannot be recorded without changing the training, a warning says why, and the
    training goes on: gradients are NaN from then on, losses and outcomes are still recorded. That
    is so under reentrant checkpointing and selective checkpointing of modules, and may be so under
    ``torch.compile``.

    Parameters
    ----------
    trunk
        The part that both heads share: a module, or parameters. Those that are not trained are left
        out. A parameter that one head alone depends on adds to the length of one gradient and
        nothing to their product: a whole model has a cosine nearer to 0 than its trunk.
    every
        Steps from one logged step to the next, 50 by default; the first step is logged. A logged
        step costs two more backward passes through the trunk: choose fewer in a short training.
    evaluate
        Called without arguments at each logged step, without gradients: returns which items either
        head gets right, on items that stay the same, as the function of `ncnet.experiment.train`
        does. It has to leave the modules in the mode it found them in, and to use them in eval mode
        where they normalise over batches, or else it would change the training.

    Attributes
    ----------
    parameters
        The parameters of the trunk, as a list.
    step
        Number of steps so far; to be set where a training goes on from a checkpoint.
    seconds
        Time that the logged steps took so far.

    Raises
    ------
    ValueError
        If the trunk has no parameter that is trained, or `evaluate` leaves it in another mode.

    Warns
    -----
    RuntimeWarning
        Once each: if a loss depends on no parameter of the trunk, perhaps of another network's; if
        one loss alone depends on a parameter; if the trunk is frozen, or a loss has no graph after
        the first logged step, for as long as it is so; and if gradients cannot be recorded, from
        then on.

    Examples
    --------
    >>> trunk, heads = torch.nn.Linear(3, 2), torch.nn.Linear(2, 2)
    >>> optimizer = torch.optim.SGD([*trunk.parameters(), *heads.parameters()], lr=0.1)
    >>> probe = Probe(trunk, every=10)
    >>> for _ in range(21):
    ...     alice_loss, bob_loss = heads(torch.tanh(trunk(torch.ones(4, 3)))).square().mean(0)
    ...     probe.record(alice_loss, bob_loss)
    ...     optimizer.zero_grad()
    ...     (alice_loss + bob_loss).backward()
    ...     optimizer.step()
    >>> probe.table()["step"].tolist()
    [0, 10, 20]
    """

    def __init__(
        self,
        trunk: torch.nn.Module | Iterable[Tensor],
        *,
        every: int = 50,
        evaluate: Callable[[], object] | None = None,
    ):
        self.parameters = _trunk_parameters(trunk)
        self._modules = [*trunk.modules()] if isinstance(trunk, torch.nn.Module) else []
        self._warned: set[str] = set()
        self._every = check_integer("every", every, at_least=1)
        fits = evaluate is None or callable(evaluate)
        check(fits, f"`evaluate` is {shown(evaluate)}", "a function without arguments")
        self._evaluate, self._checker = evaluate, Checker("evaluate")
        self._rows: list[dict] = []
        self._outcomes: dict[int, Trained] = {}
        self.step, self.seconds = 0, 0.0

    def record(self, alice_loss: Tensor, bob_loss: Tensor) -> None:
        """Log this step, if it is one of those to be logged, and count it.

        Parameters
        ----------
        alice_loss, bob_loss
            The heads' losses at this step, each one number with its graph. Where float16 takes a
            scaler, scale both: gradients of a loss that is not scaled would vanish.

        Raises
        ------
        ValueError
            For a loss that is no tensor or no single real number, or that has no graph in the first
            logged step.
        """
        if self.step % self._every == 0:
            start = time.perf_counter()
            losses = {"alice_loss": alice_loss, "bob_loss": bob_loss}
            trained = [parameter for parameter in self.parameters if parameter.requires_grad]
            for name, loss in losses.items():
                _check_loss(name, loss, with_graph=bool(trained) and not self._rows)
            products = self._products(losses, trained)
            values = {name: loss.item() for name, loss in losses.items()}
            self._rows.append({"step": self.step} | values | products)
            if self._evaluate:
                self.evaluate()
            self.seconds += time.perf_counter() - start
        self.step += 1

    def evaluate(self) -> None:
        """Keep what the heads get right after the steps so far; call it after the last one, too.

        Raises
        ------
        ValueError
            If the probe was made without `evaluate`.
        """
        check(self._evaluate, "the probe has no `evaluate`", "Probe(..., evaluate=...)")
        modes = [module.training for module in self._modules]
        with torch.no_grad(), keep_random_streams():
            returned = self._evaluate()
        same = modes == [module.training for module in self._modules]
        line = f"`evaluate` left the trunk in another mode than it found it in at step {self.step}"
        check(same, line, "train() or eval() to be undone")
        self._outcomes[self.step] = self._checker.check(returned, f"step {self.step}")

    def table(self) -> pd.DataFrame:
        """Return one row a logged step.

        Returns
        -------
        pandas.DataFrame
            ``step``; ``alice_loss``, ``bob_loss``; ``alice_gradient`` and ``bob_gradient``, squared
            lengths of the heads' gradients on the trunk, and ``gradient_product``, their inner
            product, of the losses as they were given, NaN where they were not recorded; ``cosine``
            of the angle between them, NaN where one of them is 0; ``magnitude_similarity``,
            ``2|g_A||g_B| / (|g_A|^2 + |g_B|^2)`` (arXiv 2001.06782); ``conflict``, whether the
            cosine is below 0. Where the gradients are not finite, cosine and similarity are NaN and
            ``conflict`` is missing (`pandas.NA`).
        """
        columns = ["step", "alice_loss", "bob_loss", *GRADIENTS]
        table = pd.DataFrame(self._rows, columns=columns)
        measured = conflict(table.set_index("step").to_xarray())
        finite = np.isfinite(table[list(GRADIENTS)].astype(float)).all(axis=1)
        for name in ("cosine", "magnitude_similarity"):
            table[name] = measured[name].where(finite.to_numpy()).values
        return table.assign(conflict=(table["cosine"] < 0).astype("boolean").where(finite))

    def outcomes(self) -> dict[int, Trained]:
        """Return what the heads got right so far, by the number of steps before."""
        return dict(self._outcomes)

    def _products(self, losses: Mapping[str, Tensor], trained: list[Tensor]) -> dict[str, float]:
        bare = [name for name, loss in losses.items() if trained and not loss.requires_grad]
        where = f"at step {self.step}: gradients are recorded where"
        if not trained:
            line = f"none of the trunk's {len(self.parameters)} parameters is trained"
            self._warn_once("frozen", f"{line} {where} one is")
        elif bare:
            self._warn_once("bare", f"`{bare[0]}` has no graph {where} both losses have one")
        elif "stopped" not in self._warned:
            try:
                _refuse_nested_backward(losses.values())
                alice, bob = (gradient(loss, trained, self._modules) for loss in losses.values())
                products = _inner_products(alice, bob)
            except Exception as error:  # whatever it is, it is no reason to end a training
                used_up = "backward through the graph a second time" in str(error)
                check(not used_up, "the graph is used up", "record() before backward()")
                kind = "" if isinstance(error, RuntimeError) else f"{type(error).__name__}: "
                line = f"no gradients are recorded from step {self.step} on, the training goes on"
                reason = f"{kind}{' '.join(str(error).split())}"
                self._warn_once("stopped", f"{line} without them: {reason}")
            else:
                self._warn_once(*_not_shared(alice, bob))
                return dict(zip(GRADIENTS, products, strict=True))
        return dict.fromkeys(GRADIENTS, math.nan)

    def _warn_once(self, kind: str, line: str) -> None:
        if line and kind not in self._warned:
            self._warned.add(kind)
            warnings.warn(line, RuntimeWarning, stacklevel=4)


def _trunk_parameters(trunk: torch.nn.Module | Iterable[Tensor]) -> list[Tensor]:
    given = trunk.parameters() if isinstance(trunk, torch.nn.Module) else trunk
    listed = isinstance(given, Iterable) and not isinstance(given, Tensor)
    check(listed, f"`trunk` is of type {type(trunk).__name__}", "a module or parameters")
    given = list(dict.fromkeys(given))
    others = [part for part in given if not isinstance(part, Tensor)]
    check(not others, f"`trunk` holds {shown(others[:1])}", "parameters")
    trained = any(parameter.requires_grad for parameter in given)
    found = f"none of the trunk's {len(given)} parameters is trained"
    check(trained, found, "one with requires_grad")
    return given


def _check_loss(name: str, loss: object, *, with_graph: bool) -> None:
    if not isinstance(loss, Tensor):
        raise ValueError(
            f"`{name}` is {shown(loss)}: expected the loss as a tensor, before .item()"
        )
    found = f"`{name}` has shape {tuple(loss.shape)} and type {loss.dtype}"
    fits = loss.numel() == 1 and not loss.is_complex()
    check(fits, found, "one real number, such as a mean, or the abs() of a complex one")
    has_graph = loss.requires_grad or not with_graph
    check(has_graph, f"`{name}` has no graph", "record() before backward(), without no_grad()")


def _refuse_nested_backward(losses: Iterable[Tensor]) -> None:
    """Refuse a graph with a function that itself calls ``backward``.

    Reentrant checkpointing does, wherever it comes from. What is checkpointed is no part of the
    graph: `torch.autograd.grad` would find no gradient there, or raise.
    """
    waiting, seen = [loss.grad_fn for loss in losses], {None}
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        waiting += [before for before, _ in node.next_functions]
        function = getattr(node, "_forward_cls", None)
        backward = inspect.unwrap(getattr(function, "backward", _refuse_nested_backward))
        called = getattr(getattr(backward, "__code__", None), "co_names", ())
        if {"enable_grad", "backward"} <= set(called):
            raise RuntimeError(
                f"{function.__name__} calls backward() within its own backward pass, as reentrant "
                "checkpointing does: expected checkpointing with use_reentrant=False"
            )


def _not_shared(alice: Gradient, bob: Gradient) -> tuple[str, str]:
    """Return a warning of parameters that a loss does not depend on: its kind, and a line."""
    for name, parts in (("alice_loss", alice), ("bob_loss", bob)):
        if all(part is None for part in parts):
            line = f"`{name}` depends on no parameter of the trunk: its gradient counts as 0"
            return "unused", line
    alone = sum((a is None) != (b is None) for a, b in zip(alice, bob, strict=True))
    line = f"one loss alone depends on {alone} of the trunk's {len(alice)} trained parameters"
    hint = "which draws the cosine towards 0: expected what both heads share"
    return "alone", f"{line}, {hint}" if alone else ""


def _inner_products(alice: Gradient, bob: Gradient) -> list[float]:
    """Return the products of Alice's gradient with itself, both, and Bob's; None stands for 0."""
    products = np.zeros(3)
    for parts in zip(alice, bob, strict=True):
        one, other = (part if part is None else _precise(part) for part in parts)
        products += [_product(one, one), _product(one, other), _product(other, other)]
    return products.tolist()


def _precise(part: Tensor) -> Tensor:
    """Return a gradient in double precision: in single, squares of small ones would vanish."""
    part = part.cpu() if part.device.type == "mps" else part  # which has no double precision
    if part.is_sparse and not part.is_complex():  # of a large embedding, few rows of which are read
        return part.coalesce().double()
    return part.to_dense().flatten().to(torch.promote_types(part.dtype, torch.float64))


def _product(one: Tensor | None, other: Tensor | None) -> float:
    if one is None or other is None:
        return 0.0
    if one.is_sparse and other.is_sparse:
        return torch.sparse.sum(one * other).item()
    one, other = (part.to_dense().flatten() for part in (one, other))
    return torch.vdot(one, other).real.item()
