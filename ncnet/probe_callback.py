"""Keeps a second address of `ncnet.experiment.callback`."""

from ncnet.experiment.callback import ProbeCallback

__all__ = ["ProbeCallback"]
