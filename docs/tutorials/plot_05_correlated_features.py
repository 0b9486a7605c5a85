"""
Correlated features: who keeps a group, who picks one
=====================================================

Genes of one pathway, neighbouring sensors, three spellings of one question: features
come in groups that say nearly the same. Lasso, ridge and elastic net predict about
equally well from them and tell different stories.
"""

# %%
# One signal, five witnesses
# --------------------------
# Five features are noisy copies of one hidden signal, with correlations above 0.99. A
# sixth is on its own. Forty more are noise. The response is the hidden signal plus
# the sixth feature.

import matplotlib.pyplot as plt
import numpy as np

import _style
import fastreg
from _style import BLUE, DARK, GREY, ORANGE

_style.apply()
rng = np.random.default_rng(4)

n, GROUP, ALONE = 80, np.arange(5), 5


def draw(rng):
    """Return features and response."""
    hidden = rng.standard_normal((n, 1))
    X = np.hstack(
        [hidden + 0.08 * rng.standard_normal((n, 5)), rng.standard_normal((n, 41))]
    )
    return X, 2 * hidden[:, 0] + X[:, ALONE] + rng.standard_normal(n)


X, y = draw(rng)
print("correlations in the group:", np.corrcoef(X[:, GROUP].T)[0, 1:].round(3))

# %%
# Three paths. The dotted line marks where each explains 70 % of the variance.

paths = {
    "lasso": fastreg.lasso_path(X, y, fit_intercept=True, eps=0.01),
    "elastic net, l1_ratio 0.3": fastreg.enet_path(
        X, y, l1_ratio=0.3, fit_intercept=True, eps=0.01
    ),
    "ridge": fastreg.ridge_path(X, y, alphas=np.geomspace(30, 0.03, 100)),
}
at = {name: int(np.searchsorted(path.dev_ratio, 0.7)) for name, path in paths.items()}

figure, axes = plt.subplots(1, 3, figsize=(9.6, 3.5), sharey=True)
for ax, (name, path) in zip(axes, paths.items(), strict=True):
    for j in range(46)[::-1]:
        color = BLUE if j in GROUP else ORANGE if j == ALONE else GREY
        ax.plot(
            path.alphas, path.coefs[j], color=color, lw=0.6 if color == GREY else 1.4
        )
    ax.axvline(path.alphas[at[name]], color=DARK, lw=0.8, ls=":")
    _style.along_alpha(ax, path.alphas)
    ax.set_title(name)
axes[0].set_ylabel("coefficient")
_style.label(
    axes[2], paths["ridge"].alphas[-1], paths["ridge"].coefs[ALONE, -1], "alone", ORANGE
)
_style.label(
    axes[2],
    paths["ridge"].alphas[-1],
    np.median(paths["ridge"].coefs[GROUP, -1]),
    "group",
    BLUE,
)

# %%
# The lasso lets one or two witnesses speak for all. Ridge gives every one its share,
# and every noise feature a little too. The elastic net does both jobs: it keeps the
# group together and still leaves most noise out.

coefs = {name: path.coefs[:, at[name]] for name, path in paths.items()}
for name, coef in coefs.items():
    share = np.abs(coef[GROUP]).max() / np.abs(coef[GROUP]).sum()
    group, noise = np.count_nonzero(coef[GROUP]), np.count_nonzero(coef[6:])
    print(
        f"{name:27} {group} of the group, largest share {share:.0%}; {noise} of noise"
    )
assert np.sum(coefs["lasso"][GROUP] != 0) <= 3
assert (coefs["elastic net, l1_ratio 0.3"][GROUP] > 0.1).all()
assert np.sum(coefs["elastic net, l1_ratio 0.3"][6:] != 0) < 25
assert (coefs["ridge"] != 0).all()
assert np.ptp(coefs["ridge"][GROUP]) < 0.2 * coefs["ridge"][GROUP].mean()

# %%
# Which witness is chance
# -----------------------
# Draw the data again thirty times and let each method choose at the same place.

