"""The compiled backend against the eager one, and when each is taken."""

import itertools
import warnings

import pytest
import torch

import ncnet
from benchmarks.engines import Ours
from benchmarks.problem import Problem
from ncnet import machine
from ncnet.training import backends, compiler, network
from ncnet.training.compiled import Compiled
from ncnet.training.eager import Eager
from ncnet.training.network import ACTIVATIONS, LOSSES, Weights
from ncnet.training.optimizers import OPTIMIZERS
from ncnet.training.plan import Method
from tests.compilers import has_compiler

GAME = ncnet.games.overlap()
NETWORKS = 64
needs_compiler = pytest.mark.skipif(not has_compiler(), reason="there is no C++ compiler")


def problem(game, hidden_size, seed=0):
    generator = torch.Generator().manual_seed(seed)
    inputs = network.with_bias(torch.as_tensor(game.inputs, dtype=torch.float32))
    items, features = inputs.shape
    weights = Weights(
        torch.randn(hidden_size, features, NETWORKS, generator=generator),
        torch.randn(2, hidden_size + 1, NETWORKS, generator=generator),
    )
    targets = 2.0 * torch.randint(0, 2, (2, items, NETWORKS), generator=generator) - 1
    return inputs, targets, weights


def copy(weights, dtype):
    return Weights(*(weight.to(dtype, copy=True) for weight in weights))


GAMES = {
    "overlap": GAME,
    "separate": ncnet.games.separate(),
    "one bit": ncnet.games.boolean(1, alice=([0, 1], [1, 1]), bob=([1, 0], [0, 0])),
}


KERNELS = list(itertools.product(GAMES, ACTIVATIONS, OPTIMIZERS, LOSSES))


@needs_compiler
@pytest.mark.parametrize("hidden_size", [1, 3, 8])
@pytest.mark.parametrize(("game", "activation", "optimizer", "loss"), KERNELS)
def test_compiled_steps_are_those_of_float64(game, hidden_size, activation, optimizer, loss):
    inputs, targets, weights = problem(GAMES[game], hidden_size)
    exact = copy(weights, torch.float64)
    method = Method(activation, optimizer, learning_rate=0.1, loss=loss)
    networks = Compiled(inputs, targets, weights, method)
    reference = Eager(inputs.double(), targets.double(), exact, method)
    for steps in (1, 4, 5):
        networks.advance(steps)
        reference.advance(steps)
    for found, expected in zip(weights, exact, strict=True):
        # A gradient that is 0 but for rounding makes Adam step in a direction of its own.
        close = torch.isclose(found.double(), expected, rtol=1e-4, atol=1e-5)
        assert close.double().mean() > (0.98 if optimizer == "adam" else 0.9999)


@needs_compiler
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@pytest.mark.parametrize("size", [0.1, 1, 3, 6, 12, 100, 1e4])
def test_outputs_are_accurate_however_large_the_weights(activation, size):
    """One step of rate 1 from heads of zeros: they move to -error * the mean output."""
    inputs, targets, weights = problem(GAME, hidden_size=16)
    weights.trunk.mul_(16 * size).round_().div_(16)  # float32 has all their sums
    weights.heads.zero_()
    outputs = torch.einsum("if,hfn->ihn", inputs.double(), weights.trunk.double())
    expected = (targets[0, :, None] * getattr(torch, activation)(outputs)).mean(0)
    method = Method(activation, "gradient_descent", learning_rate=1.0, loss="cross_entropy")
    Compiled(inputs, targets, weights, method).advance(1)
    found = 2 * weights.heads[0, :-1].double()
    torch.testing.assert_close(found, expected, atol=6e-7, rtol=0)


@needs_compiler
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_network_does_not_notice_its_neighbours(activation):
    """Not in a bit, and whatever their size: large weights are computed in another way."""
    method = Method(activation, "gradient_descent", learning_rate=0.1, loss="cross_entropy")
    ends = []
    for size in (1, 30, torch.nan):
        inputs, targets, weights = problem(GAME, hidden_size=3)
        weights.trunk[..., 1::2].mul_(size)
        Compiled(inputs, targets, weights, method).advance(20)
        ends.append(weights.trunk[..., ::2])
    assert torch.equal(ends[0], ends[1])
    assert torch.equal(ends[0], ends[2])


