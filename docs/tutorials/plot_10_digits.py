"""
Digits: one path for ten classes
================================

Multinomial regression on images of handwritten digits: ten weights per pixel, and a
choice between making each weight pay for itself or each pixel for all its ten.
"""

# %%
# 1797 images of 8 x 8 pixels, built into scikit-learn. 600 train, the rest test.

# sphinx_gallery_thumbnail_number = 2
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import _style
import fastreg
from _style import BLUE, DARK, ORANGE

_style.apply()

digits = load_digits()
order = np.random.default_rng(0).permutation(len(digits.target))
train, test = order[:600], order[600:]
X, y = np.asfortranarray(digits.data / 16), digits.target

each = fastreg.multinomial_path(X[train], y[train], alphas=40, eps=0.003)
grouped = fastreg.multinomial_path(
    X[train], y[train], grouped=True, alphas=40, eps=0.003
)
print(each)
print(grouped)

# %%
# How many weights, how many pixels
# ---------------------------------
# The plain penalty counts weights: a pixel may speak for the 3 and be silent on the
# other nine. The grouped one counts pixels: a pixel is bought once, for all classes.
# If pixels cost something (sensors, assays, questions in a form), the second is the
# honest price.

figure, (left, right) = plt.subplots(1, 2, figsize=(8.8, 3.4), sharey=True)
results = {"each weight pays": (each, BLUE), "a pixel pays once": (grouped, ORANGE)}
error, pixels, weights = {}, {}, {}
for name, (path, color) in results.items():
    error[name] = (path.predict(X[test], kind="class") != y[test, None]).mean(axis=0)
    pixels[name] = (path.coefs != 0).any(axis=0).sum(axis=0)
    weights[name] = (path.coefs != 0).sum(axis=(0, 1))
    left.plot(weights[name], error[name], color=color)
    right.plot(pixels[name], error[name], color=color)
_style.label(right, 19.5, 0.36, "each weight pays", BLUE)
_style.label(right, 0, 0.06, "a pixel pays once", ORANGE)
left.set(
    xlabel="weights that are not zero",
    ylabel="error on 1197 test images",
    ylim=(0, 0.6),
)
right.set(xlabel="pixels in use")

# %%
# Counted in weights the plain penalty is the thriftier one, counted in pixels the
# grouped one. Neither is better; they answer different questions.


def error_within(name, counts, budget):
    """Return the least error of a path's models within a budget."""
    return error[name][counts[name] <= budget].min()


plain, by_pixel = results
for counts, budget, unit in ((weights, 100, "weights"), (pixels, 20, "pixels")):
    errors = [f"{error_within(name, counts, budget):.3f} ({name})" for name in results]
    print(f"at most {budget} {unit}:", ", ".join(errors))
assert error_within(plain, weights, 100) < error_within(by_pixel, weights, 100)
assert error_within(by_pixel, pixels, 20) < error_within(plain, pixels, 20)
assert min(error[plain].min(), error[by_pixel].min()) < 0.06

# %%
# Look at the weights
# -------------------
# Each tile is a class, each pixel its weight: orange speaks for the digit, purple
# against it, white is an exact zero.

at = int(np.argmax(error[plain] <= error[plain].min() + 0.01))
tiles = each.coefs[:, :, at].reshape(10, 8, 8)
limit = 0.7 * np.abs(tiles).max()
figure, axes = plt.subplots(2, 5, figsize=(7.6, 3.5))
for digit, ax in enumerate(axes.flat):
    ax.imshow(tiles[digit], cmap="PuOr_r", vmin=-limit, vmax=limit)
    ax.set(xticks=[], yticks=[])
    ax.set_title(f"{digit}: {np.count_nonzero(tiles[digit])} weights", fontsize=9)
    ax.spines[:].set(visible=True, linewidth=0.6)
figure.suptitle(
    f"{error[plain][at]:.1%} of the test images wrong", x=0.01, ha="left", fontsize=10
)

# %%
# Zero digits have no ink in the middle: that is the strongest purple of tile 0. Every
# class needs its own few pixels; no class needs all of them.

middle = tiles[0][3:5, 3:5]
assert middle.min() == tiles[0].min()
assert (np.count_nonzero(tiles.reshape(10, -1), axis=1) <= 32).all()
assert error[plain][at] < 0.07

# %%
# Sparse weights are not unique decoration: every alpha has its certificate, for both
# penalties.

assert each.relative_gaps.max() < 1e-6
assert grouped.relative_gaps.max() < 1e-6
probabilities = each.predict(X[test], alpha=each.alphas[at])
np.testing.assert_allclose(probabilities.sum(axis=1), 1)

# %%
# Where the model is unsure it has reason to be: on images it gets wrong its highest
# probability is far lower than on the others. Below, the eight errors it was most
# sure of.

sure = probabilities.max(axis=1)
wrong = probabilities.argmax(axis=1) != y[test]
worst = np.flatnonzero(wrong)[np.argsort(-sure[wrong])][:8]
figure, axes = plt.subplots(1, 8, figsize=(8.4, 1.5))
for ax, i in zip(axes, worst, strict=True):
    ax.imshow(digits.images[test[i]], cmap="gray_r")
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set(visible=True, linewidth=0.6)
    ax.set_title(
        f"{y[test[i]]}, read as {probabilities[i].argmax()}", fontsize=8, color=DARK
    )
assert np.median(sure[wrong]) < np.median(sure[~wrong]) - 0.2

plt.show()
