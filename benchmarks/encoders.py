"""Times training of an encoder beside the usual way: ``python -m benchmarks.encoders``.

The usual way is a model of one's own in `transformers.Trainer`: a `BertModel` with LoRA of peft and
two heads; one task's batch goes through the encoder and then the other's, each padded to its
longest sequence. Ours is what `ncnet.encoders.train` does for a pair of tasks: by itself, and side
by side with all pairs of four tasks. Both take the same steps on the same items; times are printed
only after both were found to make the same network.

Tasks are made here; published ones where ``NCNET_DATA`` names their folder. On a GPU, if there is
one, else on one thread, of which the time of the processor counts: it is the same on a busy
machine. Each time and each peak of memory is of a process of its own.
"""

import argparse
import copy
import itertools
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from torch.optim.optimizer import register_optimizer_step_post_hook
from transformers import Trainer, TrainingArguments

from ncnet import datasets, encoders
from ncnet.datasets import hub
from ncnet.encoders.frozen import encoded
from ncnet.encoders.hyperparameters import Hyperparameters
from ncnet.encoders.model import Networks
from ncnet.encoders.saving import ADAPTER, HEADS, save_network
from ncnet.encoders.tasks import EncodedTask, Sequences, tokenized
from ncnet.encoders.training import batch_at, train_networks
from ncnet.keys import task_key

ROOT = Path(__file__).resolve().parents[1]
DEFAULT = "minilm"
PARTIES = ("alice", "bob")
PUBLISHED = (("sst2", "mrpc"), ("commonsense_qa", "mathqa"))
MADE_HERE = (("toy/mood", "toy/same"), ("toy/which", "toy/sum"))
ONE_THREAD = "one thread"
ITEMS = 128  # of each task
RANK = 4
ALPHA = 16.0
LEARNING_RATE = 1e-3
SEED, REPLICA = 0, 0
WARM_UP = 2  # steps
REPEATS = 3
RUN = 300  # steps of a training that pays for what is computed once
GOALS = {2: 3.0, 6: 1.5}
"""By adapted layers, how many times as fast ours is to be: of `DEFAULT`, of 6 layers, on a CPU."""
CHECKED_ITEMS, CHECKED_STEPS = 4, 3
TOLERANCE = 1e-3  # of log-probabilities, relative to how much they change


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.encoders", description=__doc__)
    parser.add_argument("--encoder", help="by default minilm, or tiny where that is not installed")
    parser.add_argument("--layers", type=int, nargs="+", help="adapted layers: 1, 2 and all")
    parser.add_argument("--batch-size", type=int, default=8, help="items a head and step")
    parser.add_argument("--steps", type=int, default=3, help=f"in each of {REPEATS} repeats")
    parser.add_argument("--measure", help=argparse.SUPPRESS)  # one measurement, in this process
    options = parser.parse_args()
    if options.measure:
        asked = json.loads(options.measure)
        print(json.dumps(MEASUREMENTS[asked.pop("what")](**asked)))
        return
    load = f"{os.getloadavg()[0]:.1f} processes" if hasattr(os, "getloadavg") else "unknown"
    print(f"load of the machine's {os.cpu_count()} cores at the start: {load}")
    found = _measured("agreement", encoder=options.encoder, layers=options.layers)
    if not options.encoder and found["encoder"] != DEFAULT:
        print(f"{DEFAULT} is not installed (make {DEFAULT}): random weights instead")
    print(
        f"{found['encoder']}, {found['depth']} layers, on {found['device']}, float32; LoRA of rank "
        f"{RANK} on query and value;\nbatches of {options.batch_size} items a head, out of "
        f"{ITEMS}; median of {REPEATS} repeats of {options.steps} steps;\n"
        f"answers of both ways, before and after {CHECKED_STEPS} steps: at most "
        f"{found['apart']:.0e} apart, where the largest\nchange by training is 1\n"
    )
    sizes = {"batch_size": options.batch_size, "steps": options.steps}
    sizes["encoder"] = found["encoder"]
    goals = GOALS if (found["encoder"], found["device"]) == (DEFAULT, ONE_THREAD) else {}
    for pair in _pairs():
        _print_pair(pair, found, sizes, goals)
    _print_side_by_side(found, sizes)
    _print_bfloat16(found, sizes)


