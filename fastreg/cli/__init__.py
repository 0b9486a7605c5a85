"""The command line: ``python -m fastreg demo | path DATA | bench [DATA] | info | warmup | cache clear``."""

from .entry import main

__all__ = ["main"]
