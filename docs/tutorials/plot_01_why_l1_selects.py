"""
Why L1 selects and L2 shrinks
=============================

Both penalties make coefficients smaller. Only L1 makes some of them exactly zero.
Here is the same fact seen four ways: as geometry, as a force, as a budget, and as a
prior.
"""

# %%
# Everything below minimises, with half the mean squared error as the loss::
#
#     loss(w) + alpha * sum_j ( l1_ratio * |w_j| + (1 - l1_ratio) / 2 * w_j^2 )
#
# ``l1_ratio`` = 1 is the lasso, 0 is ridge, between them lies the elastic net.

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize

import _style
import fastreg
from _style import BLUE, DARK, GREEN, GREY, ORANGE

_style.apply()
rng = np.random.default_rng(0)

n = 100
X = rng.multivariate_normal([0, 0], [[1, -0.3], [-0.3, 1]], n)
y = X @ [1.5, 0.35] + rng.standard_normal(n)
unpenalised = np.linalg.lstsq(X, y)[0]


def loss(w):
    """Return half the mean squared error of w, or of every w of shape (2, ...)."""
    residual = y.reshape(-1, *[1] * (np.ndim(w) - 1)) - np.tensordot(X, w, axes=1)
    return (residual**2).mean(axis=0) / 2


# %%
# A diamond has corners
# ---------------------
# A penalty is a budget in disguise: the loss is minimised inside the set of weights
# that cost at most some c. Grow the loss contours from the unpenalised solution until
# one first touches that set: the touching point is the penalised solution. Below, the
# three alphas are chosen so that it is the *same* contour.

CONTOUR = 1.35 * loss(unpenalised)
SHAPES = {"lasso: a diamond": 1.0, "elastic net: between": 0.5, "ridge: a circle": 0.0}
grid = np.linspace(-1.1, 2.3, 300)
plane = np.stack(np.meshgrid(grid, grid))


def cost(w, l1_ratio):
    """Return what the penalty makes of w, without alpha."""
    sizes, squares = np.abs(w).sum(axis=0), np.square(w).sum(axis=0)
    return l1_ratio * sizes + (1 - l1_ratio) / 2 * squares


figure, axes = plt.subplots(1, 3, figsize=(9, 2.9), sharey=True)
touching = {}
for ax, (name, l1_ratio), color in zip(
    axes, SHAPES.items(), (BLUE, GREEN, ORANGE), strict=True
):
    path = fastreg.glm_path(
        X, y, l1_ratio=l1_ratio, fit_intercept=False, alphas=np.geomspace(5, 0.01, 3000)
    )
    w = path.coefs[:, np.argmin(np.abs(loss(path.coefs) - CONTOUR))]
    touching[name] = w
    heights = np.array([0.1, 0.4, 1.0, 1.8, 2.8])
    levels = loss(unpenalised) + (CONTOUR - loss(unpenalised)) * heights
    ax.contourf(
        *plane,
        cost(plane, l1_ratio),
        levels=[-1, cost(w, l1_ratio)],
        colors=[color],
        alpha=0.25,
    )
    ax.contour(
        *plane,
        loss(plane),
        levels=levels,
        colors=[GREY] * 2 + [DARK] + [GREY] * 2,
        linewidths=[0.7, 0.7, 1.5],
    )
    ax.plot(*unpenalised, "+", color=DARK, ms=7)
    ax.plot(*w, "o", color=color, ms=7)
    ax.axhline(0, color=DARK, lw=0.6)
    ax.axvline(0, color=DARK, lw=0.6)
    ax.set(
        title=name, aspect="equal", xlabel="$w_1$", xlim=(-1.1, 2.3), ylim=(-1.1, 1.6)
    )
    _style.label(ax, 1.2, -0.9, f"({w[0]:.2f}, {w[1]:.2f})".replace("0.00", "0"), color)
axes[0].set_ylabel("$w_2$")
_style.label(axes[0], *unpenalised, "no penalty", xytext=(-26, -13))

# %%
# The lasso's solution sits on a corner, where the second weight is exactly zero. So
# does the elastic net's: its sides bulge, its corners stay. A circle has no corners,
# so nothing singles out the axes. That the touching point is the best one inside is
# no figure of speech:

for name, l1_ratio in SHAPES.items():
    w = touching[name]
    inside = cost(plane, l1_ratio) <= cost(w, l1_ratio)
    assert loss(w) <= loss(plane)[inside].min()
assert touching["lasso: a diamond"][1] == 0.0
assert touching["elastic net: between"][1] == 0.0
assert touching["ridge: a circle"][1] > 0.1

