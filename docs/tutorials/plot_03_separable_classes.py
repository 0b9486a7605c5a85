"""
Why logistic regression needs a penalty
=======================================

When two classes can be told apart without an error, the most likely weights are
infinite. This happens on every wide matrix, and often on small ones. A penalty is
then no refinement: without one there is no answer.
"""

# %%
# Two clouds, one boundary
# ------------------------
# Two normal clouds of 50 points around (2, 2) and (-2, -2). The weights (intercept,
# w1, w2) = (0, 1, 1), (0, 4, 4) and (0, 10, 10) all draw the same line w1 + w2 = 0
# and classify alike. They differ in how sure they are.

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap

import _style
import fastreg
from _style import BLUE, DARK, GREY, ORANGE

_style.apply()
SOFT = LinearSegmentedColormap.from_list("soft", ["#d3cce3", "white", "#f8ddc4"])
rng = np.random.default_rng(0)

X = np.concatenate([rng.normal(2, 1, (50, 2)), rng.normal(-2, 1, (50, 2))])
y = np.repeat([1, 0], 50)


def cross_entropy(w):
    """Return the mean of log(1 + exp(-margin)), with the intercept first in w."""
    margin = np.where(y, 1, -1) * (w[0] + X @ w[1:])
    return np.logaddexp(0, -margin).mean()


candidates = [np.array([0.0, s, s]) for s in (1, 4, 10)]
figure, axes = plt.subplots(1, 3, figsize=(9, 3.6), sharey=True)
grid = np.linspace(-5, 5, 201)
plane = np.stack(np.meshgrid(grid, grid))
for ax, w in zip(axes, candidates, strict=True):
    sure = 1 / (1 + np.exp(-(w[0] + np.tensordot(w[1:], plane, axes=1))))
    ax.imshow(sure, extent=(-5, 5, -5, 5), origin="lower", cmap=SOFT)
    ax.plot(*X[y == 1].T, ".", color=ORANGE, ms=5)
    ax.plot(*X[y == 0].T, ".", color="#5e3c99", ms=5)
    ax.plot([-5, 5], [5, -5], color=DARK, lw=1)
    ax.set(xlabel="$x_1$", xlim=(-5, 5), ylim=(-5, 5))
    ax.set_title(f"(0, {w[1]:g}, {w[2]:g}): loss {cross_entropy(w):.0e}")
axes[0].set_ylabel("$x_2$")

# %%
# The loss rewards confidence: every point is on its side already, so a longer w makes
# every one of them more certain, for ever.

losses = [cross_entropy(w) for w in candidates]
right_side = (X.sum(axis=1) > 0) == y
assert right_side.all()
assert losses[0] > 3 * losses[1]
assert losses[1] > 3 * losses[2]

# %%
# Run to infinity
# ---------------
# Gradient descent on the bare loss shows it: the loss falls, the weights grow like
# the logarithm of the number of steps, and the direction hardly changes. Where to
# stop is decided by your patience.

w, norms, marks = np.zeros(3), [], []
design = np.column_stack([np.ones(100), X])
STEPS = 10_000
for _ in range(STEPS):
    w -= 1.0 * design.T @ (1 / (1 + np.exp(-design @ w)) - y) / 100
    norms.append(np.linalg.norm(w[1:]))
norms = np.array(norms)

# %%
# With an L2 penalty every alpha > 0 has exactly one finite solution. The path shows
# all of them, and the same growth, now as a function of something you choose.

path = fastreg.logistic_path(X, y, l1_ratio=0.0, alphas=np.geomspace(1, 1e-6, 60))
lengths = np.linalg.norm(path.coefs, axis=0)

figure, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.4), sharey=True)
left.semilogx(np.arange(1, STEPS + 1), norms, color=ORANGE)
left.set(
    title="no penalty: it depends on when you stop", xlabel="step of gradient descent"
)
left.set(ylabel="length of (w1, w2)", ylim=(0, 1.1 * lengths[-1]))
_style.label(left, STEPS, norms[-1], "still growing", ORANGE, xytext=(-84, 4))
right.plot(path.alphas, lengths, color=BLUE)
_style.along_alpha(right, path.alphas)
right.set_title("L2 penalty: one answer for every alpha")

# %%
# The growth is logarithmic, so it never looks dramatic and never ends: ten times the
# steps add about the same length again. Many a library stops somewhere on that curve
# and reports it as *the* solution.

per_decade = norms[9999] - norms[999], norms[999] - norms[99]
assert min(per_decade) > 0.3
assert (np.diff(norms) > 0).all()
assert (np.diff(lengths) > 0).all()
assert (path.relative_gaps < 1e-6).all()
assert np.isfinite(path.coefs).all()

# %%
# And wide data?
# --------------
# With p >= n, random labels are separable too: there are enough directions to explain
# anything. Below, 200 features of pure noise "explain" 40 coin tosses. As alpha falls
# the loss of the training rows goes to zero, and that of new rows rises well above
# log 2, the loss of saying "one half" every time: the model is as wrong as before,
# but sure of itself.

Z, coin = rng.standard_normal((40, 200)), rng.integers(0, 2, 40)
fresh, next_coin = rng.standard_normal((400, 200)), rng.integers(0, 2, 400)
noise = fastreg.logistic_path(Z, coin, l1_ratio=0.0, alphas=np.geomspace(100, 1e-4, 60))


def loss_along(features, labels):
    """Return the mean cross-entropy at every alpha."""
    margin = np.where(labels, 1, -1)[:, None] * noise.predict(features, kind="link")
    return np.logaddexp(0, -margin).mean(axis=0)


on_train, on_fresh = loss_along(Z, coin), loss_along(fresh, next_coin)

figure, ax = plt.subplots(figsize=(6.4, 3.4))
ax.plot(noise.alphas, on_train, color=BLUE)
ax.plot(noise.alphas, on_fresh, color=ORANGE)
ax.axhline(np.log(2), color=GREY, lw=0.8, zorder=0)
_style.along_alpha(ax, noise.alphas)
ax.set(
    ylabel="mean cross-entropy",
    ylim=(0, None),
    title="coin tosses, 40 rows, 200 features, L2 penalty",
)
_style.label(ax, noise.alphas[-1], on_train[-1], "training rows", BLUE)
_style.label(ax, noise.alphas[-1], on_fresh[-1], "new rows", ORANGE)
_style.label(ax, noise.alphas[-1], np.log(2), "log 2", "#777777")

# %%
# So the question is never whether to penalise, but how much. Here held-out rows give
# the right answer: as much as you can.

assert on_train[-1] < 0.01
assert on_fresh[-1] > 2 * np.log(2)
assert (np.diff(on_train) < 0).all()
assert on_fresh.min() > 0.98 * np.log(2)
right = (noise.predict(fresh, alpha=noise.alphas[-1], kind="class") == next_coin).mean()
print(f"classified correctly: {right:.0%} of the new rows")
assert 0.42 < right < 0.58

plt.show()
