"""
Choosing genes: from a wide matrix to a report
==============================================

3000 genes, 120 samples, one trait. The whole way: a path, cross-validation, the
one-standard-error rule, how stable the choice is, a refit, and a page to hand on.
"""

# %%
# The data
# --------
# Simulated, so that the truth is known and nothing is downloaded: neighbouring genes
# are correlated (0.7), and ten drive the trait. 120 samples are for us; another 80
# are locked away until the end.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import _style
import fastreg
from _style import BLUE, DARK, GREY, ORANGE

_style.apply()

data = fastreg.datasets.make_correlated(
    n=200, p=3000, n_true=10, rho=0.7, snr=5.0, seed=1
)
genes = [f"gene{j}" for j in range(3000)]
X, y = np.asfortranarray(data.X[:120]), data.y[:120]
X_later, y_later = data.X[120:], data.y[120:]
true = set(data.true_features.tolist())

# %%
# The path
# --------
# One call, a hundred models, each with a proof of how far from optimal it can be.

path = fastreg.lasso_path(X, y, fit_intercept=True, eps=0.02, feature_names=genes)
print(path)
path.plot(labels=8)
assert path.relative_gaps.max() < 1e-7
assert set(path.order_of_entry()[:3].tolist()) <= true

# %%
# Which alpha predicts
# --------------------
# Ten folds. The rows of a fold are left out by weights of zero: X is in memory once.

cv = fastreg.cv_path(X, y, cv=10, eps=0.02, feature_names=genes)
print(cv.summary_table(rows=4))
cv.plot()

# %%
# The minimum is flat: anything between the two lines predicts about as well. The
# one-standard-error rule takes the simplest model that cannot be told from the best.
# It loses a little and drops most of the genes.

at_min, at_1se = (
    set(cv.path.selected(alpha).tolist()) for alpha in (cv.alpha_min, cv.alpha_1se)
)
for name, picked in (("alpha_min", at_min), ("alpha_1se", at_1se)):
    print(f"{name}: {len(picked)} genes, {len(picked & true)} of them true")
assert len(at_1se) < 0.5 * len(at_min)
assert len(at_1se & true) / len(at_1se) > len(at_min & true) / len(at_min)
assert cv.mean[cv.k_1se] <= cv.mean[cv.k_min] + cv.se[cv.k_min]

# %%
# Zero by proof, not by stopping early
# ------------------------------------
# Is a gene with coefficient zero really out, or had the solver not come to it yet? At
# a given alpha the duality gap decides: most genes are proven zero in every optimal
# solution, those in the model proven active.

support = path.support(alpha=cv.alpha_1se)
counts = {
    word: sum(w == word for w in support.words())
    for word in ("zero", "active", "undecided")
}
print(counts)
assert counts["active"] == len(at_1se)
assert counts["undecided"] == 0

# %%
# How stable is the list
# ----------------------
# Fifty times the samples are split into two halves; on each half the first genes to
# enter count. A gene is stable if enough of the hundred halves agree.

stable = fastreg.stability_selection(X, y, pairs=50, feature_names=genes)
print(stable)
print(stable.summary_table(rows=6))
stable.plot()

# %%
# Read the three lists together. Stable genes are safe to name. Those at ``alpha_1se``
# are worth a look. The rest of ``alpha_min`` helps to predict and is mostly company.

chosen = set(stable.selected.tolist())
probabilities = stable.probabilities
order = np.argsort(-probabilities, kind="stable")[:30]
figure, ax = plt.subplots(figsize=(7.6, 3.4))
colors = [BLUE if j in true else GREY for j in order]
ax.bar(np.arange(30), probabilities[order], color=colors)
ax.axhline(stable.threshold, color=DARK, lw=0.8, ls="--")
_style.label(ax, 29.5, stable.threshold, "threshold", DARK)
for place, j in enumerate(order):
    marks = ("1" if j in at_1se else "") + ("m" if j in at_min else "")
    above = {"xytext": (0, 6), "ha": "center", "fontsize": 8}
    _style.label(ax, place, probabilities[j], marks, ORANGE, **above)
ax.set_xticks(np.arange(30), [genes[j] for j in order], rotation=90, fontsize=7)
ax.set(ylabel="selection probability", ylim=(0, 1.1), xlim=(-0.7, 29.7))
_style.label(ax, 18, 0.96, "blue: true genes", BLUE)
_style.label(ax, 18, 0.87, "m, 1: in the model at alpha_min, alpha_1se", ORANGE)
assert chosen
assert chosen <= true
assert stable.max_false < 1.0

# %%
# Some grey bars are tall because they stand beside a true gene: at a correlation of
# 0.7 a neighbour passes for the gene itself on many halves. A list of genes is often
# a list of neighbourhoods.

tall = [j for j in order if j not in true]
near = [j for j in tall if min(abs(j - t) for t in true) <= 3]
by_chance = np.mean(
    [min(abs(j - t) for t in true) <= 3 for j in range(3000) if j not in true]
)
print(f"{len(near)} of {len(tall)} false genes lie within 3 of a true one")
print(f"by chance {by_chance:.1%} would")
assert len(near) / len(tall) > 5 * by_chance

# %%
# Effects without shrinkage
# -------------------------
# Now the effects. The lasso's are shrunk; the relaxed path takes the penalty back on
# the chosen genes.

refit = cv.path.refit()
models = {
    "lasso, alpha_min": cv.path.coef_at(cv.alpha_min),
    "lasso, alpha_1se": cv.path.coef_at(cv.alpha_1se),
    "refit, alpha_1se": refit.coef_at(cv.alpha_1se),
}


def error_later(coef, intercept):
    """Return the error on the locked samples, relative to predicting the mean."""
    missed = y_later - intercept - X_later @ coef
    return (missed**2).mean() / ((y_later - y.mean()) ** 2).mean()


later = {name: error_later(*model) for name, model in models.items()}
for name, error in later.items():
    size = np.count_nonzero(models[name][0])
    print(f"{name:17} {size:3d} genes, {1 - error:.0%} of the variance explained later")
assert max(later.values()) < 0.6
assert later["refit, alpha_1se"] < later["lasso, alpha_1se"]

# %%
# Eight genes and a refit predict new samples better than thirty shrunken ones: what
# ``alpha_min`` gains over ``alpha_1se`` is mostly less shrinkage, paid for in noise.
# Ask the folds themselves: ``cv_path`` with ``relax=True`` chooses the amount of
# relaxation too.

relaxed = fastreg.cv_path(X, y, cv=10, eps=0.02, relax=True)
print(f"relaxed: gamma {relaxed.gamma:g}, {relaxed.selected.size} genes")
assert later["refit, alpha_1se"] < later["lasso, alpha_min"]
assert relaxed.selected.size < cv.path.selected(cv.alpha_min).size
assert relaxed.gamma < 1

# %%
# A page to hand on
# -----------------
# One file, no network: the path with a slider over alpha, the cross-validation, the
# probabilities, the certificates and the record of the run.

with tempfile.TemporaryDirectory() as folder:
    page = Path(folder) / "genes.html"
    path.to_html(page, title="Ten genes out of 3000", cv=cv, stability=stable)
    size = page.stat().st_size
    text = page.read_text(encoding="utf-8")
print(f"{size / 1e6:.2f} MB")
assert size < 2e6
assert all(genes[j] in text for j in chosen)

plt.show()
