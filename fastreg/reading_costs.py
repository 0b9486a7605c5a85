"""What it costs to read all columns at once, over what they cost one by one as entries of a list.

Measured for columns of 72 to 500 entries (docs/math.md, F16). A column costs its entries, and what it takes
to find it and to give it a reference, counted in entries too.
"""

from __future__ import annotations

# Beside its entries: a column of a list, and one of all.
ONE_BY_ONE, TOGETHER = 200.0, 16.0
# Several paths that have all columns read for them share the reading of entries by so much; to give columns
# a reference in a pass of its own, from a cache that the others have used, costs each path so much a column.
# From 8 to 40 no difference is seen (benchmarks/results/DIARY.md).
SHARED_BY, WAITING = 4.0, 16.0


def cost_of_all(entries: int) -> float:
    """Return the cost for a path that reads by itself, for columns of so many entries."""
    return (TOGETHER + entries) / (ONE_BY_ONE + entries)


def cost_of_sharing(entries: int) -> float:
    """Return the cost for a path that waits until all columns are read for several."""
    return (TOGETHER + WAITING + entries / SHARED_BY) / (ONE_BY_ONE + entries)
