"""The certified support: which features every optimal solution has, and which none has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from .._typing import Float64, Index, Mask
from ..certify import certify
from ..errors import DataError
from ..request import Study
from ..result import PathResult
from ..validate.words import wanted
from .dual_lines import FAMILIES, Lines

__all__ = ["CertifiedSupport", "certified_support"]

# An alpha of the grid may come back with its last digits changed.
SAME = 1e-9


@dataclass(frozen=True, eq=False, repr=False)
class CertifiedSupport:
    """Hold what is proven of every feature at some alphas, whatever the solver did.

    Attributes
    ----------
    alphas : (K,) float64
        Where.
    zero : (p, K) bool
        The coefficient is zero in every optimal solution (of all outputs, where there are several).
    active : (p, K) bool
        The coefficient is non-zero in every optimal solution.
    relative_gaps : (K,) float64
        Certified gaps of the solutions that proofs began with, relative to the null objective.

    Examples
    --------
    >>> from fastreg import lasso_path
    >>> path = lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[4, 2], fit_intercept=False)
    >>> proof = path.support()
    >>> proof.active.T.tolist(), proof.zero.T.tolist(), proof.n_undecided.tolist()
    ([[True, False], [True, False]], [[False, True], [False, False]], [0, 1])
    """

    alphas: Float64
    zero: Mask
    active: Mask
    relative_gaps: Float64

    @property
    def undecided(self) -> Mask:
        """Return what is neither proven zero nor proven active, (p, K)."""
        return ~(self.zero | self.active)

    @property
    def n_undecided(self) -> Index:
        """Return the number of undecided features at every alpha, (K,)."""
        return np.asarray(np.count_nonzero(self.undecided, axis=0), dtype=np.int64)

    def words(self, k: int = 0) -> tuple[str, ...]:
        """Return "active", "zero" or "undecided" for every feature.

        Parameters
        ----------
        k : int
            Which of the alphas.

        Returns
        -------
        tuple of p str
            One word per feature.

        Examples
        --------
        >>> from fastreg import lasso_path
        >>> path = lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[4, 2], fit_intercept=False)
        >>> path.support(alpha=4).words()
        ('active', 'zero')
        """
        names = np.array(["undecided", "active", "zero"])
        return tuple(names[self.active[:, k] + 2 * self.zero[:, k]].tolist())

    def __repr__(self) -> str:
        p, count = self.zero.shape
        shares = [np.count_nonzero(part) / max(p * count, 1) for part in (self.zero, self.active)]
        rest = 1.0 - sum(shares)
        shown = f"{shares[0]:.2%} proven zero, {shares[1]:.2%} proven active, {rest:.2%} undecided"
        return f"CertifiedSupport({p} features, {count} alphas: {shown})"


def certified_support(study: Study, path: PathResult, alpha: Any = None) -> CertifiedSupport:
    """Prove coefficients zero or non-zero, from the data and the claimed solutions alone.

    Zeros: the gap-safe sphere of ``certify`` (F14, F15; for Poisson and Cox a bound of Bernstein's type).
    Active: a dual value of the problem without the feature above the objective (F46), for supports up to 1000
    features of the families with one output but Cox; of the others no feature is proven active.

    Parameters
    ----------
    study : Study
        What the path was fitted to.
    path : PathResult
        A path of this study.
    alpha : float, optional
        One alpha; it is solved if it is not on the grid. None takes the whole grid.

    Returns
    -------
    CertifiedSupport
        What is proven.

    Raises
    ------
    DataError
        If alpha is not a finite number > 0.
    """
    path = path if alpha is None else _at(study, path, alpha)
    penalty, ask, given = study.penalty(), study.ask, study.given
    if given.csc is not None:
        X: Any = sparse.csc_array(given.csc, shape=(given.n, given.p))
    else:
        assert given.XT is not None
        X = given.XT.T
    claim = certify(
        X, study.y, path, fit_intercept=study.fit_intercept, standardize=bool(ask.standardize),
        sample_weight=ask.sample_weight, offset=ask.offset, penalty_factor=penalty.factor,
        lower_limits=penalty.lower, upper_limits=penalty.upper, grouped=path.is_grouped,
        ties=ask.ties or "breslow", strata=ask.strata,
    )  # fmt: skip
    zero: Mask = np.asarray(claim.proven_zero)
    zero = np.asarray(zero.all(axis=0)) if path.n_outputs > 1 else zero
    active = np.zeros(zero.shape, dtype=bool)
    if path.family in FAMILIES:
        lines = Lines(study, path.l1_ratio)
        for k in np.flatnonzero(np.isfinite(claim.gap)):
            own = path.coefs_sparse[:, [k]]
            active[:, k] = lines.active(own, float(path.intercepts[k]), float(path.alphas[k]))
    # A feature kept out by decree is zero without a proof.
    zero = zero | (penalty.excluded | ((penalty.lower == 0.0) & (penalty.upper == 0.0)))[:, None]
    return CertifiedSupport(path.alphas, zero, active & ~zero, np.asarray(claim.relative_gap))


def _at(study: Study, path: PathResult, alpha: Any) -> PathResult:
    """Return the path of one alpha: from the grid, or solved."""
    value = float(alpha) if isinstance(alpha, int | float | np.number) else np.nan
    if not 0.0 < value < np.inf:
        raise DataError(wanted("alpha", "be one finite number > 0", repr(alpha)))
    near = np.flatnonzero(np.abs(path.alphas - value) <= SAME * value)
    if not near.size:
        return study.asking(alphas=[value], n_alphas=None).fit_whole()
    from .exactly import single

    return single(path, int(near[0]))
