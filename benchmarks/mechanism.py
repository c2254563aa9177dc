"""Times gradients by head beside what one would pick instead: ``python -m benchmarks.mechanism``.

What a logged step costs beside a step of training; the heads' gradients of all networks beside
`torch.func` and a loop with TorchJD's Jacobian; training by PCGrad beside a loop with TorchJD. One
thread. Times are printed only of what was found to agree, and the shortest of some repeats.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import ncnet
from benchmarks.engines import _modules
from benchmarks.problem import LEARNING_RATE, Problem

ROOT = Path(__file__).resolve().parents[1]
HIDDEN_SIZE = 3
REPLICAS = 1600
STEPS = 2000
LOG_INTERVAL = 10
GOAL = 3  # steps of training that a logged step may cost
REPEATS = 3
LOOPED = 8  # networks that a loop is timed on
LOOPED_STEPS = 50
TOLERANCE = 1e-4  # of a product of gradients, relative to the largest


def main() -> None:
    argparse.ArgumentParser(prog="python -m benchmarks.mechanism", description=__doc__).parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":
        sys.exit(_with_one_thread())
    load = f"{os.getloadavg()[0]:.1f} processes" if hasattr(os, "getloadavg") else "unknown"
    print(f"one thread; load of the machine's {os.cpu_count()} cores at the start: {load}")
    print(f"overlap, n = {HIDDEN_SIZE}, {4 * REPLICAS:,} networks, tanh, gradient descent\n")
    for backend in ("compiled", "eager"):
        _print_logged_step(backend)
    _print_gradients()
    _print_training()


def logged(backend: str, *, replicas: int = REPLICAS, **traced: object) -> object:
    """Train the ensemble, with or without traces."""
    return ncnet.train(
        ncnet.games.overlap(),
        hidden_size=HIDDEN_SIZE,
        replicas=replicas,
        seed=0,
        backend=backend,
        learning_rate=LEARNING_RATE,
        **traced,
    )


def ours(problem: Problem) -> np.ndarray:
    """Return |g_A|^2, g_A . g_B and |g_B|^2 before the first step [3, networks], by our call."""
    traced = logged(
        "eager", replicas=problem.replicas, steps=0, trace_steps=[0], trace=["gradients"]
    )
    names = ("alice_gradient", "gradient_product", "bob_gradient")
    return np.array([traced[name].sum("unit").values.reshape(-1) for name in names])


def with_vmap(problem: Problem) -> np.ndarray:
    """Return the same by `torch.func`: `vmap` over networks of the Jacobian of both losses."""
    from torch.func import functional_call, jacrev, stack_module_state, vmap

    modules = _modules(problem)
    weights, _ = stack_module_state(modules)
    weights = {name: weight.detach() for name, weight in weights.items()}
    skeleton = modules[0].to("meta")
    inputs, targets = torch.as_tensor(problem.inputs()), torch.as_tensor(problem.targets())
    trunk = {name: weight for name, weight in weights.items() if name.startswith("trunk")}

    def losses(of_trunk: dict, of_heads: dict, sign: torch.Tensor) -> torch.Tensor:
        logit = functional_call(skeleton, of_trunk | of_heads, (inputs,))
        return torch.nn.functional.softplus(-sign * logit).mean(1)

    heads = {name: weight for name, weight in weights.items() if name not in trunk}
    jacobians = vmap(jacrev(losses))(trunk, heads, targets.movedim(-1, 0))
    rows = torch.cat([part.flatten(2) for part in jacobians.values()], dim=2)
    return _products(rows.movedim(0, 1))


def with_torchjd(problem: Problem) -> np.ndarray:
    """Return the same by a loop over torch modules with TorchJD's Jacobian."""
    from torchjd.autojac import jac

    inputs, targets = torch.as_tensor(problem.inputs()), torch.as_tensor(problem.targets())
    rows = []
    for network, sign in zip(_modules(problem), targets.unbind(-1), strict=True):
        losses = torch.nn.functional.softplus(-sign * network(inputs)).mean(1)
        trunk = [w for name, w in network.named_parameters() if name.startswith("trunk")]
        rows.append(torch.cat([part.flatten(1) for part in jac(list(losses), trunk)], dim=1))
    return _products(torch.stack(rows, dim=1))