def agreement(encoder: str | None, layers: list[int] | None) -> dict:
    """Return what is timed, and how far apart both ways are, which are to be the same function."""
    chosen = _chosen(encoder)
    layers = layers or sorted({1, min(2, chosen.layers), chosen.layers})
    works = [Work(chosen, pair, CHECKED_ITEMS) for pair in _pairs()]
    apart = max(work.apart(count) for work in works for count in layers)
    if not apart <= TOLERANCE:
        sys.exit(f"the two ways are not the same: their answers are {apart:.1g} apart")
    on_gpu = chosen.model.device.type == "cuda"
    return {
        "encoder": chosen.name,
        "depth": chosen.layers,
        "layers": layers,
        "device": torch.cuda.get_device_name() if on_gpu else ONE_THREAD,
        "lengths": {name: length for work in works for name, length in work.lengths().items()},
        "apart": apart,
    }


def time_ours(
    encoder: str, pair: list[str], layers: int, batch_size: int, steps: int, bfloat16: bool = False
) -> dict:
    """Time our training, and what is computed before it."""
    libraries = _megabytes()
    work = Work(encoders.load(encoder), pair, batch_size)
    tasks, beforehand = work.encoded(layers)
    pairs = list(itertools.combinations(sorted(pair), 2))
    with Clock(steps) as clock:
        work.train_ours(tasks, layers, clock.last, pairs=pairs, bfloat16=bfloat16)
    networks = {"networks": len(pairs)}
    return {"libraries": libraries, "beforehand": beforehand, **networks, **clock.read()}


def time_usual(encoder: str, pair: list[str], layers: int, batch_size: int, steps: int) -> dict:
    """Time the usual training."""
    work = Work(encoders.load(encoder), pair, batch_size)
    model = UsersModel(work.encoder, work.tasks, layers)
    with Clock(steps) as clock:
        work.train_usual(model, clock.last)
    return clock.read()


MEASUREMENTS = {"agreement": agreement, "ours": time_ours, "usual": time_usual}


