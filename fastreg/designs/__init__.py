"""Designs: a data matrix as the solver sees it, surveyed once."""

from .design import Design, Opening, make_design
from .threads import in_ranges

__all__ = ["Design", "Opening", "in_ranges", "make_design"]