@needs_compiler
@pytest.mark.parametrize("steps", [100, pytest.param(2000, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("optimizer", "learning_rate"), [("gradient_descent", 0.5), ("adam", 0.01)]
)
def test_the_two_backends_agree_in_all_but_a_few_outcomes(steps, optimizer, learning_rate):
    options = {"hidden_size": 3, "replicas": 640, "seed": 0, "steps": steps}
    options |= {"optimizer": optimizer, "learning_rate": learning_rate}
    eager, native = (
        ncnet.train(GAME, backend=backend, **options) for backend in ("eager", "compiled")
    )
    assert (eager.attrs["backend"], native.attrs["backend"]) == ("eager", "compiled")
    for party in ("a", "b"):
        assert float((eager[party] != native[party]).mean()) < 1 / 200
    means = [float(ncnet.chsh.s_per_replica(one).mean()) for one in (eager, native)]
    assert means[0] == pytest.approx(means[1], abs=0.02)


@needs_compiler
@pytest.mark.slow
def test_rounding_decides_as_few_outcomes_as_in_torch_and_nearly_all_are_ties():
    """One hidden unit cannot solve the hard tasks: some networks end with logits of 0."""
    ensemble = Problem(hidden_size=1, replicas=640, steps=2000)
    exact, eager, native = (
        _logits(ensemble, Ours(*engine).weights_after(ensemble, 2000, "cpu"))
        for engine in (("eager", "float64"), ("eager", "float32"), ("compiled",))
    )
    differ, differ_eagerly = ((logits > 0) != (exact > 0) for logits in (native, eager))
    assert 0 < differ.double().mean() < 1.2 * differ_eagerly.double().mean()
    assert (exact[differ].abs() < 1e-9).double().mean() > 0.9


def _logits(ensemble, weights):
    inputs = network.with_bias(torch.from_numpy(ensemble.inputs())).double()
    trunk, heads = (torch.from_numpy(part).double() for part in weights)
    return network.logits(network.hidden_units(inputs, trunk, ACTIVATIONS["tanh"]), heads)


def test_a_training_that_takes_less_time_than_compiling_is_eager():
    outcomes = ncnet.train(GAME, hidden_size=3, replicas=64, seed=0, steps=50)
    assert outcomes.attrs["backend"] == "eager"


@needs_compiler
def test_long_trainings_are_compiled_and_short_ones_are_not(monkeypatch):
    monkeypatch.setattr(backends, "COMPILING_PAYS", 4 * 64 * 8 * 10)
    options = {"hidden_size": 2, "replicas": 64, "seed": 0}
    assert ncnet.train(GAME, steps=10, **options).attrs["backend"] == "compiled"
    assert ncnet.train(GAME, steps=9, **options).attrs["backend"] == "eager"
    assert ncnet.train(GAME, steps=10, dtype="float64", **options).attrs["backend"] == "eager"
    assert ncnet.train(GAME, steps=10, backend="eager", **options).attrs["backend"] == "eager"


@pytest.fixture
def train_with(monkeypatch):
    """Return a function that trains with another compiler, as a new process would.

    It returns what three long trainings say, and how the compiled backend is refused.
    """

    def forget():
        for remembers in (machine.find_compiler, compiler.library):
            remembers.cache_clear()
        backends._warn_that_training_is_eager.cache_clear()

    def trained(name):
        monkeypatch.setenv("CXX", name)
        monkeypatch.setattr(backends, "COMPILING_PAYS", 0)
        forget()
        options = {"hidden_size": 2, "replicas": 9, "seed": 0, "steps": 3}
        rates = (0.5, 0.25, 0.125)  # the compiler is not asked again, whatever is trained
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            found = [ncnet.train(GAME, learning_rate=rate, **options) for rate in rates]
        assert {warning.filename for warning in said} == {__file__}
        assert [one.attrs["backend"] for one in found] == ["eager"] * 3
        with pytest.raises(ValueError, match="`backend` is 'compiled'") as refused:
            ncnet.train(GAME, backend="compiled", **options)
        return [str(warning.message) for warning in said], str(refused.value)

    yield trained
    monkeypatch.undo()
    forget()


def test_without_a_compiler_training_is_eager_and_says_so_once(train_with):
    said, refused = train_with("no-such-compiler")
    reason = "no C++ compiler was found (no-such-compiler)"
    [line] = said
    assert "training eagerly" in line
    assert line.endswith(reason)
    assert refused == f"`backend` is 'compiled': {reason}"


@pytest.fixture
def find_with(monkeypatch):
    """Return a function that looks for a compiler, or for one among some, as a new process."""

    def found(named="", among=machine.COMPILERS):
        monkeypatch.setenv("CXX", named)
        monkeypatch.setattr(machine, "COMPILERS", among)
        machine.find_compiler.cache_clear()
        return machine.find_compiler()

    yield found
    monkeypatch.undo()
    machine.find_compiler.cache_clear()


def program(path, line, mode=0o755):
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(mode)
    return str(path)


def test_a_compiler_that_fails_is_not_needed_either_and_tried_once(tmp_path, train_with):
    tried = tmp_path / "tried"
    fails = f"echo >> '{tried}'; echo 'fatal error: out of luck' >&2; exit 1"
    [line], refused = train_with(program(tmp_path / "broken", fails))
    assert line.endswith("broken failed: fatal error: out of luck")
    assert "out of luck" in refused
    assert tried.read_text(encoding="utf-8") == "\n"


def test_a_compiler_is_split_as_a_shell_splits(tmp_path, find_with):
    tells = program(tmp_path / "tells all", 'for part; do echo "$part"; done')
    (path, *options), said = find_with(f"'{tells}' g++ -O1 \"--sysroot=/a b\"")
    assert (path, options) == (tells, ["g++", "-O1", "--sysroot=/a b"])
    assert said.startswith("g++\n-O1\n--sysroot=/a b\n-march=native\n")
    with pytest.raises(machine.CompilerError, match=r"`CXX` is .*: it cannot be split, No closing"):
        find_with("g++ 'O1")


def test_only_a_missing_compiler_is_called_missing(tmp_path, find_with):
    broken = program(tmp_path / "broken", "echo out of luck >&2; exit 1")
    private = program(tmp_path / "private", "", mode=0o644)
    works = program(tmp_path / "works", "echo fine")
    for named, line in (
        (f"{tmp_path}/gone -O1", rf"^no C\+\+ compiler was found \({tmp_path}/gone\)$"),
        (f"{broken} -O1", f"^{broken} failed: out of luck$"),
        (private, f"^{private} cannot be run: Permission denied$"),
    ):
        with pytest.raises(machine.CompilerError, match=line):
            find_with(named)
    assert find_with(among=(broken, works)) == ((works,), "fine\n")


@needs_compiler
def test_a_compiler_with_a_wrapper_and_an_option_compiles(tmp_path, monkeypatch, find_with):
    monkeypatch.setattr(compiler, "cache_folder", lambda: tmp_path)
    source = tmp_path / "answer.cpp"
    source.write_text('extern "C" int answer() { return ANSWER; }', encoding="utf-8")
    find_with(f"env {find_with()[0][0]} -DANSWER=41")
    assert compiler.library(source).answer() == 41


def test_a_compiler_that_hangs_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "MOST_SECONDS", 0.2)
    with pytest.raises(machine.CompilerError, match=r"sleep took longer than 0\.2 s"):
        machine.run_compiler(["sleep", "5"])


@needs_compiler
def test_a_kernel_is_compiled_once_and_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(compiler, "cache_folder", lambda: tmp_path)
    source = tmp_path / "answer.cpp"
    source.write_text('extern "C" int answer() { return ANSWER; }', encoding="utf-8")

    def answer(value):
        compiler.library.cache_clear()  # as another process would see it
        return compiler.library(source, (("ANSWER", str(value)),)).answer()

    assert answer(41) == 41
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.so")}
    monkeypatch.setattr(compiler, "_compile", lambda *_: pytest.fail("compiled again"))
    assert answer(41) == 41
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.so")} == kept
    monkeypatch.undo()
    monkeypatch.setattr(compiler, "cache_folder", lambda: tmp_path)
    assert answer(42) == 42
    source.write_text('extern "C" int answer() { return -ANSWER; }', encoding="utf-8")
    assert answer(42) == -42
    assert len(list(tmp_path.glob("*.so"))) == 3
    assert not [path for path in tmp_path.iterdir() if path.is_dir()]


@needs_compiler
def test_a_folder_that_cannot_be_written_to_is_no_obstacle(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setattr(compiler, "user_cache_path", lambda _: tmp_path / "file" / "ncnet")
    folder = compiler.cache_folder.__wrapped__()
    assert folder.is_dir()
    assert folder.stat().st_mode & 0o077 == 0
