"""``python -m ncnet`` is the command ``ncnet``: that of the core, and what the companion adds."""

import sys

from ncnet import cli
from ncnet.companion import command


def main() -> int:
    """Do what the command line asks for and return its exit status."""
    return cli.main(further={"verdicts": (command.add_options, command.run)})


if __name__ == "__main__":
    sys.exit(main())