class Work:
    """The training of one context, in both ways.

    Parameters
    ----------
    encoder
        The encoder.
    pair
        Names of two tasks, or of more, of which all pairs are trained side by side.
    batch_size
        Items of each in a step.
    """

    def __init__(self, encoder: encoders.Encoder, pair: Sequence[str], batch_size: int):
        self.encoder, self.batch_size = encoder, batch_size
        # One training item: outcomes are read of it at the end. The others are trained on too.
        further = dict.fromkeys(pair, ITEMS - 1)
        loaded = datasets.load(pair, items=1, held_out=0, further=further, seed=0)
        self.tasks = [loaded[name] for name in pair]
        self.sequences = [
            tokenized(encoder, (*task.training, *task.further)) for task in self.tasks
        ]

    def lengths(self) -> dict[str, str]:
        """Return, by task, the sequences of an item and their tokens."""
        return {
            task.name: f"{len(found.lengths) // ITEMS} x {found.lengths.mean():.0f}"
            for task, found in zip(self.tasks, self.sequences, strict=True)
        }

    def encoded(self, layers: int) -> tuple[dict[str, EncodedTask], float]:
        """Return the tasks with their frozen states, and how many seconds these took."""
        start = _now()
        found = {task.name: encoded(self.encoder, task, layers=layers) for task in self.tasks}
        return found, _now() - start

    def places(self, step: int) -> dict[str, np.ndarray]:
        """Return which items our training takes of each task in a step."""
        return {
            task.name: batch_at(
                step, count=ITEMS, size=self.batch_size, key=(SEED, REPLICA, task_key(task.name))
            )
            for task in self.tasks
        }

    def train_ours(
        self,
        tasks: dict[str, EncodedTask],
        layers: int,
        steps: int,
        *,
        pairs: Sequence[tuple[str, str]] | None = None,
        bfloat16: bool = False,
    ) -> Networks:
        """Return the networks that our training ends with: one of both tasks, unless told more."""
        hyperparameters = Hyperparameters(
            layers=layers,
            pooling="first",
            steps=steps,
            batch_size=self.batch_size,
            learning_rate=LEARNING_RATE,
            alpha=ALPHA,
            bfloat16=bfloat16,
            seed=SEED,
        ).checked(self.encoder)
        pairs = pairs or [tuple(sorted(tasks))]
        networks = Networks(self.encoder, tasks, pairs, RANK, hyperparameters, REPLICA)
        train_networks(networks)
        return networks

    def train_usual(self, model: "UsersModel", steps: int) -> None:
        """Train the user's model on the same batches."""
        with tempfile.TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                output_dir=folder,
                max_steps=steps,
                per_device_train_batch_size=self.batch_size,
                train_sampling_strategy="sequential",  # the items come shuffled
                learning_rate=LEARNING_RATE,
                lr_scheduler_type="constant",
                weight_decay=0.0,
                max_grad_norm=0.0,
                logging_strategy="no",
                save_strategy="no",
                eval_strategy="no",
                report_to="none",
                disable_tqdm=True,
                remove_unused_columns=False,
                dataloader_pin_memory=torch.cuda.is_available(),
            )
            items = self.items(steps)
            Trainer(model, arguments, data_collator=collate, train_dataset=items).train()

    def items(self, steps: int) -> list[dict]:
        """Return pairs of items, one of each task, in the order in which ours takes them."""
        every = [
            _tensors(found, [item.label for item in (*task.training, *task.further)])
            for found, task in zip(self.sequences, self.tasks, strict=True)
        ]
        return [
            {name: items[place] for name, items, place in zip(PARTIES, every, pair, strict=True)}
            for step in range(steps)
            for pair in zip(*self.places(step).values(), strict=True)
        ]

    def apart(self, layers: int) -> float:
        """Return how far answers are apart before and after training, in their largest change.

        Of log-probabilities: a bias that all choices share changes none, and follows rounding.
        """
        tasks, _ = self.encoded(layers)
        user = UsersModel(self.encoder, self.tasks, layers)
        user.start_from(self.train_ours(tasks, layers, steps=0))
        batch = _moved(collate(self.items(1)), self.encoder.model.device)
        found = []
        for steps in (0, CHECKED_STEPS):
            network = self.train_ours(tasks, layers, steps)
            if steps:
                self.train_usual(user, steps)
            with torch.no_grad():
                by_task = network(self.places(0))
                both = [by_task[task.name][0] for task in self.tasks], user.logits(batch)
            answers = [[part.log_softmax(dim=1).ravel() for part in way] for way in both]
            found.append(torch.stack([torch.cat(parts) for parts in answers]))
        before, after = found
        change = (after[0] - before[0]).abs().max()
        return max(float((one - other).abs().max() / change) for one, other in found)


