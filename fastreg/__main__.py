"""Run the command line: ``python -m fastreg --help``."""

import sys

from fastreg.cli import main

if __name__ == "__main__":
    sys.exit(main())
