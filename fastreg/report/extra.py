"""A section that not every report has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Extra:
    """Hold a section, and the alphas that it names on the path.

    Parameters
    ----------
    name : str
        Key of the section in the list of contents.
    html : str
        The section.
    marks : tuple of (str, float)
        Labels and alphas.
    start : float, optional
        The alpha at which a reader begins.
    """

    name: str
    html: str
    marks: tuple[tuple[str, float], ...] = ()
    start: float | None = None
