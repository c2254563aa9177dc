"""``python -m ncnet`` is the command ``ncnet``."""

import sys

from ncnet.cli import main

if __name__ == "__main__":
    sys.exit(main())
