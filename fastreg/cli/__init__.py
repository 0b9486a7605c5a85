"""The command line: ``python -m fastreg COMMAND``; ``--help`` lists what there is."""

from .entry import main

__all__ = ["main"]
