"""Runs the command as ``python -m ncnet.replay``."""

import sys

from ncnet.companion.replay.command import main

if __name__ == "__main__":
    sys.exit(main())
