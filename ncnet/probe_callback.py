"""Where the callback was before; it is `ncnet.experiment.callback`."""

from ncnet.experiment.callback import ProbeCallback

__all__ = ["ProbeCallback"]