def train_with_torchjd(problem: Problem, steps: int) -> np.ndarray:
    """Train by PCGrad in a loop over modules with TorchJD; return the losses [2, networks]."""
    from torchjd.aggregation import PCGrad
    from torchjd.autojac import backward, jac_to_grad

    inputs, targets = torch.as_tensor(problem.inputs()), torch.as_tensor(problem.targets())
    found = []
    for network, sign in zip(_modules(problem), targets.unbind(-1), strict=True):
        parameters = dict(network.named_parameters())
        trunk = [w for name, w in parameters.items() if name.startswith("trunk")]
        heads = [w for name, w in parameters.items() if not name.startswith("trunk")]
        optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)
        for _ in range(steps):
            losses = torch.nn.functional.softplus(-sign * network(inputs)).mean(1)
            optimizer.zero_grad()
            backward(list(losses), inputs=trunk, retain_graph=True)
            jac_to_grad(trunk, PCGrad())
            losses.sum().backward(inputs=heads)
            optimizer.step()
        with torch.no_grad():
            found.append(torch.nn.functional.softplus(-sign * network(inputs)).mean(1))
    return torch.stack(found, dim=1).numpy()


def train_ours(problem: Problem, steps: int) -> np.ndarray:
    """Train by PCGrad in the ensemble; return the losses [2, networks]."""
    traced = logged(
        "compiled", replicas=problem.replicas, steps=steps, trace_steps=[steps], aggregator="pcgrad"
    )
    return np.array([traced[f"{party}_loss"].values.reshape(-1) for party in ("alice", "bob")])


def agree(found: np.ndarray, expected: np.ndarray) -> bool:
    """Return whether two engines found the same."""
    return bool(abs(found - expected).max() <= TOLERANCE * abs(expected).max())


def _print_logged_step(backend: str) -> None:
    plain = _seconds(lambda: logged(backend, steps=STEPS))
    step = plain / STEPS
    print(f"{backend}: a step {1e6 * step:,.0f} µs; a logged step costs, in steps (goal {GOAL}):")
    # A loss is wanted at every step, gradients at some.
    for trace, interval in ((["loss"], 1), (["gradients"], LOG_INTERVAL), (["gradients"], 1)):
        steps = STEPS if interval > 1 else STEPS // 10
        log = range(0, steps + 1, interval)
        base = plain * steps / STEPS
        traced = _seconds(
            lambda options={"steps": steps, "trace_steps": log, "trace": trace}: logged(
                backend, **options
            )
        )
        ratio = (traced - base) / len(log) / step
        verdict = "met" if ratio <= GOAL else "missed"
        print(f"  {trace[0]} every {interval:>2}: {ratio:4.1f} ({verdict})")
    print()


def _print_gradients() -> None:
    problem, few = Problem(HIDDEN_SIZE, REPLICAS, 0), Problem(HIDDEN_SIZE, LOOPED // 4, 0)
    expected = ours(problem)
    rows = {
        "torch.func vmap(jacrev)": (with_vmap, problem),
        "loop, TorchJD's jac": (with_torchjd, few),
    }
    seconds = _seconds(lambda: ours(problem))
    print(f"gradients by head, once: ours {1e3 * seconds:.1f} ms, drawing of weights included")
    for label, (engine, given) in rows.items():
        reference = expected if given is problem else ours(given)
        if not agree(engine(given), reference):
            sys.exit(f"{label} found other gradients")
        took = _seconds(lambda engine=engine, given=given: engine(given))
        took *= problem.networks / given.networks
        note = "" if given is problem else f" (extrapolated from {given.networks} networks)"
        print(f"  {label}: {1e3 * took:,.0f} ms, {took / seconds:,.0f} times ours{note}")
    print()


def _print_training() -> None:
    few = Problem(HIDDEN_SIZE, LOOPED // 4, LOOPED_STEPS)
    if not agree(train_ours(few, LOOPED_STEPS), train_with_torchjd(few, LOOPED_STEPS)):
        sys.exit("TorchJD's training ends with other losses")
    whole = Problem(HIDDEN_SIZE, REPLICAS, STEPS)
    ours_rate = whole.network_steps / _seconds(lambda: train_ours(whole, STEPS))
    loop_rate = few.network_steps / _seconds(lambda: train_with_torchjd(few, LOOPED_STEPS))
    print(
        f"training by PCGrad: ours {ours_rate / 1e6:.0f} million network-steps/s, a loop with "
        f"TorchJD {loop_rate:,.0f}: {ours_rate / loop_rate:,.0f} times"
    )


def _products(rows: torch.Tensor) -> np.ndarray:
    alice, bob = rows
    pairs = ((alice, alice), (alice, bob), (bob, bob))
    return np.array([(one * other).sum(dim=1).detach().numpy() for one, other in pairs])


def _seconds(work: Callable[[], object]) -> float:
    work()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def _with_one_thread() -> int:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "benchmarks.mechanism"]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    main()
