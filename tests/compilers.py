"""Whether the tests of compiled kernels can run here."""

from ncnet.training import compiler


def has_compiler():
    try:
        compiler.find()
    except compiler.CompilerError:
        return False
    return True