class UsersModel(nn.Module):
    """What one would write: an encoder with LoRA of peft, and a linear head for each party."""

    def __init__(self, encoder: encoders.Encoder, tasks: Sequence[datasets.TaskData], layers: int):
        super().__init__()
        bert = copy.deepcopy(encoder.model)
        for module in bert.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
        adapted = LoraConfig(
            r=RANK,
            lora_alpha=ALPHA,
            lora_dropout=0.0,
            target_modules=["query", "value"],
            layers_to_transform=list(range(encoder.layers - layers, encoder.layers)),
        )
        self.encoder = get_peft_model(bert, adapted)
        self.names = [task.name for task in tasks]
        self.classes = [task.classes for task in tasks]
        self.heads = nn.ModuleList(
            nn.Linear(encoder.width, 1 if task.multiple_choice else task.classes) for task in tasks
        )
        self.to(encoder.model.device)

    def forward(self, alice: dict, bob: dict) -> dict[str, Tensor]:
        """Return the loss, as the trainer wants it."""
        batch = {"alice": alice, "bob": bob}
        losses = [
            nn.functional.cross_entropy(logits, batch[name]["labels"])
            for name, logits in zip(PARTIES, self.logits(batch), strict=True)
        ]
        return {"loss": sum(losses)}

    def logits(self, batch: dict) -> list[Tensor]:
        """Return each head's logits of its own items."""
        return [
            head(self.encoder(**batch[name]["inputs"]).last_hidden_state[:, 0]).view(-1, classes)
            for name, head, classes in zip(PARTIES, self.heads, self.classes, strict=True)
        ]

    def start_from(self, network: Networks) -> None:
        """Take the weights of a network's adapters and heads, from the files that we write."""
        with tempfile.TemporaryDirectory() as folder:
            save_network(network, 0, Path(folder))
            adapter, heads = (load_file(Path(folder) / name) for name in (ADAPTER, HEADS))
        set_peft_model_state_dict(self.encoder, adapter)
        for name, head in zip(self.names, self.heads, strict=True):
            head.load_state_dict({part: heads[f"{name}.{part}"] for part in ("weight", "bias")})


def collate(items: list[dict]) -> dict:
    """Return a batch of each party, padded to its longest sequence."""
    return {name: _collated([item[name] for item in items]) for name in PARTIES}


class Clock:
    """Notes when steps of the optimizer end: of whatever trains in this context.

    Parameters
    ----------
    steps
        In each of `REPEATS` repeats; `WARM_UP` steps come before.
    """

    def __init__(self, steps: int):
        self.ends = [WARM_UP + steps * repeat for repeat in range(REPEATS + 1)]
        self.last = self.ends[-1]
        self.taken, self.times = 0, []

    def __enter__(self) -> Self:
        self._hook = register_optimizer_step_post_hook(self._ended)
        return self

    def __exit__(self, *_: object) -> None:
        self._hook.remove()

    def _ended(self, *_: object) -> None:
        self.taken += 1
        if self.taken in self.ends:
            self.times.append(_now())

    def read(self) -> dict:
        """Return seconds a step, the median over repeats, and the peak of memory so far."""
        if self.taken != self.last:
            sys.exit(f"{self.taken} steps were taken: expected {self.last}")
        steps = (self.last - WARM_UP) / REPEATS
        seconds = [(end - start) / steps for start, end in itertools.pairwise(self.times)]
        return {"seconds": statistics.median(seconds), "megabytes": _megabytes()}


def _print_pair(pair: tuple[str, str], found: dict, sizes: dict, goals: dict) -> None:
    each = " and ".join(f"{name} ({found['lengths'][name]})" for name in pair)
    print(f"{each}: sequences of an item x their mean tokens")
    print("            items/s              peak, MB       computed once        ratio over")
    print("layers   usual    ours  ratio   usual    ours   seconds  repaid by   300 steps  goal")
    for layers in found["layers"]:
        usual = _measured("usual", pair=pair, layers=layers, **sizes)
        ours = _measured("ours", pair=pair, layers=layers, **sizes)
        items = len(PARTIES) * sizes["batch_size"]
        slow, fast, before = usual["seconds"], ours["seconds"], ours["beforehand"]
        repaid = f"step {math.ceil(before / (slow - fast))}" if slow > fast else "never"
        goal = goals.get(layers)
        verdict = f"{goal:g} {'met' if slow / fast >= goal else 'missed'}" if goal else ""
        print(
            f"{layers:>6}{items / slow:>8.1f}{items / fast:>8.1f}{slow / fast:>7.2f}"
            f"{usual['megabytes']:>8,.0f}{ours['megabytes']:>8,.0f}{before:>10.2f}{repaid:>11}"
            f"{RUN * slow / (before + RUN * fast):>12.2f}  {verdict}".rstrip(),
            flush=True,
        )
    if found["device"] == ONE_THREAD:
        print(f"peak: of the process; {ours['libraries']:,.0f} of it before anything is loaded")
    print()


