"""A path as one self-contained HTML file: to be looked at, moved along, printed and passed on."""

from .choice_section import choice_extra
from .extra import Extra
from .page import make_page, write_page
from .stability_section import stability_extra
from .view import PathView

__all__ = [
    "Extra",
    "PathView",
    "choice_extra",
    "make_page",
    "stability_extra",
    "write_page",
]