# %%
# A pull that does not tire
# -------------------------
# Descend on the penalty alone. The slope of ``|w|`` is 1 however small w is, so it
# arrives at zero and stays. The slope of ``w^2 / 2`` is w itself: the closer to zero,
# the weaker the pull.
#
# On a design with orthogonal columns this decides every coefficient separately. Ridge
# divides each by 1 + alpha; the lasso moves each by alpha towards zero and stops
# there.

z = np.linspace(-2, 2, 41)
Q = np.sqrt(n) * np.linalg.qr(rng.standard_normal((n, z.size)))[0]
alpha = 0.6
lasso = fastreg.lasso_path(Q, Q @ z, alphas=[alpha], fit_intercept=False)
ridge = fastreg.ridge_path(Q, Q @ z, alphas=[alpha], fit_intercept=False)
found = {"lasso": lasso.coefs[:, 0], "ridge": ridge.coefs[:, 0]}
expected = {
    "lasso": np.sign(z) * np.maximum(np.abs(z) - alpha, 0),
    "ridge": z / (1 + alpha),
}

figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.2))
w = np.linspace(-2, 2, 401)
left.plot(w, np.where(w == 0, np.nan, np.sign(w)), color=BLUE)
left.plot(w, w, color=ORANGE)
left.set(title="slope of the penalty", xlabel="w", ylim=(-2.1, 2.1))
_style.label(left, -1.95, -1, "$|w|$: always 1", BLUE, xytext=(0, 8))
_style.label(left, 1.5, 1.5, "$w^2/2$: fades", ORANGE, xytext=(-82, 4))
right.plot(z, z, color=GREY, lw=0.8)
for name, color in (("lasso", BLUE), ("ridge", ORANGE)):
    right.plot(z, expected[name], color=color, lw=1)
    right.plot(z, found[name], ".", color=color, ms=5)
right.set(
    title=f"fitted at alpha = {alpha}",
    xlabel="coefficient without penalty",
    ylabel="with penalty",
)
_style.label(right, 2, found["lasso"][-1], "lasso", BLUE, xytext=(4, 2))
_style.label(right, 2, found["ridge"][-1], "ridge", ORANGE, xytext=(4, -6))
_style.label(right, 2, 2, "none", "#777777")
for ax in (left, right):
    ax.axhline(0, color=DARK, lw=0.6)

# %%
# The dots are what the paths return, the lines are the two formulas.

for name in found:
    np.testing.assert_allclose(found[name], expected[name], atol=1e-9)
assert np.array_equal(found["lasso"] == 0, np.abs(z) <= alpha + 1e-12)
assert (found["ridge"][np.abs(z) > 0.05] != 0).all()

# %%
# The budget and its price
# ------------------------
# "Loss plus alpha times penalty" and "least loss with penalty at most c" have the
# same solutions. Every alpha has its c: the norm of the coefficients at that alpha. A
# path is all of them at once.
#
# The dots come from a general solver for the constrained form that never hears of
# alpha. The price of its budget, the largest correlation left in its residual, lands
# on the curve of the path.

wide = fastreg.datasets.make_correlated(n=60, p=8, n_true=4, snr=2.0, seed=1)
A, b = wide
path = fastreg.lasso_path(A, b, fit_intercept=False, alphas=200)
norms = np.abs(path.coefs).sum(axis=0)


def constrained(c):
    """Minimise the loss over sum |w| <= c; w is a difference of two halves >= 0."""
    p = A.shape[1]

    def value_and_slope(halves):
        residual = b - A @ (halves[:p] - halves[p:])
        slope = -A.T @ residual / len(b)
        return residual @ residual / (2 * len(b)), np.concatenate([slope, -slope])

    room = {
        "type": "ineq",
        "fun": lambda halves: c - halves.sum(),
        "jac": lambda halves: -np.ones(2 * p),
    }
    halves = minimize(
        value_and_slope,
        np.zeros(2 * p),
        jac=True,
        bounds=[(0, None)] * 2 * p,
        constraints=room,
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    ).x
    return halves[:p] - halves[p:]


budgets = np.array([0.15, 0.35, 0.55, 0.75, 0.92]) * norms[-1]
solutions = np.array([constrained(c) for c in budgets])
prices = np.abs(A.T @ (b[:, None] - A @ solutions.T)).max(axis=0) / len(b)

figure, ax = plt.subplots(figsize=(6, 3.4))
ax.plot(path.alphas, norms, color=BLUE)
ax.plot(prices, budgets, "o", color=ORANGE, ms=6)
_style.along_alpha(ax, path.alphas)
ax.set(ylabel=r"budget c = $\sum_j |w_j|$", ylim=(0, None))
_style.label(
    ax, prices[2], budgets[2], "solved with the budget", ORANGE, xytext=(9, -5)
)
_style.label(ax, path.alphas[45], norms[45], "the path", BLUE, xytext=(-52, 6))

# %%
# The budget grows as alpha falls and never shrinks, which is why the two forms can be
# exchanged.

