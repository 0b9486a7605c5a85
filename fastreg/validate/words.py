"""The wording of errors: what was expected, what came, what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_LONGEST_REPR = 60  # characters of a value shown in a message


def describe(value: Any) -> str:
    """Return a short description of what came, in place of its whole content."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        return f"{type(value).__name__} of shape {shape}"
    if shape == () and hasattr(value, "item"):
        value = value.item()
    text = repr(value)
    if len(text) > _LONGEST_REPR:
        return f"an object of type {type(value).__name__}"
    return (
        text if value is None or isinstance(value, bool | int | float) else f"{text} ({type(value).__name__})"
    )


def column_label(j: int, names: Sequence[str] | None) -> str:
    """Return "column 3", with the name of the column where it is known.

    Examples
    --------
    >>> column_label(1, ("age", "weight"))
    "column 1 ('weight')"
    """
    if names is not None and j < len(names):
        return f"column {j} ({names[j]!r})"
    return f"column {j}"


def wanted(name: str, expected: str, came: str, remedy: str = "") -> str:
    """Return the one sentence in which every rejection is put.

    Examples
    --------
    >>> wanted("sample_weight", "have shape (120,)", "(100,)")
    'sample_weight must have shape (120,), got (100,)'
    """
    sentence = f"{name} must {expected}, got {came}"
    return f"{sentence}; {remedy}" if remedy else sentence
