"""
Text: thousands of columns, mostly empty
========================================

Words make wide matrices: one column per word, most entries zero. A sparse matrix
holds only the others, and a path runs on it in place. What comes out is a short list
of words that a person can read.
"""

# %%
# A small corpus
# --------------
# 600 notes, half of them from a kitchen and half from a garden, written here so that
# nothing has to be downloaded. A note is mostly common words and rare ones that occur
# once or twice (real text is like that), with a few words of its topic. One in five
# of those is borrowed from the other topic: cooks have plants too.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

import _style
import fastreg
from _style import BLUE, DARK, GREEN, GREY, ORANGE

_style.apply()
rng = np.random.default_rng(0)


def listed(text):
    """Return the words of a text."""
    return text.split()


COMMON = listed(
    "the a and of to in it was with for on then we they had from by some more very day "
    "time good new"
)
TOPICS = {
    "kitchen": listed(
        "oven bake butter flour pan boil salt recipe knife stir dough spoon simmer "
        "roast sauce plate"
    ),
    "garden": listed(
        "soil plant seed dig root compost weed rake prune bloom shrub hedge mulch lawn "
        "spade bulb"
    ),
}
SYLLABLES = listed("ba ko ri mu ten sal vo le pri dan gu mi sor tak ne lu")
RARE = ["".join(rng.choice(SYLLABLES, 4)) for _ in range(10_000)]


def write(topic):
    """Return a note of 80 words, five of them of a topic, most often its own."""
    other = {"kitchen": "garden", "garden": "kitchen"}[topic]
    themes = rng.choice([topic, other], 5, p=[0.8, 0.2])
    words = [
        *rng.choice(COMMON, 45),
        *rng.choice(RARE, 30),
        *(rng.choice(TOPICS[theme]) for theme in themes),
    ]
    return " ".join(rng.permutation(words))


labels = np.repeat(["kitchen", "garden"], 300)
notes = np.array([write(topic) for topic in labels])
print(notes[0][:90], "...")

# %%
# From text to a path
# -------------------
# The vectoriser is fitted on the training notes only: word frequencies of test notes
# are not ours to know. It returns rows (CSR); a path reads columns, so we hand over
# CSC, and nothing is copied.

is_train = np.arange(600) % 2 == 0
vectoriser = TfidfVectorizer(sublinear_tf=True)
X = vectoriser.fit_transform(notes[is_train]).tocsc()
X_test = vectoriser.transform(notes[~is_train])
words = vectoriser.get_feature_names_out()

path = fastreg.logistic_path(X, labels[is_train], feature_names=words, eps=0.02)
n, p = X.shape
print(f"{n} notes, {p} words, {X.nnz / (n * p):.1%} of the entries are not zero")
print(path)
print(path.input_report)

# %%
# Dense, the matrix would take eighty times the memory. No entry was copied, and no
# column was centred: that would have filled it.

dense = 8 * np.prod(X.shape)
sparse = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
print(f"dense {dense / 1e6:.1f} MB, sparse {sparse / 1e6:.2f} MB")
assert X.shape[1] > 15 * X.shape[0]
assert dense > 40 * sparse
assert (path.relative_gaps < 1e-6).all()

# %%
# Read the model
# --------------
# ``path.classes[1]`` is what positive weights speak for. On the left the accuracy on
# the other 300 notes along the path, on the right the words at the dotted alpha.

accuracy = (path.predict(X_test, kind="class") == labels[~is_train, None]).mean(axis=0)
k = int(np.flatnonzero(accuracy >= accuracy.max() - 0.01)[0])
coef = path.coefs[:, k]
used = path.selected(path.alphas[k])
used = used[np.argsort(coef[used])]
topic_words = set(TOPICS["kitchen"]) | set(TOPICS["garden"])

figure, (left, right) = plt.subplots(1, 2, figsize=(8.8, 5.2), width_ratios=[1, 1.15])
left.plot(path.alphas, accuracy, color=BLUE)
left.axvline(path.alphas[k], color=DARK, lw=0.8, ls=":")
_style.along_alpha(left, path.alphas, ticks=(0.03, 0.01, 0.003, 0.001))
left.set_xlim(path.alphas[0], path.alphas[-1])
left.set(ylabel="accuracy on new notes", ylim=(0.4, 1.02))
_style.label(left, path.alphas[k], 0.54, f"{used.size} of {words.size} words", DARK)
left.axhline(0.5, color=GREY, lw=0.8, zorder=0)
colors = [ORANGE if c > 0 else GREEN for c in coef[used]]
right.barh(np.arange(used.size), coef[used], color=colors)
right.set_yticks(np.arange(used.size), words[used], fontsize=7.5)
right.axvline(0, color=DARK, lw=0.6)
right.set(xlabel="weight", title=f"{path.classes[0]} < 0 < {path.classes[1]}")

# %%
# Nearly all the words are topic words, with the sign of their topic. Common words are
# useless here and got exact zeros; so did thousands of rare ones, any of which
# happens to separate a few notes.

kitchen = {
    word
    for word in words[used]
    if word in TOPICS["kitchen"] and coef[words == word][0] > 0
}
garden = {
    word
    for word in words[used]
    if word in TOPICS["garden"] and coef[words == word][0] < 0
}
print(
    f"{len(kitchen | garden)} of {used.size} words are topic words with the right sign"
)
assert path.classes == ("garden", "kitchen")
assert accuracy[k] > 0.85
assert len(kitchen | garden) >= 0.85 * used.size
assert not set(words[used]) & set(COMMON)

# %%
# At the end of the path the model also uses rare words: it explains the training
# notes completely, and new notes no better.

last = set(words[path.selected(path.alphas[-1])])
print(
    f"at the smallest alpha {len(last)} words, {len(last - topic_words)} not of a topic"
)
assert len(last - topic_words) > 10
assert accuracy[-1] <= accuracy[k] + 0.02

plt.show()
