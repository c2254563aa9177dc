"""Whether the tests of compiled kernels can run here."""

from ncnet import machine


def has_compiler():
    return machine.compiler() is not None
