"""Soft-thresholding: the minimiser of one coordinate's quadratic plus its penalty."""

from __future__ import annotations

from .._jit import part


@part
def minimiser(pull, curvature, l1, l2, lower, upper):  # type: ignore[no-untyped-def]
    """Return argmin_b curvature/2 b^2 - pull b + l1 |b| + l2/2 b^2 on [lower, upper].

    It is the soft threshold of pull, shrunk and clipped.
    """
    if pull > l1:
        return min((pull - l1) / (curvature + l2), upper)
    if pull < -l1:
        return max((pull + l1) / (curvature + l2), lower)
    return 0.0
