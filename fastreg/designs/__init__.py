"""Designs: a data matrix as the solver sees it, surveyed once."""

from .design import Design, make_design
from .threads import in_ranges

__all__ = ["Design", "in_ranges", "make_design"]
