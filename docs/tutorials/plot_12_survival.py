"""
Survival: who lives how long, from a wide matrix
================================================

Patients who are still alive at the end of a study are not missing data: they lived at
least that long. Cox regression uses that. With an L1 penalty it also works when there
are more genes than patients.
"""

# %%
# 180 patients, 500 genes
# -----------------------
# Six genes change the hazard. A patient leaves the study when an event happens or, at
# random, before: then the time is censored. Half as many patients again are kept
# aside.

# sphinx_gallery_thumbnail_number = 2
import matplotlib.pyplot as plt
import numpy as np

import _style
import fastreg
from _style import BLUE, DARK, GREY, ORANGE, RED

_style.apply()
rng = np.random.default_rng(5)

n, p = 180, 500
effects = np.array([0.9, -0.8, 0.7, -0.6, 0.5, 0.4])
X = np.asfortranarray(rng.standard_normal((n + 90, p)))
lifetime = rng.exponential(np.exp(-X[:, :6] @ effects)) * 5
leaves = rng.uniform(0, 20, n + 90)
time, died = np.minimum(lifetime, leaves), lifetime <= leaves
y = np.column_stack([time, died])
train, test = slice(0, n), slice(n, None)
print(f"{died.mean():.0%} of the events were seen")

path = fastreg.cox_path(
    X[train], y[train], eps=0.05, feature_names=[f"gene{j}" for j in range(p)]
)
print(path)

# %%
# Who outlives whom
# -----------------
# The C-index is the share of pairs, among those whose order is known, in which the
# patient with the higher risk had the event first. One half is a coin toss.


def c_index(risk, time, died):
    """Return the share of comparable pairs in the right order."""
    comparable = died[:, None] & (time[:, None] < time[None, :])
    right_order = (risk[:, None] > risk[None, :]) + 0.5 * (
        risk[:, None] == risk[None, :]
    )
    return (right_order * comparable).sum() / comparable.sum()


risks = {
    name: path.predict(X[rows], kind="link")
    for name, rows in (("training", train), ("test", test))
}
concordance = {
    name: [c_index(column, time[rows], died[rows]) for column in risks[name].T]
    for name, rows in (("training", train), ("test", test))
}
k = int(np.argmax(concordance["test"]))

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5))
for j in np.argsort(np.abs(path.coefs[:, -1])):
    left.plot(
        path.alphas,
        path.coefs[j],
        color=BLUE if j < 6 else GREY,
        lw=1.5 if j < 6 else 0.6,
    )
for j in range(6):
    _style.label(left, path.alphas[-1], path.coefs[j, -1], f"gene{j}", BLUE)
for ax in (left, right):
    _style.along_alpha(ax, path.alphas, ticks=(0.2, 0.1, 0.05, 0.02))
    ax.set_xlim(path.alphas[0], path.alphas[-1])
left.set(ylabel="log hazard ratio", title="the six true genes in blue")
for (name, curve), color in zip(concordance.items(), (BLUE, ORANGE), strict=True):
    right.plot(path.alphas, curve, color=color)
    _style.label(right, path.alphas[-1], curve[-1], name, color)
right.set_title("C-index")

# %%
# The first genes to enter are true ones; the test curve soon stops to follow the
# training curve.

entered = path.order_of_entry()[:4].tolist()
print(
    "first to enter:",
    entered,
    f"; best C-index on test rows {concordance['test'][k]:.2f}",
)
assert set(entered) <= set(range(6))
assert concordance["test"][k] > 0.7
assert concordance["training"][-1] > concordance["test"][-1] + 0.1

# %%
# Which alpha? Cross-validation on the training patients, judged by the same index;
# the test patients stay out of it.

cv = fastreg.cv_path(
    X[train], y[train], family="cox", scoring="c_index", cv=5, eps=0.05
)
alpha = cv.alpha
print(cv)
at = int(np.flatnonzero(path.alphas >= alpha * (1 - 1e-9))[-1])
print(f"C-index of the test patients there: {concordance['test'][at]:.2f}")
assert concordance["test"][at] > concordance["test"][k] - 0.04

# %%
# Curves for patients
# -------------------
# A Cox path also knows the baseline hazard (Breslow), so it predicts survival curves,
# not only an order. Below the test patients in three groups by predicted risk: the
# mean of their predicted curves against what happened to them, as Kaplan and Meier
# count it.

grid = np.linspace(0, 12, 121)
curves = path.predict_survival(X[test], times=grid, alpha=alpha)
risk = path.predict(X[test], alpha=alpha, kind="link")
thirds = np.digitize(risk, np.quantile(risk, [1 / 3, 2 / 3]))


def kaplan_meier(time, died, grid):
    """Return the share without an event at the times of the grid."""
    event_times = np.unique(time[died])
    at_risk = (time[:, None] >= event_times).sum(axis=0)
    events = ((time[:, None] == event_times) & died[:, None]).sum(axis=0)
    survival = np.concatenate([[1.0], np.cumprod(1 - events / at_risk)])
    return survival[np.searchsorted(event_times, grid, side="right")]


figure, ax = plt.subplots(figsize=(6.4, 3.8))
gaps = []
for group, (name, color) in enumerate(
    (("low risk", BLUE), ("middle", DARK), ("high risk", RED))
):
    members = thirds == group
    seen = kaplan_meier(time[test][members], died[test][members], grid)
    predicted = curves[members].mean(axis=0)
    gaps.append(np.abs(seen - predicted).max())
    ax.step(grid, seen, color=color, lw=1, where="post")
    ax.plot(grid, predicted, color=color, lw=2, alpha=0.55)
    _style.label(ax, grid[-1], (seen[-1] + predicted[-1]) / 2, name, color)
ax.set(xlabel="years", ylabel="share without an event", ylim=(0, 1.02), xlim=(0, 12))
ax.set_title("90 new patients: seen (steps) and predicted (thick)")

# %%
# The groups separate as predicted, but the predicted curves lie closer together than
# the true ones: the penalty shrinks the hazard ratios. A relaxed path
# (``path.relax``) pulls them apart again.

ends = [curves[thirds == group].mean(axis=0)[60] for group in range(3)]
assert ends[0] > ends[1] > ends[2]
assert (np.diff(curves, axis=1) <= 1e-12).all()
assert (curves[:, 0] <= 1).all()
assert max(gaps) < 0.3
chosen = fastreg.cox_path(X[train], y[train], alphas=[alpha])
log_risk = [
    fit.predict(X[test], alpha=alpha, kind="link").std()
    for fit in (chosen, chosen.relax(0.5))
]
assert log_risk[1] > 1.1 * log_risk[0]

plt.show()
