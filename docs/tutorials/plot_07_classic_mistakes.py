"""
Five classic mistakes, and how to mend them
===========================================

None of them raises an error. Each gives a model, a number and a picture, all wrong.
Here each is made on purpose, measured, and mended.
"""

# %%
# 1. Features in their own units
# ------------------------------
# The penalty compares coefficients, and a coefficient carries the unit of its
# feature: a length in kilometres needs a coefficient a million times that in
# millimetres, and pays for it. Below, one of 200 features is multiplied by a factor,
# which changes nothing about what it knows: first the strongest, then one of noise.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

import _style
import fastreg
from _style import BLUE, DARK, GREEN, GREY, ORANGE
from fastreg.estimators import SparseLogisticRegression

_style.apply()

data = fastreg.datasets.make_wide(n=300, p=200, n_true=8, snr=3.0, seed=0)
train, test = slice(0, 80), slice(80, None)
X, y = np.asfortranarray(data.X[train]), data.y[train]
strongest = int(np.abs(data.coef).argmax())
noise = int(np.flatnonzero(data.coef == 0)[3])
factors = 10.0 ** np.linspace(-2, 2, 9)


def place(feature, factor, standardize):
    """Return how many features enter the model before this one."""
    changed = X.copy(order="F")
    changed[:, feature] *= factor
    path = fastreg.lasso_path(
        changed, y, fit_intercept=True, standardize=standardize, eps=0.01
    )
    order = path.order_of_entry()
    return int(np.flatnonzero(order == feature)[0]) if feature in order else order.size


places = {
    (feature, way): [place(feature, factor, way) for factor in factors]
    for feature in (strongest, noise)
    for way in (False, True)
}
figure, ax = plt.subplots(figsize=(6.4, 3.4))
for (feature, way), values in places.items():
    ax.semilogx(
        factors,
        values,
        "o-" if feature == strongest else "o--",
        color=BLUE if way else ORANGE,
        ms=4,
    )
_style.label(
    ax,
    0.011,
    places[strongest, False][0],
    "strongest, as it comes",
    ORANGE,
    xytext=(0, 9),
)
_style.label(ax, 100, places[strongest, True][-1], "strongest", BLUE, xytext=(7, 5))
_style.label(
    ax, 100, places[noise, True][-1], "noise, standardize=True", BLUE, xytext=(7, 0)
)
_style.label(ax, 3.2, places[noise, False][5], "noise, as it comes", ORANGE)
ax.set(
    xlabel="factor on the feature",
    ylabel="features that enter before it",
    ylim=(-5, 106),
)

# %%
# In a small unit the strongest feature never enters; in a large one noise comes
# first. ``standardize=True`` penalises each coefficient in units of the spread of its
# feature, and returns it on the scale you gave. Leave it off when the scales mean
# something: pixels, counts of words, answers on one scale.

assert places[strongest, True] == [0] * 9
assert places[strongest, False][0] > 40
assert places[noise, False][-1] == 0
assert len(set(places[noise, True])) == 1
assert places[noise, True][0] > 10

# %%
# 2. Alpha by eye
# ---------------
# alpha = 1 is a default somewhere, 0.1 worked last time. But alpha has the unit of y
# times that of x: the same data in metres, centimetres and kilometres need alphas of
# a different size. The error below is relative to predicting the mean.

spread = ((data.y[test] - y.mean()) ** 2).mean()


def relative_error(unit, alpha):
    """Return the error on test rows, with y measured in another unit."""
    if alpha is None:
        found = fastreg.cv_path(X, y * unit, eps=0.01, alphas=50)
    else:
        found = fastreg.lasso_path(X, y * unit, fit_intercept=True, alphas=[alpha])
    predicted = found.predict(data.X[test], alpha=alpha) / unit
    return ((data.y[test] - predicted) ** 2).mean() / spread