TIMES = 30
chosen = np.zeros((2, TIMES, 46), dtype=bool)
for time in range(TIMES):
    again = draw(rng)
    for i, l1_ratio in enumerate((1.0, 0.3)):
        path = fastreg.enet_path(
            *again, l1_ratio=l1_ratio, fit_intercept=True, eps=0.01
        )
        chosen[i, time] = path.coefs[:, np.searchsorted(path.dev_ratio, 0.7)] != 0

figure, axes = plt.subplots(2, 1, figsize=(7.2, 3.6), sharex=True)
for ax, kept, name in zip(axes, chosen, ("lasso", "elastic net"), strict=True):
    shares = kept.mean(axis=0)
    ax.bar(np.arange(46), shares, color=[BLUE] * 5 + [ORANGE] + [GREY] * 40)
    ax.set(
        ylim=(0, 1.05),
        yticks=[0, 0.5, 1],
        title=f"{name}: share of {TIMES} draws that keep a feature",
    )
axes[1].set_xlabel("feature: the group, the one alone, noise")

# %%
# The lasso always hears the group, but never the same members: each alone is in a
# quarter to a half of the draws. Read as "feature 3 does not matter", that would be
# wrong; read as "one of these five is enough", it is right. If the members themselves
# are the question, use the elastic net, or look at selection frequencies of whole
# groups.

lasso, enet = chosen
assert lasso[:, GROUP].any(axis=1).all()
assert lasso[:, GROUP].mean(axis=0).max() < 0.6
assert lasso[:, GROUP].mean(axis=0).min() > 0.15
assert enet[:, GROUP].mean() > 0.97
assert enet[:, ALONE].mean() > 0.9

# %%
# When the lasso must fail
# ------------------------
# Correlation inside a true group costs interpretation. Correlation between true and
# false features can cost the selection itself, whatever the number of rows. Zhao and
# Yu (2006) give the condition: regress the false feature on the true ones; if the
# coefficients, with the signs of the true weights, sum to more than 1, the lasso
# takes the false one first.
#
# Here x3 = c x1 + c x2 + noise, and y = 2 x1 + 3 x2 + noise: x3 has no effect of its
# own. The sum is 2 c.

ROWS = 5000
figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True)
supports = {}
for ax, c in zip(axes, (0.4, 0.67), strict=True):
    true = rng.standard_normal((ROWS, 2))
    false = c * true.sum(axis=1) + np.sqrt(1 - 2 * c**2) * rng.standard_normal(ROWS)
    Z = np.column_stack([true, false])
    path = fastreg.lasso_path(
        Z, true @ [2, 3] + rng.standard_normal(ROWS), fit_intercept=True, eps=0.01
    )
    supports[c] = {tuple(np.flatnonzero(column)) for column in path.coefs.T}
    for j, color in enumerate((BLUE, BLUE, ORANGE)):
        ax.plot(path.alphas, path.coefs[j], color=color)
        _style.label(ax, path.alphas[-1], path.coefs[j, -1], f"$x_{j + 1}$", color)
    _style.along_alpha(ax, path.alphas, ticks=(3, 1, 0.3, 0.1))
    ax.set_xlim(path.alphas[0], path.alphas[-1])
    ax.set_title(f"2 c = {2 * c:g}: x3 comes {'first' if 2 * c > 1 else 'late'}")
axes[0].set_ylabel("coefficient")

# %%
# On the left some alphas have exactly {x1, x2}. On the right, with 5000 rows and
# three features, none has. Weights help: the adaptive lasso penalises x3 more because
# ridge or least squares already doubt it.

assert (0, 1) in supports[0.4]
assert (0, 1) not in supports[0.67]
weights = 1 / np.abs(fastreg.ridge_path(Z, true @ [2, 3], alphas=[1e-3]).coefs[:, 0])
adaptive = fastreg.lasso_path(
    Z, true @ [2, 3], penalty_factor=weights, fit_intercept=True
)
assert (0, 1) in {tuple(np.flatnonzero(column)) for column in adaptive.coefs.T}

plt.show()