assert (np.diff(norms) >= -1e-10).all()
for c, price, solution in zip(budgets, prices, solutions, strict=True):
    # Alphas in any order come back sorted, so one at a time.
    by_alpha = fastreg.lasso_path(A, b, fit_intercept=False, alphas=[price]).coefs[:, 0]
    assert abs(np.abs(by_alpha).sum() - c) < 1e-3 * c
    assert np.abs(by_alpha - solution).max() < 1e-2

# %%
# A prior in disguise
# -------------------
# Say the noise is normal with variance sigma^2 and the weights are drawn from a prior.
# The most probable weights given the data (the MAP estimate) minimise the negative
# logarithm of the posterior: the sum of squares over 2 sigma^2, plus
#
# * ``sum_j |w_j| / tau`` for a Laplace prior of scale tau, which is the lasso with
#   ``alpha = sigma^2 / (n tau)``;
# * ``sum_j w_j^2 / (2 tau^2)`` for a normal prior of variance tau^2, which is ridge
#   with ``alpha = sigma^2 / (n tau^2)``.
#
# We evaluate both posteriors on a grid, without any solver, and put the path's
# answers on top. Few rows, and a second weight that is small: the prior has something
# to say.

rows, sigma, tau = 12, 1.0, 0.35
Z = rng.standard_normal((rows, 2))
t = Z @ [1.0, 0.15] + sigma * rng.standard_normal(rows)
fine = np.linspace(-0.6, 1.6, 881)
plane = np.stack(np.meshgrid(fine, fine))
missed = t[:, None, None] - np.tensordot(Z, plane, axes=1)
fit = -0.5 * (missed**2).sum(axis=0) / sigma**2
posteriors = {
    "Laplace": fit - np.abs(plane).sum(axis=0) / tau,
    "normal": fit - np.square(plane).sum(axis=0) / (2 * tau**2),
}
alpha_l1, alpha_l2 = sigma**2 / (rows * tau), sigma**2 / (rows * tau**2)
lasso = fastreg.lasso_path(Z, t, alphas=[alpha_l1], fit_intercept=False)
ridge = fastreg.ridge_path(Z, t, alphas=[alpha_l2], fit_intercept=False)
estimates = {"Laplace": lasso.coefs[:, 0], "normal": ridge.coefs[:, 0]}
means = {}

figure, axes = plt.subplots(1, 3, figsize=(9, 3.2))
w = np.linspace(-1.6, 1.6, 401)
axes[0].plot(w, np.exp(-np.abs(w) / tau) / (2 * tau), color=BLUE)
axes[0].plot(w, np.exp(-(w**2) / (2 * tau**2)) / np.sqrt(2 * np.pi) / tau, color=ORANGE)
axes[0].set(title="priors", xlabel="$w_j$", ylabel="density", ylim=(0, None))
_style.label(axes[0], 0.12, 1.3, "Laplace", BLUE)
_style.label(axes[0], 0.4, 0.62, "normal", ORANGE)
for ax, (name, log_density), color in zip(
    axes[1:], posteriors.items(), (BLUE, ORANGE), strict=True
):
    density = np.exp(log_density - log_density.max())
    means[name] = (plane * density).sum(axis=(1, 2)) / density.sum()
    ax.contour(
        *plane, density, levels=[0.05, 0.2, 0.5, 0.8], colors=GREY, linewidths=0.8
    )
    ax.axhline(0, color=DARK, lw=0.6)
    ax.plot(*estimates[name], "o", color=color)
    ax.plot(*means[name], "x", color=DARK)
    ax.set(
        title=f"posterior, {name} prior", xlabel="$w_1$", ylabel="$w_2$", aspect="equal"
    )
    ax.set(xlim=(-0.4, 1.5), ylim=(-0.6, 1.0))
_style.label(axes[1], *estimates["Laplace"], "lasso", BLUE, xytext=(-12, -14))
_style.label(axes[2], *estimates["normal"], "ridge", ORANGE, xytext=(-12, -14))
_style.label(axes[1], *means["Laplace"], "mean", xytext=(8, 9))

# %%
# The highest point of each posterior is the path's solution, to the spacing of the
# grid. For the Laplace prior it lies on the axis, where the density has a ridge line.
#
# A word of caution that the picture makes visible: the *mean* of that posterior (the
# cross) has no zeros, and neither has a draw from it. Sparsity belongs to the mode,
# that is to the penalty, not to a belief that weights are zero.

spacing = fine[1] - fine[0]
for name, log_density in posteriors.items():
    row, column = np.unravel_index(log_density.argmax(), log_density.shape)
    highest = np.array([fine[column], fine[row]])
    assert np.abs(highest - estimates[name]).max() <= spacing
assert estimates["Laplace"][1] == 0.0
assert abs(means["Laplace"][1]) > 0.01

plt.show()
