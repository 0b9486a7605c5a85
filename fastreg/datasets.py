"""Seeded problems with a known truth, made fast and without a byte more than the design itself.

Every generator draws its true features and their coefficients (signs at random, sizes falling geometrically
from 3 to 0.3), then ``y`` from them. Dense designs are F-ordered float64: a path runs on them in place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ._typing import Float64

__all__ = ["Problem", "make_correlated", "make_logistic", "make_sparse", "make_wide"]

# A design has features that are easy to find and features that are not: a factor of ten between them.
LARGEST, SMALLEST = 3.0, 0.3


@dataclass(frozen=True, eq=False, repr=False)
class Problem:
    """Hold a problem and the truth behind it; unpacks as ``X, y``.

    Attributes
    ----------
    X : (n, p) float64 array, F-ordered, or scipy.sparse.csc_array
        Design.
    y : (n,) float64 array, or (n,) int64 labels
        Response.
    coef : (p,) float64 array
        The coefficients that made y, mostly zero.
    feature_names : tuple of str
        "x0" to "x{p-1}".

    Examples
    --------
    >>> from fastreg.datasets import make_wide
    >>> X, y = make_wide(n=20, p=50, n_true=3)
    >>> X.shape, y.shape
    ((20, 50), (20,))
    """

    X: Any
    y: NDArray[Any]
    coef: Float64
    feature_names: tuple[str, ...]

    @property
    def true_features(self) -> NDArray[np.intp]:
        """Return the indices of the features that y depends on, in order."""
        return np.flatnonzero(self.coef)

    def __iter__(self) -> Iterator[Any]:
        """Yield X, then y."""
        yield self.X
        yield self.y

    def __repr__(self) -> str:
        n, p = self.X.shape
        storage = "sparse" if sparse.issparse(self.X) else "dense"
        return f"Problem({n} x {p} {storage}, {self.true_features.size} true features)"


def make_wide(
    n: int = 200, p: int = 20_000, n_true: int = 20, *, snr: float = 20.0, seed: int | None = 0
) -> Problem:
    """Make a wide problem: independent standard normal features, few of which matter.

    Parameters
    ----------
    n, p : int
        Rows and features.
    n_true : int
        Features that y depends on, at most p.
    snr : float
        Variance of the signal over the variance of the noise; inf for no noise.
    seed : int or None
        Seed of ``numpy.random.default_rng``; None for a fresh draw.

    Returns
    -------
    Problem
        Dense X, y, coef and feature_names.

    Raises
    ------
    ValueError
        If a size or snr is out of range.

    Examples
    --------
    >>> from fastreg.datasets import make_wide
    >>> make_wide(n=50, p=1000, n_true=5)
    Problem(50 x 1000 dense, 5 true features)
    """
    return make_correlated(n, p, n_true, rho=0.0, snr=snr, seed=seed)


def make_correlated(
    n: int = 500, p: int = 20_000, n_true: int = 20, *, rho: float = 0.5, snr: float = 20.0,
    seed: int | None = 0,
) -> Problem:  # fmt: skip
    """Make a problem whose features form an AR(1) chain: corr(x_i, x_j) = rho ** abs(i - j).

    Column j is ``rho * x_{j-1} + sqrt(1 - rho^2) * z_j``, so no p x p matrix exists at any time.

    Parameters
    ----------
    n, p : int
        Rows and features.
    n_true : int
        Features that y depends on, at most p.
    rho : float
        Correlation of neighbours, between -1 and 1 exclusive.
    snr : float
        Variance of the signal over the variance of the noise; inf for no noise.
    seed : int or None
        Seed of ``numpy.random.default_rng``; None for a fresh draw.

    Returns
    -------
    Problem
        Dense X, y, coef and feature_names.

    Raises
    ------
    ValueError
        If a size, rho or snr is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg.datasets import make_correlated
    >>> X, y = make_correlated(n=2000, p=3, n_true=1, rho=0.9)
    >>> round(float(np.corrcoef(X[:, 0], X[:, 1])[0, 1]), 1)
    0.9
    """
    _check_sizes(n, p, n_true, snr)
    rng = np.random.default_rng(seed)
    X = _chain(rng, n, p, rho)
    coef = _draw_coef(rng, p, n_true)
    return _with_response(rng, X, coef, snr)


def make_sparse(
    n: int = 10_000, p: int = 30_000, n_true: int = 50, *, density: float = 1e-3, snr: float = 20.0,
    seed: int | None = 0,
) -> Problem:  # fmt: skip
    """Make a problem whose X is sparse (CSC), with positive entries like those of text.

    Parameters
    ----------
    n, p : int
        Rows and features.
    n_true : int
        Features that y depends on, at most p.
    density : float
        Expected share of nonzero entries, between 0 and 1 exclusive; entries are uniform on (0, 1].
    snr : float
        Variance of the signal over the variance of the noise; inf for no noise.
    seed : int or None
        Seed of ``numpy.random.default_rng``; None for a fresh draw.

    Returns
    -------
    Problem
        X as scipy.sparse.csc_array, y, coef and feature_names.

    Raises
    ------
    ValueError
        If a size, density or snr is out of range.

    Examples
    --------
    >>> from fastreg.datasets import make_sparse
    >>> problem = make_sparse(n=100, p=500, n_true=5, density=0.05)
    >>> problem, problem.X.format
    (Problem(100 x 500 sparse, 5 true features), 'csc')
    """
    _check_sizes(n, p, n_true, snr)
    if not 0.0 < density < 1.0:
        raise ValueError(f"density must lie between 0 and 1 (exclusive), got {density}")
    rng = np.random.default_rng(seed)
    X = _scatter(rng, n, p, density)
    coef = _draw_coef(rng, p, n_true)
    return _with_response(rng, X, coef, snr)


def make_logistic(
    n: int = 200, p: int = 5_000, n_true: int = 20, *, rho: float = 0.0, intercept: float = 0.0,
    seed: int | None = 0,
) -> Problem:  # fmt: skip
    """Make a problem with two classes: P(y = 1) = 1 / (1 + exp(-(intercept + x . coef))).

    Parameters
    ----------
    n, p : int
        Rows and features.
    n_true : int
        Features that the classes depend on, at most p.
    rho : float
        Correlation of neighbouring features, as in `make_correlated`.
    intercept : float
        Log-odds of class 1 at x = 0.
    seed : int or None
        Seed of ``numpy.random.default_rng``; None for a fresh draw.

    Returns
    -------
    Problem
        Dense X, labels y (int64, 0 or 1), coef and feature_names.

    Raises
    ------
    ValueError
        If a size or rho is out of range.

    Examples
    --------
    >>> from fastreg.datasets import make_logistic
    >>> X, labels = make_logistic(n=100, p=10, n_true=2)
    >>> sorted(set(labels.tolist()))
    [0, 1]
    """
    _check_sizes(n, p, n_true, np.inf)
    rng = np.random.default_rng(seed)
    X = _chain(rng, n, p, rho)
    coef = _draw_coef(rng, p, n_true)
    # A uniform draw below the probability, written on the log-odds scale where nothing overflows.
    odds = rng.logistic(size=n)
    labels = (intercept + _signal(X, coef) > odds).astype(np.int64)
    return Problem(X, labels, coef, _names(p))


def _check_sizes(n: int, p: int, n_true: int, snr: float) -> None:
    """Refuse sizes that make no problem."""
    if n < 1 or p < 1:
        raise ValueError(f"n and p must be at least 1, got n={n}, p={p}")
    if not 0 <= n_true <= p:
        raise ValueError(f"n_true must lie between 0 and p={p}, got {n_true}")
    if not snr > 0.0:
        raise ValueError(f"snr must be positive, got {snr}")


def _chain(rng: np.random.Generator, n: int, p: int, rho: float) -> Float64:
    """Draw the AR(1) design (n, p), F-ordered, in one buffer."""
    if not -1.0 < rho < 1.0:
        raise ValueError(f"rho must lie between -1 and 1 (exclusive), got {rho}")
    features = rng.standard_normal((p, n))
    if rho != 0.0:
        scale = float(np.sqrt(1.0 - rho * rho))
        step = np.empty(n)
        for j in range(1, p):
            np.multiply(features[j - 1], rho, out=step)
            features[j] *= scale
            features[j] += step
    return features.T


def _scatter(rng: np.random.Generator, n: int, p: int, density: float) -> sparse.csc_array:
    """Draw a sparse design; sorting flat positions column by column yields CSC at once."""
    # Draws repeat: so many of them leave density * n * p distinct positions on average.
    draws = round(-n * p * np.log1p(-density))
    flat = np.unique(rng.integers(0, n * p, size=draws))
    index = np.int32 if max(n, flat.size) <= np.iinfo(np.int32).max else np.int64
    indptr = np.searchsorted(flat, np.arange(p + 1, dtype=np.int64) * n).astype(index)
    flat %= n
    values = 1.0 - rng.random(flat.size)
    return sparse.csc_array((values, flat.astype(index), indptr), shape=(n, p))


def _draw_coef(rng: np.random.Generator, p: int, n_true: int) -> Float64:
    """Draw where the true features are, their signs and the order of their sizes."""
    coef = np.zeros(p)
    where = rng.choice(p, size=n_true, replace=False)
    coef[where] = np.geomspace(LARGEST, SMALLEST, n_true) * rng.choice([-1.0, 1.0], size=n_true)
    return coef


def _signal(X: Any, coef: Float64) -> Float64:
    """Return X @ coef, reading the true columns only."""
    true = np.flatnonzero(coef)
    return np.asarray(X[:, true] @ coef[true], dtype=np.float64)


def _with_response(rng: np.random.Generator, X: Any, coef: Float64, snr: float) -> Problem:
    """Add the response: signal and normal noise (standard normal where there is no signal)."""
    signal = _signal(X, coef)
    spread = float(signal.std())
    noise = spread / np.sqrt(snr) if spread > 0.0 else 1.0
    return Problem(X, signal + noise * rng.standard_normal(X.shape[0]), coef, _names(coef.size))


def _names(p: int) -> tuple[str, ...]:
    """Return "x0" to "x{p-1}"."""
    return tuple(f"x{j}" for j in range(p))
