"""What the benchmark of encoders compares trains the same network; time is nobody's test."""

import gc
import json
import re
import sys

import pytest

from benchmarks import encoders
from tests.small_encoders import encoder


@pytest.fixture(autouse=True, scope="module")
def _garbage_is_looked_for_in_what_is_new():
    """At each end of a training, the trainer has all collected that modules are made of, too."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.slow
# The trainer itself reads an attribute that is to be renamed.
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_a_network_trained_for_a_step_less_is_not_the_same(monkeypatch):
    work = encoders.Work(encoder(), encoders.MADE_HERE[0], batch_size=4)
    assert work.apart(layers=1) < encoders.TOLERANCE
    train = encoders.Work.train_usual
    monkeypatch.setattr(
        encoders.Work, "train_usual", lambda self, user, steps: train(self, user, steps - 1)
    )
    assert work.apart(layers=1) > 10 * encoders.TOLERANCE


def test_steps_are_timed_from_the_end_of_the_warm_up():
    work = encoders.Work(encoder(), encoders.MADE_HERE[0], batch_size=4)
    tasks, _ = work.encoded(layers=1)
    with encoders.Clock(steps=2) as clock:
        work.train_ours(tasks, 1, clock.last)
    assert clock.taken == encoders.WARM_UP + 2 * encoders.REPEATS
    assert len(clock.times) == encoders.REPEATS + 1
    assert clock.read()["seconds"] > 0
    with encoders.Clock(steps=2) as clock:
        work.train_ours(tasks, 1, clock.last - 1)
    with pytest.raises(SystemExit, match="7 steps were taken: expected 8"):
        clock.read()


def in_this_process(what, **given):
    """Return a measurement as `encoders._measured` does, which starts a process for each."""
    asked = json.loads(json.dumps(given))
    return json.loads(json.dumps(encoders.MEASUREMENTS[what](**asked)))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_it_prints_a_row_for_each_pair_of_tasks_and_number_of_layers(monkeypatch, capsys):
    monkeypatch.delenv("NCNET_DATA", raising=False)
    monkeypatch.setattr(encoders, "_measured", in_this_process)
    asked = ["--encoder", "tiny", "--layers", "1", "2", "--steps", "1", "--batch-size", "2"]
    monkeypatch.setattr(sys, "argv", ["encoders", *asked])
    encoders.main()
    printed = capsys.readouterr().out
    rows = re.findall(r"^ +[12] +[\d.]+ +[\d.]+ +.*$", printed, re.MULTILINE)
    assert [int(row.split()[0]) for row in rows] == [1, 2, 1, 2], printed
    for row in rows:
        usual, ours, ratio, *megabytes = map(float, row.replace(",", "").split()[1:6])
        assert min(usual, ours, ratio, *megabytes) > 0
        assert ratio == pytest.approx(ours / usual, rel=0.01)
    for way in ("usual", "ours", "side by side"):
        hourly, ratio = re.search(
            rf"^{way} +([\d,]+) in an hour.* ([\d.]+) times", printed, re.M
        ).groups()
        assert float(hourly.replace(",", "")) > 0
        assert (float(ratio) == 1) == (way == "usual")
    halved = re.search(r"bfloat16=True.*: ([\d.]+) times as fast", printed)
    assert float(halved[1]) > 0


@pytest.mark.slow
def test_a_measurement_is_made_by_a_process_of_its_own(monkeypatch):
    monkeypatch.delenv("NCNET_DATA", raising=False)
    given = {"encoder": "tiny", "pair": encoders.MADE_HERE[0], "layers": 1, "batch_size": 2}
    monkeypatch.setitem(encoders.MEASUREMENTS, "ours", lambda **_: pytest.fail("measured here"))
    found = encoders._measured("ours", steps=1, bfloat16=True, **given)
    assert min(found.values()) > 0
    assert set(found) == {"libraries", "beforehand", "networks", "seconds", "megabytes"}
