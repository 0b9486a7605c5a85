"""
The L1 linear SVM
=================

A support vector machine asks for a margin instead of a probability. With the squared
hinge and an L1 penalty it selects features as the lasso does, and the whole path
costs what one fit costs elsewhere.
"""

# %%
# Two losses
# ----------
# Let the margin of a row be its label, +1 or -1, times its decision value. The
# squared hinge charges max(0, 1 - margin) squared (here the mean of one half of it):
# nothing at all for a row that is on its side by 1 or more. The logistic loss charges
# everyone, a little.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.svm import LinearSVC

import _style
import fastreg
from _style import BLUE, GREY, ORANGE

_style.apply()

margin = np.linspace(-2, 3, 300)
hinge, logistic = np.maximum(0, 1 - margin) ** 2, np.logaddexp(0, -margin)
figure, ax = plt.subplots(figsize=(5.4, 3))
ax.plot(margin, hinge, color=BLUE)
ax.plot(margin, logistic, color=ORANGE)
ax.step([-2, 0, 3], [1, 1, 0], color=GREY, lw=1, where="pre")
ax.set(xlabel="margin", ylabel="loss", ylim=(0, 4))
_style.label(ax, -0.75, 3.05, "squared hinge", BLUE)
_style.label(ax, -1.95, 2.45, "logistic", ORANGE, xytext=(0, 0))
_style.label(ax, -1.95, 0.75, "a wrong class", "#777777", xytext=(0, 0))
assert (hinge[margin >= 1] == 0).all()
assert (logistic > 0).all()

# %%
# A wide problem
# --------------
# 150 rows to train on, 1000 features, 10 of which decide. Both losses along their
# paths, on 2000 new rows.

data = fastreg.datasets.make_logistic(n=2150, p=1000, n_true=10, seed=2)
X, y = np.asfortranarray(data.X[:150]), data.y[:150]
fresh, truth = data.X[150:], data.y[150:]
svm = fastreg.squared_hinge_path(X, y, eps=0.02)
logit = fastreg.logistic_path(X, y, eps=0.02)
print(svm)

figure, (left, right) = plt.subplots(1, 2, figsize=(8.8, 3.4))
right_on = {}
for path, color, name in ((svm, BLUE, "squared hinge"), (logit, ORANGE, "logistic")):
    right_on[name] = (path.predict(fresh, kind="class") == truth[:, None]).mean(axis=0)
    left.plot(path.n_nonzero, right_on[name], color=color)
left.set(
    xlabel="features in the model",
    ylabel="accuracy on new rows",
    xlim=(0, 100),
    ylim=(0.66, 0.82),
)
_style.label(left, 45, 0.775, "squared hinge", BLUE)
_style.label(left, 45, 0.81, "logistic", ORANGE)

# %%
# Rows beyond the margin have no say in the solution: they could be left out and
# nothing would change. What remains are the support vectors. As alpha falls margins
# grow and fewer rows are left to support them.

signed = np.where(y == 1, 1, -1)[:, None] * svm.predict(X, kind="link")
supporting = (signed < 1).sum(axis=0)
right.plot(svm.alphas, supporting, color=BLUE)
right.plot(svm.alphas, svm.n_nonzero, color=GREY)
_style.along_alpha(right, svm.alphas, ticks=(0.2, 0.1, 0.05, 0.02, 0.01))
right.set(ylim=(0, None), xlim=(svm.alphas[0], svm.alphas[-1]))
_style.label(
    right, svm.alphas[45], supporting[45], "rows that support", BLUE, xytext=(0, 9)
)
_style.label(
    right, svm.alphas[60], svm.n_nonzero[60], "features", "#777777", xytext=(6, -8)
)

# %%
# To check "nothing would change", drop the others and fit again. The loss is a mean
# over rows, so alpha is rescaled by the rows that are left.

k = 60
keep = signed[:, k] < 1
again = fastreg.squared_hinge_path(
    X[keep], y[keep], alphas=[svm.alphas[k] * 150 / keep.sum()], tol=1e-10
)
difference = np.abs(again.coefs[:, 0] - svm.coefs[:, k]).max()
print(f"{150 - keep.sum()} rows dropped, coefficients differ by {difference:.1e}")
assert 150 - keep.sum() >= 10
assert difference < 1e-3 * np.abs(svm.coefs[:, k]).max()
assert supporting[-1] < supporting[0]
assert max(right_on["squared hinge"]) > max(right_on["logistic"]) - 0.02
assert max(right_on["squared hinge"]) > 0.7

# %%
# The same as LinearSVC
# ---------------------
# scikit-learn's ``LinearSVC(penalty="l1", dual=False)`` minimises the sum of squared
# hinges times C plus the L1 norm: C = 1 / (2 alpha n). It penalises the intercept
# like a weight, so we compare without one.

alpha = 0.05
ours = fastreg.squared_hinge_path(X, y, alphas=[alpha], fit_intercept=False, tol=1e-10)
C = 1 / (2 * alpha * 150)
theirs = LinearSVC(
    penalty="l1",
    dual=False,
    C=C,
    fit_intercept=False,
    tol=1e-8,
    max_iter=100_000,
    random_state=0,
)
theirs.fit(X, y)


def objective(coef):
    """Return half the mean squared hinge plus alpha times the sum of sizes."""
    miss = np.maximum(0, 1 - np.where(y == 1, 1, -1) * (X @ coef))
    return (miss**2).mean() / 2 + alpha * np.abs(coef).sum()


mine, other = objective(ours.coefs[:, 0]), objective(theirs.coef_[0])
print(f"objective: path {mine:.10f}, LinearSVC {other:.10f}")
print(f"features: {ours.n_nonzero[0]} and {np.count_nonzero(theirs.coef_)}")
assert mine <= other + 1e-12
assert abs(mine - other) < 1e-6

# %%
# Which one to take? If you need probabilities, the logistic path. If you only need
# the class, both do about equally well here, as they usually do.

plt.show()