units = 10.0 ** np.linspace(-2, 2, 9)
errors = {
    alpha: np.array([relative_error(unit, alpha) for unit in units])
    for alpha in (1.0, None)
}
figure, ax = plt.subplots(figsize=(6.2, 3))
for alpha, color, name in ((1.0, ORANGE, "alpha = 1"), (None, BLUE, "cv_path")):
    ax.semilogx(units, errors[alpha], "o-", color=color, ms=4)
    _style.label(ax, units[-1], errors[alpha][-1], name, color)
ax.set(xlabel="factor on y", ylabel="error relative to the mean's", ylim=(0, 1.1))

# %%
# An alpha by eye is right for one unit, empty for small ones (every coefficient zero)
# and overfitted for large ones. Cross-validation does not see units: its grid starts
# at alpha_max of the data at hand.

assert np.ptp(errors[None]) < 1e-6
assert errors[1.0][0] > 0.99
assert errors[1.0][-1] > 1.1 * errors[None][-1]
assert errors[1.0].min() < 1.05 * errors[None][0]

# %%
# 3. Looking at the test rows: scaling and screening outside the folds
# --------------------------------------------------------------------
# Whatever is learned from data belongs inside the folds: means and spreads, and above
# all the choice of features. How bad is it? We cross-validate on labels that are coin
# tosses, 50 rows and 1000 features, where an honest accuracy is one half.
#
# * screening outside: keep the 20 features that differ most between the classes,
#   *then* cross-validate;
# * scaling outside: standardise with all rows, then cross-validate;
# * inside: both are steps of a pipeline, fitted anew on the training rows of each fold.

DRAWS, KEPT = 12, 20
accuracies = {"screened outside": [], "scaled outside": [], "all inside": []}
model = SparseLogisticRegression(alpha=0.05, standardize=True)
for seed in range(DRAWS):
    rng = np.random.default_rng(seed)
    blind = rng.lognormal(size=(50, 1000))
    coin = np.repeat([0, 1], 25)[rng.permutation(50)]
    screened = SelectKBest(f_classif, k=KEPT).fit_transform(blind, coin)
    scaled = (blind - blind.mean(axis=0)) / blind.std(axis=0)
    inside = make_pipeline(SelectKBest(f_classif, k=KEPT), model)
    plain = make_pipeline(
        SelectKBest(f_classif, k=KEPT), SparseLogisticRegression(alpha=0.05)
    )
    accuracies["screened outside"].append(
        cross_val_score(model, screened, coin, cv=5).mean()
    )
    accuracies["scaled outside"].append(
        cross_val_score(plain, scaled, coin, cv=5).mean()
    )
    accuracies["all inside"].append(cross_val_score(inside, blind, coin, cv=5).mean())

figure, ax = plt.subplots(figsize=(6.4, 2.4))
for row, (name, color) in enumerate(
    zip(accuracies, (ORANGE, GREEN, BLUE), strict=True)
):
    ax.plot(accuracies[name], np.full(DRAWS, -row), "o", color=color, ms=5, alpha=0.6)
    ax.plot(np.mean(accuracies[name]), -row, "|", color=DARK, ms=18, mew=2)
ax.axvline(0.5, color=GREY, lw=0.8, zorder=0)
ax.set(
    xlim=(0.2, 1),
    ylim=(-2.5, 0.5),
    xlabel=f"cross-validated accuracy, {DRAWS} draws of coin tosses",
)
ax.set_yticks([0, -1, -2], list(accuracies))
ax.tick_params(axis="y", length=0)

# %%
# Screening outside the folds turns coin tosses into a paper. Scaling outside is a sin
# of the same kind and a far smaller one: it leaks two numbers per feature, without
# looking at y, and here it cannot be told from the honest result. Keep it inside all
# the same, since it costs nothing: ``cv_path(..., standardize=True)`` scales by the
# training rows of each fold, and a scaler in a pipeline does so too.

means = {name: np.mean(values) for name, values in accuracies.items()}
print({name: round(float(value), 3) for name, value in means.items()})
assert means["screened outside"] > 0.75
assert abs(means["all inside"] - 0.5) < 0.08
assert abs(means["scaled outside"] - means["all inside"]) < 0.08

