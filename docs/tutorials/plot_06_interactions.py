"""
Interactions: a wide matrix from a small one
============================================

Thirty features have 435 pairs. Writing all products out turns a tall problem into a
wide one, and a path finds the few that matter, if two details are right: centring,
and what is penalised.
"""

# %%
# From 30 columns to 465
# ----------------------
# 200 rows. The features are concentrations, all positive. The response depends on two
# of them, on the product of one of these with a third, and on the product of two that
# do nothing alone.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

import _style
import fastreg
from _style import BLUE, DARK, GREY, ORANGE

_style.apply()
rng = np.random.default_rng(0)

n, m = 200, 30
raw = rng.uniform(2, 6, (n, m))
centred = StandardScaler().fit_transform(raw)
a, b, c, d, e = centred[:, [3, 7, 11, 20, 21]].T
y = a - b + 0.8 * a * c + 0.8 * d * e + rng.standard_normal(n)
TRUE = {"x3", "x7", "x3 x11", "x20 x21"}

products = PolynomialFeatures(degree=2, interaction_only=True, include_bias=False)
X = products.fit_transform(centred)
names = products.get_feature_names_out([f"x{j}" for j in range(m)])
print(f"{m} features become {X.shape[1]}")

path = fastreg.lasso_path(
    X, y, fit_intercept=True, standardize=True, feature_names=names, eps=0.02
)
first = [str(names[j]) for j in path.order_of_entry()[:4]]
print("first to enter:", first)

# %%
# ``path.plot()`` names the largest at the edge; the numbers on top count the features
# in the model.

path.plot(labels=6)
assert set(first) == TRUE

# %%
# The lasso needs no hierarchy to find x20 x21, whose factors do nothing alone: a
# search that first screens single features would never have built that product.

screened = np.argsort(-np.abs(centred.T @ (y - y.mean())))[:10]
print("the ten best single features:", sorted(screened.tolist()))
assert 20 not in screened

# %%
# Centre first, multiply then
# ---------------------------
# The product of two positive features is mostly the sum of its factors: its
# correlation with them is high, and the lasso cannot tell effect from interaction.
# Products of centred features do not have that problem.

uncentred = products.fit_transform(raw)
pair = int(np.flatnonzero(names == "x3 x11")[0])
correlation = {
    name: abs(np.corrcoef(matrix[:, pair], matrix[:, 3])[0, 1])
    for name, matrix in (("centred first", X), ("raw products", uncentred))
}


def hits_along(matrix):
    """Return, for models of 1 to 15 features, how many of them are true."""
    path = fastreg.lasso_path(matrix, y, fit_intercept=True, standardize=True, eps=0.02)
    true = np.isin(names[path.order_of_entry()], list(TRUE))
    return np.cumsum(true)[:15]


hits = {"centred first": hits_along(X), "raw products": hits_along(uncentred)}
figure, ax = plt.subplots(figsize=(6.4, 3.2))
for (name, found), color in zip(hits.items(), (BLUE, ORANGE), strict=True):
    ax.step(np.arange(1, 16), found, where="mid", color=color)
    _style.label(
        ax, 15.4, found[-1], f"{name}\n(correlation {correlation[name]:.2f})", color
    )
ax.plot([0.5, 4], [0.5, 4], color=GREY, lw=0.8, zorder=0)
ax.set(
    xlabel="features that have entered",
    ylabel="of the four true ones",
    ylim=(0, 4.4),
    yticks=range(5),
    xlim=(0.5, 15.5),
)

# %%
# Same information, same solver, same y: only the coordinates differ. In those of the
# raw products the same function takes three features more, x11, x20 and x21, to
# cancel what each product carries of its factors.

assert correlation["centred first"] < 0.2 < 0.6 < correlation["raw products"]
assert hits["centred first"][3] == 4
assert hits["raw products"][3] < 4

# %%
# What is penalised
# -----------------
# If single features deserve the benefit of the doubt, say so: ``penalty_factor`` is 1
# for products and less for single features (0 would leave all 30 in, always). Here a
# third. Products must then earn their place against three times the toll.

factor = np.where(np.char.find(names.astype(str), " ") >= 0, 1.0, 1 / 3)
favoured = fastreg.lasso_path(
    X,
    y,
    fit_intercept=True,
    standardize=True,
    penalty_factor=factor,
    feature_names=names,
    eps=0.02,
)
is_product = factor == 1.0
figure, ax = plt.subplots(figsize=(6.4, 3.2))
for result, style, name in (
    (path, ":", "equal penalties"),
    (favoured, "-", "single features favoured"),
):
    entered = result.coefs != 0
    ax.plot(result.n_nonzero, entered[is_product].sum(axis=0), style, color=BLUE)
    ax.plot(result.n_nonzero, entered[~is_product].sum(axis=0), style, color=ORANGE)
    ax.plot([], [], style, color=DARK, label=name)
ax.legend(loc="upper left")
ax.set(
    xlabel="features in the model", ylabel="of that kind", xlim=(0, 60), ylim=(0, 55)
)
_style.label(ax, 49, 44, "products", BLUE, xytext=(0, -10))
_style.label(ax, 49, 12, "single", ORANGE, xytext=(0, -14))

# %%
# The favoured model of ten features has more single ones, and both true singles come
# before any product.

order = favoured.order_of_entry()
assert {str(name) for name in names[order[:2]]} == {"x3", "x7"}
ten = [int(np.flatnonzero(result.n_nonzero >= 10)[0]) for result in (path, favoured)]
singles = [
    int((r.coefs[~is_product, k] != 0).sum())
    for r, k in zip((path, favoured), ten, strict=True)
]
assert singles[1] > singles[0]

plt.show()
