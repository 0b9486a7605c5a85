"""Products of vectors that may be long, without threads."""

from __future__ import annotations

from typing import Any

from ._typing import Float64


def inner(a: Float64, b: Float64) -> Any:
    """Return a . b over the last axis, a number for two vectors.

    Not by BLAS: from 10 000 entries on it wakes its threads, which then wait for more work, at the cost of
    whoever needs the processor.
    """
    return (a * b).sum(axis=-1)
