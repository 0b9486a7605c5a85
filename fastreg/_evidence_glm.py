"""The certificate of any loss: a dual point near the claim's residual, its price, and what it proves.

The gap of a claim eta and a dual point theta is sum_i [ f + f* + theta eta ] + sum_j [ phi + phi* - b t ],
non-negative term by term, for every theta that is orthogonal to the intercepts and to free columns. theta is
the pseudo-residual at `other`, the claim with its intercepts and free coefficients solved anew, corrected to
be orthogonal but for a bounded rounding, and scaled by c <= 1. Claims may be as wrong as they like.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy  # its parts load when they are first used
import scipy.linalg

from fastreg._evidence import _HUGE, _ROUNDOFF, Model, gamma
from fastreg._evidence_loss import Loss, Point
from fastreg._evidence_terms import Entries, Rows, Terms
from fastreg._typing import Float64, Mask

_STEPS = 60  # Newton steps for intercepts and free columns
_DAMPING = (0.0, 1e-2, 1.0, 1e1, 1e2, 1e4, 1e6, 1e8)
_SHARP = 1e-6  # gaps below this share of the objective are not improved by searching for a better c
_SEARCH = 24  # evaluations of such a search


def settle(loss: Loss, eta: Float64, F: Float64, root: Float64) -> Float64:
    """Return eta moved along the columns F / root to where the pseudo-residual is orthogonal to them.

    Damped Newton steps that never raise the loss; where they end is a matter of tightness, not of truth.
    """
    if F.shape[1] == 0:
        return eta
    Z, own = F / root[:, None], np.tile(np.sum(F**2, axis=0), loss.outputs)
    value, g = loss.value(eta), _slope(loss, eta, F, root)
    for _ in range(_STEPS):
        size = np.abs(F).T @ np.abs(root[:, None] * loss.residual(eta))
        if (np.abs(g) <= 4 * _ROUNDOFF * size.T.ravel()).all():
            break
        H = loss.gram(eta, F)
        for damping in _DAMPING:
            step = _solve(H * (1 + damping) + damping * np.diag(own), g)
            trial = eta + Z @ step.reshape(loss.outputs, -1).T
            new_value, new_g = loss.value(trial), _slope(loss, trial, F, root)
            # At the end values are equal but for rounding, and only the slope still tells a better point.
            level = new_value <= value + 1e-13 * (value + loss.floor)
            if new_value < value or (level and np.linalg.norm(new_g) <= 0.5 * np.linalg.norm(g)):
                break
        else:
            break
        eta, value, g = trial, new_value, new_g
    return eta


def _slope(loss: Loss, eta: Float64, F: Float64, root: Float64) -> Float64:
    out: Float64 = (F.T @ (root[:, None] * loss.residual(eta))).T.ravel()
    return out


def _solve(H: Float64, g: Float64) -> Float64:
    scale = np.sqrt(np.maximum(np.diag(H), 0.0))
    inverse = np.where(scale > 0, 1.0 / np.where(scale > 0, scale, 1.0), 0.0)
    if not (np.isfinite(H).all() and np.isfinite(g).all()):
        return np.zeros_like(g)
    out: Float64 = inverse * scipy.linalg.lstsq(inverse[:, None] * H * inverse, inverse * g, cond=1e-13)[0]
    return out


class LossModel:
    """A problem with any loss, on rescaled columns, ready to assess claims in bulk."""

    def __init__(
        self, columns: Any, loss: Loss, offset: Float64, l1_ratio: float, standardize: bool,
        bounds: tuple[Float64, Float64, Float64], fit_intercept: bool, grouped: bool,
    ) -> None:  # fmt: skip
        self.penalty = Model(columns, np.zeros(loss.w.size), 0.0, l1_ratio, standardize, bounds)
        self.columns, self.loss, self.offset = columns, loss, offset
        self.fit_intercept, self.terms = fit_intercept, Rows if grouped else Entries
        self.root = columns.root
        ones = self.root[:, None] if fit_intercept else np.empty((self.root.size, 0))
        self.basis = np.column_stack([ones, columns.take(self.penalty.free)])

    def null_objective(self) -> float:
        """Return the loss of the best intercepts."""
        with np.errstate(over="ignore", invalid="ignore"):
            if not self.fit_intercept:
                return self.loss.value(self.offset)
            start = self.offset + self.loss.start(self.offset)
            return self.loss.value(settle(self.loss, start, self.root[:, None], self.root))

    def assess(self, B: Float64, intercept: Float64, alpha: Float64) -> dict[str, Any]:
        """Return the fields of a certificate that are per solution; B is (p, C, K), intercept (C, K)."""
        outputs, count = intercept.shape
        each = [self.penalty.feasible(B[:, c], intercept[c]) for c in range(outputs)]
        feasible = np.logical_and.reduce(each) & (self.fit_intercept | (intercept == 0).all(axis=0))
        nonzero = np.count_nonzero(B.any(axis=1), axis=0)
        intercept = np.where(feasible, intercept, 0.0)
        with np.errstate(over="ignore"):
            b = np.ldexp(np.where(feasible, B, 0.0), self.columns.exponent[:, None, None])
        shift = intercept + np.tensordot(self.columns.centre, b, 1)
        eta = self.columns.times(b.reshape(b.shape[0], -1)).reshape(-1, outputs, count)
        eta = self.offset[:, :, None] + shift + eta
        used = np.count_nonzero(b.any(axis=(1, 2)))
        # Rescaled entries are below one, centred ones below two in size.
        size = np.abs(self.offset)[:, :, None] + np.abs(intercept) + 3 * np.abs(b).sum(axis=0)
        parts = []
        with np.errstate(over="ignore", invalid="ignore"):
            claims = [
                _Claim(self, b[:, :, k], eta[:, :, k], gamma(used + 16) * size[:, :, k], float(alpha[k]))
                for k in range(count)
            ]
            self._correlate(claims)
            parts = [claim.verdict(bool(ok)) for claim, ok in zip(claims, feasible, strict=True)]
        fields = {name: np.stack([part[name] for part in parts], axis=-1) for name in parts[0]}
        return fields | {"feasible": feasible, "n_nonzero": nonzero}

    def _correlate(self, claims: list[_Claim]) -> None:
        """Read X once for all: inner products with residuals and dual points, and curvatures if needed."""
        root = self.root[:, None]
        stack = [root * x for claim in claims for x in (claim.r, claim.dual)]
        products = self.columns.correlate(np.concatenate(stack, axis=1))
        width = self.loss.outputs
        for k, claim in enumerate(claims):
            claim.g = products[:, 2 * k * width : (2 * k + 1) * width]
            claim.t = np.where(claim.pinned, 0.0, products[:, (2 * k + 1) * width : (2 * k + 2) * width])
        if self.loss.lipschitz is None:
            mass = np.column_stack([self.loss.mass(claim.eta) for claim in claims])
            finite = np.logical_and.reduce(np.isfinite(mass))
            squares = self.columns.squares(np.where(finite, mass, 0.0))
            for k, claim in enumerate(claims):
                claim.square = squares[:, k : k + 1] if finite[k] else np.inf


class _Claim:
    """One claimed solution on its way to a verdict."""

    g: Float64
    t: Float64
    square: Any

    def __init__(self, model: LossModel, b: Float64, eta: Float64, e: Float64, alpha: float) -> None:
        self.model, self.b, self.eta = model, b, eta
        self.e = e + model.loss.noise(eta)
        with np.errstate(over="ignore"):
            self.l1 = np.minimum(model.penalty.l1[:, None] * alpha, _HUGE)
            self.l2 = np.minimum(model.penalty.l2[:, None] * alpha, _HUGE)
        self.r = np.asarray(model.loss.residual(eta))
        self.pinned: Mask = np.zeros(b.shape, dtype=bool)
        self.sane = bool(np.isfinite(self.r).all() and np.isfinite(eta).all())
        self.r = self.r if self.sane else np.zeros_like(self.r)
        self.point = self._find_point() if self.sane else None
        if self.point is None:
            self.pinned[:] = False
        self.dual = np.zeros_like(self.r) if self.point is None else self.point.r

    def _find_point(self) -> Point | None:
        """Return a dual point; columns that are free on one side are pinned as in the gaussian case (F13)."""
        model, loss, columns = self.model, self.model.loss, self.model.columns
        other = settle(loss, self.eta, model.basis, model.root)
        free, half_free = model.penalty.free, model.penalty.half_free
        self.pinned[free] = True
        weak = model.penalty.weak(model.root[:, None] * self.r, self.l1, self.l2)
        half = np.union1d(half_free, np.flatnonzero(weak.any(axis=1)))
        if half.size == 0:
            return loss.point(self.eta, other, [model.basis] * loss.outputs)
        H = columns.take(half)
        signed = np.isin(half, half_free)[:, None]
        side = np.where(np.isinf(model.penalty.upper[half]), 1.0, -1.0)[:, None]
        edge = np.where(side > 0, model.penalty.lower[half, None], model.penalty.upper[half, None])
        chosen = np.where(signed, self.b[half] != edge, weak[half])
        while True:  # ends: every round pins another column or none is wrong
            bases = [np.column_stack([model.basis, H[:, chosen[:, c]]]) for c in range(loss.outputs)]
            point = loss.point(self.eta, other, bases)
            if point is None:
                return None
            V = model.root[:, None] * point.r
            slack = (
                columns.noise[half, None] * np.linalg.norm(V, axis=0)
                + columns.norm[half, None] * point.defect
            )
            wrong = signed & ~chosen & (side * (H.T @ V) + 2 * slack > 0)
            if not wrong.any():
                self.pinned[half] = chosen
                return point
            chosen |= wrong

    def verdict(self, feasible: bool) -> dict[str, Any]:
        """Return the numbers of the certificate."""
        model, loss = self.model, self.model.loss
        penalty = float(np.sum(self._norms(self.b)))
        primal = loss.value(self.eta) + penalty if self.sane else np.inf
        length = np.linalg.norm(model.root[:, None] * self.dual, axis=0)
        defect = np.zeros(loss.outputs) if self.point is None else self.point.defect
        columns, penalties = model.columns, model.penalty
        noise, norm = columns.noise[:, None], columns.norm[:, None]
        rounding = 8 * _ROUNDOFF * (np.abs(self.t) + self.l1 + self.l2 * np.abs(self.b))
        err = np.where(self.pinned, 0.0, noise * length + norm * defect + rounding)
        bounds = (penalties.lower[:, None], penalties.upper[:, None])
        terms = model.terms(self.b, self.t, err, self.l1, self.l2, *bounds)
        gap, c = self._price(terms)
        violation = np.ldexp(terms.violation(self.g), columns.exponent)
        tilt = np.abs(loss.w @ self.r).max() if model.fit_intercept else 0.0
        fine = feasible and np.isfinite(primal) and self.sane
        return {
            "primal": primal if fine else np.inf,
            "dual": max(primal - gap, 0.0) if np.isfinite(primal) else 0.0,
            "gap": gap if fine else np.inf,
            "kkt": max(float(violation.max()), float(tilt)) if fine else np.inf,
            "proven_zero": self._zeros(terms, err, gap, c),
        }

    def _norms(self, b: Float64) -> Float64:
        """Return the penalty of every row."""
        if self.model.terms is Entries:
            each: Float64 = self.l1 * np.abs(b) + self.l2 / 2 * b**2
            return np.asarray(each.sum(axis=1))
        size = np.linalg.norm(b, axis=1)
        return np.asarray(self.l1[:, 0] * size + self.l2[:, 0] / 2 * size**2)

    def _price(self, terms: Terms) -> tuple[float, float]:
        """Return the smallest gap over multiples of the dual point, and the multiple."""
        loss, active = self.model.loss, terms.active()
        curved = 0.5 * loss.bend(self.eta, self.e)
        inflate = 1 + gamma(loss.w.size + self.b.size + 64)

        def gap(c: float) -> float:
            apart = float(loss.w @ np.sum(np.abs(self.r - c * self.dual) * self.e, axis=1))
            own = loss.value(self.eta) if self.point is None else self.point.cost(c)
            out = (own + apart + curved + active.cost(c)) * inflate
            return out if np.isfinite(out) else np.inf

        best, at = gap(0.0), 0.0
        if not self.sane or self.point is None:
            return best, at
        top = min(1.0, terms.largest())
        for c in {top, min(1.0, terms.quiet()), min(1.0, terms.within())}:
            value = gap(c)
            best, at = min((best, at), (value, c))
        if best > _SHARP * gap(0.0) and top > 0:
            found = scipy.optimize.minimize_scalar(
                gap, bounds=(0.0, top), method="bounded", options={"maxiter": _SEARCH, "xatol": 1e-4 * top}
            )
            best, at = min((best, at), (float(found.fun), float(found.x)))
        return best, at

    def _zeros(self, terms: Terms, err: Float64, gap: float, c: float) -> Mask:
        """Return what the gap proves to be zero: by a ball about the residual, or by relative entropy."""
        model, loss, columns = self.model, self.model.loss, self.model.columns
        if not (self.sane and np.isfinite(gap)):
            endless = np.full_like(self.g, np.inf)
            return terms.zeros(np.zeros_like(self.g), endless, endless[:, :1])
        root, norm = model.root[:, None], columns.norm[:, None]
        wobble = float(np.linalg.norm(root * loss.wobble(self.eta, self.e)))
        own = columns.noise[:, None] * np.linalg.norm(root * self.r, axis=0) + norm * wobble
        own = own + 8 * _ROUNDOFF * np.abs(self.g)
        if loss.lipschitz is None:
            reach = columns.reach[:, None]
            squares = self.square * float(np.exp(2 * self.e.max())) * (1 + 1e-9)
            return terms.zeros(self.g, own, np.sqrt(2 * squares * gap) + reach * gap / 3)
        defect = 0.0 if self.point is None else float(np.linalg.norm(self.point.defect))
        apart = float(np.linalg.norm(root * (self.r - c * self.dual)))
        apart = max(apart * (1 - 1e-12) - wobble - c * defect, 0.0)
        radius = np.sqrt(max(loss.lipschitz * gap - apart**2 / 4, 0.0)) * (1 + 1e-12) + wobble
        return terms.zeros((self.g + c * self.t) / 2, (own + c * err) / 2, norm * radius)
