"""Companion to arXiv 2603.04451: the CHSH statistic of networks trained on two tasks at once.

>>> import ncnet
>>> outcomes = ncnet.train(ncnet.games.overlap(), hidden_size=3, replicas=64, seed=0, steps=50)
>>> ncnet.chsh.report(outcomes).replicas
64
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ncnet import chsh, games

__version__ = "0.1.0"
__all__ = ["chsh", "games", "train"]

# What the extra `train` has and `ncnet.training` imports.
_OF_AN_EXTRA = ("torch", "platformdirs")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> object:
    # They take half a second to import: the command's first lines, and Ctrl-C, do without.
    if name in ("chsh", "games"):
        return import_module(f"ncnet.{name}")
    # Only training needs torch, which takes a second to import: the statistics do without.
    if name == "train":
        try:
            from ncnet.training import train
        except ModuleNotFoundError as error:
            if error.name not in _OF_AN_EXTRA:
                raise
            raise ImportError(
                f"ncnet.train needs {error.name}, which comes with an extra: "
                'pip install "ncnet[train]"'
            ) from None
        return train
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