# %%
# 4. Over-regularisation: shrunken coefficients read as effects
# -------------------------------------------------------------
# A penalty that is strong enough to keep noise out also shrinks what is let in. The
# lasso at ``alpha_1se`` is a good list of features and a poor list of effects.

found = fastreg.cv_path(X, y, eps=0.01)
alpha = found.alpha_1se
chosen = found.path.selected(alpha)
k = found.k_1se
effects = {
    "lasso at alpha_1se": found.path.coefs[:, k],
    "refitted": found.path.refit().coefs[:, k],
}

figure, ax = plt.subplots(figsize=(5, 3.8))
limits = np.array([-1.1, 1.1]) * np.abs(data.coef).max()
ax.plot(limits, limits, color=GREY, lw=0.8)
for (name, coef), color in zip(effects.items(), (ORANGE, BLUE), strict=True):
    ax.plot(data.coef[chosen], coef[chosen], "o", color=color, ms=5, label=name)
ax.legend(loc="upper left")
ax.axhline(0, color=DARK, lw=0.6)
_style.label(ax, limits[1], limits[1], "right", "#777777", xytext=(4, 0))
ax.set(
    xlabel="true effect",
    ylabel="estimated effect",
    title=f"the {chosen.size} features of alpha_1se",
)

# %%
# The refit has no penalty on the chosen features and is on the line, for the true
# ones. A warning that goes with it: features chosen *because* they looked large on
# these rows still look too large on them. For honest intervals, choose and estimate
# on different rows.

true = chosen[data.coef[chosen] != 0]
slopes = {
    name: coef[true] @ data.coef[true] / (data.coef[true] @ data.coef[true])
    for name, coef in effects.items()
}
print({name: round(float(slope), 2) for name, slope in slopes.items()})
assert true.size >= 3
assert slopes["lasso at alpha_1se"] < 0.85
assert 0.9 < slopes["refitted"] < 1.15

# %%
# 5. One selection, reported as the selection
# -------------------------------------------
# "The lasso selected these features." It selected them on these rows. Ask again on
# half of the rows, twenty times, with alpha by cross-validation each time.

rng = np.random.default_rng(0)
counts = np.zeros(200)
for _ in range(20):
    half = rng.permutation(80)[:40]
    by_half = fastreg.cv_path(X[half], y[half], cv=5, alphas=50, eps=0.02)
    counts[by_half.selected] += 1 / 20
full = found.path.selected(found.alpha_min)
stable = fastreg.stability_selection(X, y, pairs=50, max_false=1.0, threshold=0.75)

order = full[np.argsort(-counts[full], kind="stable")]
figure, ax = plt.subplots(figsize=(7.6, 3.2))
colors = [BLUE if data.coef[j] != 0 else GREY for j in order]
ax.bar(np.arange(order.size), counts[order], color=colors)
is_stable = np.isin(order, stable.selected)
ax.plot(
    np.flatnonzero(is_stable),
    np.full(is_stable.sum(), 1.06),
    "v",
    color=DARK,
    ms=5,
    clip_on=False,
)
_style.label(ax, is_stable.sum() - 0.6, 1.06, "stable", DARK)
ax.set(
    xlabel=f"the {order.size} features that cross-validation selects on all rows",
    xticks=[],
    ylim=(0, 1.1),
)
ax.set_ylabel("share of halves\nthat select it")
_style.label(ax, 0.62 * order.size, 0.75, "true feature", BLUE)
_style.label(ax, 0.62 * order.size, 0.65, "noise", "#888888")

# %%
# Most of the list does not come back. Stability selection makes this repetition the
# method: features count that many halves choose among their first few, and the
# expected number of false ones has a bound.

print(stable)
share_true = {
    "cv": np.mean(data.coef[full] != 0),
    "stable": np.mean(data.coef[stable.selected] != 0),
}
print({name: f"{share:.0%} true features" for name, share in share_true.items()})
assert share_true["cv"] < 0.5
assert share_true["stable"] == 1.0
assert stable.max_false <= 1.0
assert np.median(counts[full]) < 0.5

plt.show()
