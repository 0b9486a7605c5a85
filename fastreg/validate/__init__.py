"""The border: all that a user passes in is checked here, once, and leaves as plain arrays and numbers.

X is described, never changed, and copied only where its layout or dtype does not serve. Whether a dense X is
finite is not checked here: the survey that every path begins with finds it out in the pass it makes anyway,
and then asks `locate_nonfinite` for the place.
"""

from .._typing import InputReport
from .design import DesignInput, check_design, locate_nonfinite
from .options import AlphaGrid, Options, check_alphas, check_drop_in, check_flag, check_options
from .vectors import (
    check_coefficients,
    check_matrix,
    check_offset,
    check_response,
    check_vector,
    check_weights,
)

__all__ = [
    "AlphaGrid",
    "DesignInput",
    "InputReport",
    "Options",
    "check_alphas",
    "check_coefficients",
    "check_design",
    "check_drop_in",
    "check_flag",
    "check_matrix",
    "check_offset",
    "check_options",
    "check_response",
    "check_vector",
    "check_weights",
    "locate_nonfinite",
]