def _print_side_by_side(found: dict, sizes: dict) -> None:
    """Print how many contexts of `RUN` steps an hour of one core makes, three ways."""
    layers, names = min(found["layers"]), [name for pair in _pairs() for name in pair]
    together = _measured("ours", pair=names, layers=layers, **sizes)
    one = {"usual": [], "ours": []}
    for pair in itertools.combinations(names, 2):
        for way, seconds in one.items():
            seconds.append(_measured(way, pair=pair, layers=layers, **sizes)["seconds"])
    count = together["networks"]
    each = {way: statistics.mean(seconds) for way, seconds in one.items()}
    each["side by side"] = together["seconds"] / count
    print(f"all {count} pairs of {', '.join(names)}; layers: {layers}; contexts of {RUN} steps")
    for way, seconds in each.items():
        per_hour, ratio = 3600 / (RUN * seconds), each["usual"] / seconds
        print(f"{way:<14}{per_hour:>9,.0f} in an hour of the device{ratio:>8.2f} times the usual")
    print()


def _print_bfloat16(found: dict, sizes: dict) -> None:
    pair, layers = _pairs()[0], found["layers"][-1]
    given = {"pair": pair, "layers": layers, **sizes}
    single = _measured("ours", **given)
    ratio = single["seconds"] / _measured("ours", bfloat16=True, **given)["seconds"]
    verdict = "helps" if ratio > 1 else "does not help"
    print(
        f"ours with bfloat16=True, {' and '.join(pair)}, {layers} layers: {ratio:.2f} times as "
        f"fast as in float32; here it {verdict}"
    )


def _measured(what: str, **given: object) -> dict:
    """Return a measurement that a process of its own makes."""
    environment = {
        "CUDA_VISIBLE_DEVICES": "0",
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    asked = json.dumps({"what": what, **given})
    command = [sys.executable, "-m", "benchmarks.encoders", "--measure", asked]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8")
    if ran.returncode:
        sys.exit(ran.stderr)
    return json.loads(ran.stdout.splitlines()[-1])


def _pairs() -> tuple[tuple[str, str], ...]:
    return PUBLISHED if os.environ.get("NCNET_DATA") else MADE_HERE


def _chosen(name: str | None) -> encoders.Encoder:
    try:
        return encoders.load(name or DEFAULT)
    except hub.Unavailable:
        if name:
            raise
        return encoders.load("tiny")


def _tensors(found: Sequences, labels: list[int]) -> list[dict]:
    """Return items as a data set of one's own has them."""
    ids, segments = (
        torch.from_numpy(tokens).split(found.lengths.tolist())
        for tokens in (found.ids, found.segments)
    )
    items, each = [], len(ids) // len(labels)
    for start, label in zip(range(0, len(ids), each), labels, strict=True):
        own = slice(start, start + each)
        items.append({"ids": ids[own], "segments": segments[own], "label": label})
    return items


def _collated(items: list[dict]) -> dict:
    ids, segments = (
        [part for item in items for part in item[name]] for name in ("ids", "segments")
    )
    inputs = {
        "input_ids": ids,
        "token_type_ids": segments,
        "attention_mask": [torch.ones_like(part) for part in ids],
    }
    padded = {name: pad_sequence(parts, batch_first=True) for name, parts in inputs.items()}
    return {"inputs": padded, "labels": torch.tensor([item["label"] for item in items])}


def _moved(batch: object, device: torch.device) -> object:
    if isinstance(batch, dict):
        return {name: _moved(part, device) for name, part in batch.items()}
    return batch.to(device)


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()  # of one thread: whatever else the machine is at


def _megabytes() -> float:
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e6
    # In kilobytes, but on macOS.
    unit = 1 if sys.platform == "darwin" else 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


if __name__ == "__main__":
    main()
