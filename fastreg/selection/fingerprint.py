"""A digest of data and options, by which a result recognises what it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import Float64, Index
from ..families import make_target
from ..request import Study
from ..validate import DesignInput, check_weights

__all__ = ["fingerprint"]

# Seed of the multipliers, one per row.
SEED = 20130701
# Numbers of X that are looked at together.
BLOCK = 1 << 20

Words = NDArray[np.uint64]


def fingerprint(study: Study) -> str:
    """Return a digest of all that the paths of a study follow from, but for the grid and the tolerance.

    A column counts as the sum over rows of its 64 bits times a random odd number of the row, modulo 2^64:
    dense or sparse, single or double, in any layout and on any machine equal numbers give equal sums, and
    columns that differ have the same sum with a probability below 2^-50.

    Parameters
    ----------
    study : Study
        Data and what is asked.

    Returns
    -------
    str
        SHA-256, 64 hexadecimal digits.

    Notes
    -----
    Multilinear hashing: Carter and Wegman, J. Comput. Syst. Sci. 18 (1979) 143-154.
    """
    ask, given = study.ask, study.given
    digest = hashlib.sha256()
    for column_sums in _sums(given):
        digest.update(column_sums.astype("<u8").tobytes())
    w, total = check_weights(ask.sample_weight, given.n)
    target = make_target(
        study.family, study.y, given.n, w=w, total_weight=total, offset=ask.offset,
        fit_intercept=study.fit_intercept, **vars(ask.family_options),
    )  # fmt: skip
    penalty = study.penalty()
    facts = (
        study.family, given.n, given.p, study.fit_intercept, bool(ask.standardize), float(penalty.l1_ratio),
        float(target.delta), target.is_grouped, [str(each) for each in target.classes or ()],
    )  # fmt: skip
    digest.update(repr(facts).encode())
    raw = np.ones(given.n) if ask.sample_weight is None else np.asarray(ask.sample_weight, dtype=np.float64)
    numbers: list[Any] = [raw / raw.max(), target.y, target.offset, penalty.factor, penalty.lower]
    numbers.append(penalty.upper)
    if target.risk is not None:
        risk = target.risk
        numbers += [risk.times, risk.enter, risk.leave, risk.group, risk.restart, risk.fraction]
    for vector in numbers:
        digest.update(_bits(vector).astype("<u8").tobytes())
    return digest.hexdigest()


def _bits(values: Any) -> Words:
    """Return doubles as the integers of their bits, where -0.0 is 0.0."""
    return (np.ascontiguousarray(values, dtype=np.float64) + 0.0).view(np.uint64)


def _sums(given: DesignInput) -> Iterator[Words]:
    """Yield the sums of the columns, (p,) in all."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    multipliers: Words = rng.integers(0, 2**64, size=given.n, dtype=np.uint64) | np.uint64(1)
    if given.csc is None:
        assert given.XT is not None
        step = max(1, BLOCK // max(given.n, 1))
        for start in range(0, given.p, step):
            yield _bits(given.XT[start : start + step]) @ multipliers
        return
    data, indices, indptr = given.csc
    yield _of_sparse(data, indices, indptr, multipliers)


def _of_sparse(data: Float64 | Any, indices: Index, indptr: Index, multipliers: Words) -> Words:
    """Return the sums of sparse columns; zeros add nothing, stored or not."""
    running = np.zeros(data.size + 1, dtype=np.uint64)
    np.cumsum(_bits(data) * multipliers[indices], out=running[1:])
    # Differences wrap around as the sums did.
    return running[indptr[1:]] - running[indptr[:-1]]
