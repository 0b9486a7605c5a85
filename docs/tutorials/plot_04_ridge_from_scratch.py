"""
Ridge from scratch
==================

Three ways to the same two numbers: gradient descent, the closed form, and
``fastreg.ridge_path``. On the way: what the penalty does to descent, and why the
intercept is left alone.
"""

# %%
# A line and some noise
# ---------------------
# 100 points of y = 3 x + 2 plus noise.

import matplotlib.pyplot as plt
import numpy as np

import _style
import fastreg
from _style import BLUE, DARK, GREEN, GREY, ORANGE

_style.apply()
rng = np.random.default_rng(1)

n = 100
x = rng.uniform(-1, 1, n)
y = 3 * x + 2 + 0.7 * rng.standard_normal(n)
alpha = 0.1

# %%
# What is minimised
# -----------------
# Half the mean squared error, and half alpha times the square of the slope::
#
#     J(w, b) = mean_i (y_i - w x_i - b)^2 / 2 + alpha * w^2 / 2
#
# The intercept b carries no penalty: shifting y by a constant should shift the
# predictions and change nothing else. Mind the scale when you compare tools. With the
# mean in front, alpha does not depend on the number of rows; scikit-learn's ``Ridge``
# takes the sum, so its alpha is n times this one.


def cost(w, b):
    """Return J."""
    return ((y - w * x - b) ** 2).mean() / 2 + alpha / 2 * w**2


def slopes(w, b):
    """Return the derivatives of J with respect to w and b."""
    residual = y - w * x - b
    return -(x * residual).mean() + alpha * w, -residual.mean()


# %%
# One: gradient descent
# ---------------------
# Derivatives first checked against differences, which catches most mistakes anyone
# makes here.

h = 1e-6
by_differences = (
    (cost(1 + h, 1) - cost(1 - h, 1)) / (2 * h),
    (cost(1, 1 + h) - cost(1, 1 - h)) / (2 * h),
)
np.testing.assert_allclose(slopes(1, 1), by_differences, rtol=1e-6)

w = b = 0.0
STEP = 0.5
course = [(w, b)]
for _ in range(200):
    down_w, down_b = slopes(w, b)
    w, b = w - STEP * down_w, b - STEP * down_b
    course.append((w, b))
costs = np.array([cost(*point) for point in course])

# %%
# Two: the closed form
# --------------------
# Set both derivatives to zero. Centring x and y removes the intercept from the
# equations, and what is left is one division; with p features it is the system (X'X /
# n + alpha I) w = X'y / n.

xc, yc = x - x.mean(), y - y.mean()
w_exact = (xc @ yc / n) / (xc @ xc / n + alpha)
b_exact = y.mean() - w_exact * x.mean()

# %%
# Three: the path
# ---------------
# All alphas in one call, from one factorisation of the design.

path = fastreg.ridge_path(x[:, None], y, alphas=np.geomspace(100, 1e-3, 100))
w_path, b_path = fastreg.ridge_path(x[:, None], y, alphas=[alpha]).coef_at(alpha)

print(f"descent      w = {w:.8f}  b = {b:.8f}")
print(f"closed form  w = {w_exact:.8f}  b = {b_exact:.8f}")
print(f"ridge_path   w = {w_path[0]:.8f}  b = {b_path:.8f}")
np.testing.assert_allclose([w, b], [w_exact, b_exact], rtol=1e-8)
np.testing.assert_allclose([w_path[0], b_path], [w_exact, b_exact], rtol=1e-10)

# %%
# The picture
# -----------

excess = costs - cost(w_exact, b_exact)
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(10, 3.3))
left.plot(x, y, ".", color=GREY, ms=4)
ends = np.array([-1, 1])
bare = np.polyfit(x, y, 1)
left.plot(ends, np.polyval(bare, ends), color=DARK, lw=1)
left.plot(ends, w_exact * ends + b_exact, color=BLUE)
left.set(title="the fit", xlabel="x", ylabel="y", xlim=(-1, 1))
_style.label(left, 1, np.polyval(bare, 1), "none", DARK, xytext=(3, 4))
_style.label(left, 1, w_exact + b_exact, "ridge", BLUE, xytext=(3, -4))
middle.semilogy(excess[:50], color=ORANGE)
middle.set(title="cost above the optimum", xlabel="step of gradient descent")
right.plot(path.alphas, path.coefs[0], color=BLUE)
right.plot(path.alphas, path.intercepts, color=GREEN)
right.plot(alpha, w_exact, "o", color=BLUE)
right.plot(alpha, b_exact, "o", color=GREEN)
right.axhline(y.mean(), color=GREY, lw=0.8, zorder=0)
_style.along_alpha(right, path.alphas, ticks=(100, 1, 0.01))
right.set_title("the path: slope and intercept")
_style.label(right, path.alphas[-1], path.coefs[0, -1], "w", BLUE)
_style.label(right, path.alphas[-1], path.intercepts[-1], "b", GREEN)

# %%
# The cost falls on a straight line in this scale: each step removes the same share of
# what is left. The share depends on the curvature, and the penalty adds alpha to it,
# so ridge is easier to descend on than plain least squares.
#
# On the right: the slope goes to zero as alpha grows, and the intercept to the mean
# of y, not to zero.

assert (np.diff(costs[:40]) < 0).all()
steepness = np.diff(np.log(excess[5:40]))
assert steepness.max() < -0.05
assert steepness.std() < 0.2 * abs(steepness.mean())
assert abs(path.coefs[0, 0]) < 0.02
assert abs(path.intercepts[0] - y.mean()) < 0.02
assert (np.diff(path.coefs[0]) > 0).all()
assert w_exact < bare[0]

plt.show()
