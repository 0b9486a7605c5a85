"""The named benchmark problems, seeded; fastreg/bench/problem.py tells what all of them have in common."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import ndtri

from fastreg.bench.problem import Problem, canonical, centred, standardise


class MissingData(Exception):
    """Say which data file is absent and where it was looked for."""


def data_directory() -> Path:
    """Return the folder of the shared data: FASTREG_DATA, or ../shared/data beside the repository."""
    given = os.environ.get("FASTREG_DATA")
    return Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "data"


def _data_file(name: str) -> Path:
    path = data_directory() / name
    if not path.exists():
        raise MissingData(
            f"{name} not found in {data_directory()}; set FASTREG_DATA to the folder that holds it"
        )
    return path


def from_file(name: str) -> Problem:
    """Load a problem of the data folder, its response taken as a number."""
    with np.load(_data_file(f"{name}.npz")) as data:
        XT = np.array(data["X"].T, dtype=np.float64, order="C")
        y = np.asarray(data["y"], dtype=np.float64)
    return Problem(name, standardise(XT), centred(y))


def autoregressive(name: str, n: int, p: int, rho: float, *, support: int, snr: float, seed: int) -> Problem:
    """Draw a design whose columns follow an AR(1) chain, corr(x_j, x_k) = rho^|j - k|.

    The response has `support` coefficients of size one and random sign at random places, and noise of
    variance var(X b) / snr. Columns are made by recursion, in place: no p-by-p covariance, no copy of X.
    """
    rng = np.random.default_rng(seed)
    XT = rng.standard_normal((p, n))
    innovation = np.sqrt(1.0 - rho * rho)
    for j in range(1, p):
        XT[j] *= innovation
        XT[j] += rho * XT[j - 1]
    X = standardise(XT)
    return Problem(name, X, _response(X, support, snr, rng))


def _response(X: Any, support: int, snr: float, rng: np.random.Generator) -> np.ndarray:
    chosen = np.sort(rng.choice(X.shape[1], size=support, replace=False))
    signal = X[:, chosen] @ rng.choice([-1.0, 1.0], size=support)
    noise = rng.standard_normal(X.shape[0]) * np.sqrt(signal.var() / snr)
    return centred(signal + noise)


def rt_polarity() -> Problem:
    """Build the TF-IDF matrix of the film reviews: 10662 sentences, 29260 words and word pairs, uncentred."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    lines: list[str] = []
    counts: list[int] = []
    for part in ("pos", "neg"):
        with gzip.open(
            _data_file(f"rt-polarity.{part}.gz"), "rt", encoding="latin-1", newline="\n"
        ) as stream:
            sentences = stream.read().splitlines()
        lines += sentences
        counts.append(len(sentences))
    X = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True).fit_transform(lines)
    return Problem("rt_polarity", canonical(X), centred(np.repeat([1.0, 0.0], counts)))


def rt_polarity_logistic() -> Problem:
    """Return the film reviews with their labels; the grid ends where fits are certain, at alpha_max/50."""
    return above_zero(rt_polarity(), "rt_polarity_logistic", eps=0.02)


def text_like(name: str, n: int, p: int, words: int, *, seed: int) -> Problem:
    """Draw a sparse matrix like text: word frequencies fall as 1/rank, rows have unit length."""
    rng = np.random.default_rng(seed)
    frequency = 1.0 / np.arange(1, p + 1)
    cells = rng.choice(p, size=(n, words), p=frequency / frequency.sum())
    rows = np.repeat(np.arange(n), words)
    counts = sparse.coo_array((np.ones(n * words), (rows, cells.ravel())), shape=(n, p)).tocsr()
    counts.data = (1.0 + np.log(counts.data)) * -np.log(frequency / frequency.sum())[counts.indices]
    counts.data /= np.sqrt(np.repeat(counts.power(2).sum(axis=1), np.diff(counts.indptr)))
    X = canonical(counts)
    return Problem(name, X, _response(X, max(1, p // 40), 2.0, rng))


def elastic_net(problem: Problem, name: str, l1_ratio: float = 0.5) -> Problem:
    """Return the same data as an elastic-net problem."""
    return replace(problem, name=name, l1_ratio=l1_ratio)


def duplicates(name: str, n: int, p: int, *, seed: int) -> Problem:
    """Draw independent columns, every one three times (p a multiple of 3): solutions are not unique."""
    rng = np.random.default_rng(seed)
    one = standardise(rng.standard_normal((p // 3, n)))
    # Copied when they are standardised: equal to the last bit.
    X = np.tile(one.T, (3, 1)).T
    return Problem(name, X, _response(one, HARD_SUPPORT, AR_SNR, rng))


def gene_blocks(name: str, n: int, p: int, *, seed: int) -> Problem:
    """Draw blocks of 20 columns (p a multiple of 20), correlation 0.95 inside, none between: pathways."""
    rng = np.random.default_rng(seed)
    XT = np.sqrt(0.05) * rng.standard_normal((p, n))
    XT += np.repeat(np.sqrt(0.95) * rng.standard_normal((p // 20, n)), 20, axis=0)
    X = standardise(XT)
    return Problem(name, X, _response(X, HARD_SUPPORT, AR_SNR, rng))


def scales(name: str, n: int, p: int, *, seed: int) -> Problem:
    """Draw independent columns of sizes 1e-4 to 1e4, all of which matter alike: mean 0, not variance 1."""
    rng = np.random.default_rng(seed)
    X = standardise(rng.standard_normal((p, n)))
    y = _response(X, HARD_SUPPORT, AR_SNR, rng)
    X *= 10.0 ** rng.uniform(-4.0, 4.0, p)
    return Problem(name, X, y)


def genotypes(name: str, n: int, p: int, *, seed: int) -> Problem:
    """Draw counts 0, 1, 2 of an allele, linked in runs of 50 loci: many equal columns, rare variants.

    Along each of two chromosomes a row copies its ancestor's latent value, a fresh one with probability
    0.02; a locus counts those below its quantile. A variant that nobody carries gets one carrier.
    """
    rng = np.random.default_rng(seed)
    cut = ndtri(np.clip(0.5 * rng.beta(0.3, 1.5, size=p), 0.5 / n, 0.5))
    counts = np.zeros((p, n))
    for _ in range(2):
        ancestor = np.zeros(n)
        for j in range(p):
            is_fresh = rng.random(n) < (0.02 if j % 50 else 1.0)
            ancestor = np.where(is_fresh, rng.standard_normal(n), ancestor)
            counts[j] += ancestor < cut[j]
    nobody = np.flatnonzero(counts.max(axis=1) == counts.min(axis=1))
    counts[nobody, rng.integers(n, size=nobody.size)] = 1.0
    X = standardise(counts)
    return Problem(name, X, _response(X, HARD_SUPPORT, AR_SNR, rng))


def with_family(problem: Problem, family: str, y: Any, *, name: str, eps: float = 1e-2) -> Problem:
    """Return the same design under another loss."""
    return replace(problem, name=name, family=family, y=np.asarray(y, dtype=np.float64), eps=eps)


def above_zero(problem: Problem, name: str, eps: float = 1e-2) -> Problem:
    """Return the logistic problem of whether the centred response is above zero."""
    return with_family(problem, "binomial", problem.y > 0.0, name=name, eps=eps)


def classes_of(name: str) -> np.ndarray:
    """Return the classes of a file of the data folder, counted from zero."""
    with np.load(_data_file(f"{name}.npz")) as data:
        return np.asarray(data["y"], dtype=np.float64) - 1.0


def labels(name: str, n: int, p: int, *, classes: int, seed: int) -> Problem:
    """Draw labels on an AR(0.5) design, half a dozen features to a class; two classes are the binomial."""
    rng = np.random.default_rng(seed)
    X = autoregressive(name, n, p, 0.5, support=1, snr=1.0, seed=seed).X
    B = np.zeros((p, classes))
    B[rng.choice(p, size=(6, classes)), np.arange(classes)] = rng.choice([-1.0, 1.0], size=(6, classes))
    # The largest of Gumbel variables around eta: softmax probabilities.
    y = np.argmax(X @ B + rng.gumbel(size=(n, classes)), axis=1)
    family = "binomial" if classes == 2 else "multinomial"
    return Problem(name, X, y.astype(np.float64), family=family)


def counts(name: str, n: int, p: int, *, seed: int) -> Problem:
    """Draw counts of mean about three on an AR(0.5) design, log-linear in 20 of its columns."""
    rng = np.random.default_rng(seed)
    X, eta = _log_linear(name, n, p, rng, seed)
    return Problem(name, X, rng.poisson(np.exp(0.7 + eta)).astype(np.float64), family="poisson")


def survival(name: str, n: int, p: int, *, seed: int) -> Problem:
    """Draw exponential times on an AR(0.5) design, 20 columns matter; about 40 % are censored, none tied."""
    rng = np.random.default_rng(seed)
    X, eta = _log_linear(name, n, p, rng, seed)
    time = rng.exponential(np.exp(-eta))
    # An independent exponential of this mean is the smaller one in two of five rows.
    limit = rng.exponential(CENSORING, size=n)
    y = np.column_stack([np.minimum(time, limit), time <= limit])
    # At alpha_max/100 peers at their defaults were 1e-3 away and more, and 1e-9 was out of their reach.
    return Problem(name, X, y.astype(np.float64), family="cox", eps=0.1)


def _log_linear(name: str, n: int, p: int, rng: np.random.Generator, seed: int) -> tuple[Any, np.ndarray]:
    """Return a design and a linear predictor of variance about one from 20 of its columns."""
    X = autoregressive(name, n, p, 0.5, support=1, snr=1.0, seed=seed).X
    chosen = np.sort(rng.choice(p, size=LOSS_SUPPORT, replace=False))
    eta = X[:, chosen] @ rng.choice([-1.0, 1.0], size=LOSS_SUPPORT)
    return X, eta / np.sqrt(LOSS_SUPPORT)


AR_SNR = 5.0
HARD_SUPPORT = 30
LOSS_SUPPORT = 20
# Mean of the censoring times whose share of censored rows is 40 % at eta of variance one.
CENSORING = 1.7

CASES: dict[str, Callable[[], Problem]] = {
    "leukemia": lambda: from_file("leukemia"),
    "riboflavin": lambda: from_file("riboflavin"),
    "khan": lambda: from_file("khan"),
    "ar05_500x20000": lambda: autoregressive(
        "ar05_500x20000", 500, 20_000, 0.5, support=50, snr=AR_SNR, seed=1
    ),
    "ar95_500x20000": lambda: autoregressive(
        "ar95_500x20000", 500, 20_000, 0.95, support=50, snr=AR_SNR, seed=2
    ),
    "ar05_1000x100000": lambda: autoregressive(
        "ar05_1000x100000", 1000, 100_000, 0.5, support=100, snr=AR_SNR, seed=3
    ),
    "tall_20000x500": lambda: autoregressive(
        "tall_20000x500", 20_000, 500, 0.5, support=50, snr=AR_SNR, seed=4
    ),
    "rt_polarity": rt_polarity,
    "leukemia_enet": lambda: elastic_net(from_file("leukemia"), "leukemia_enet"),
    "ar05_500x20000_enet": lambda: elastic_net(CASES["ar05_500x20000"](), "ar05_500x20000_enet"),
    "small_wide": lambda: autoregressive("small_wide", 60, 800, 0.5, support=10, snr=AR_SNR, seed=11),
    "small_correlated": lambda: autoregressive(
        "small_correlated", 60, 800, 0.95, support=10, snr=AR_SNR, seed=12
    ),
    "small_tall": lambda: autoregressive("small_tall", 1000, 40, 0.5, support=10, snr=AR_SNR, seed=13),
    "small_text": lambda: text_like("small_text", 400, 600, 12, seed=14),
    "small_enet": lambda: elastic_net(CASES["small_wide"](), "small_enet"),
    "hard_ar99": lambda: autoregressive(
        "hard_ar99", 500, 5000, 0.99, support=HARD_SUPPORT, snr=AR_SNR, seed=21
    ),
    "hard_duplicates": lambda: duplicates("hard_duplicates", 300, 6000, seed=22),
    "hard_genes": lambda: gene_blocks("hard_genes", 200, 5000, seed=23),
    "hard_scales": lambda: scales("hard_scales", 300, 5000, seed=24),
    "hard_genotypes": lambda: genotypes("hard_genotypes", 500, 10_000, seed=25),
    "leukemia_logistic": lambda: with_family(
        from_file("leukemia"), "binomial", classes_of("leukemia"), name="leukemia_logistic"
    ),
    "rt_polarity_logistic": rt_polarity_logistic,
    "khan_multinomial": lambda: with_family(
        from_file("khan"), "multinomial", classes_of("khan"), name="khan_multinomial"
    ),
    "poisson_wide": lambda: counts("poisson_wide", 300, 20_000, seed=31),
    "cox_wide": lambda: survival("cox_wide", 300, 20_000, seed=32),
    "small_logistic": lambda: labels("small_logistic", 80, 300, classes=2, seed=41),
    "small_text_logistic": lambda: above_zero(CASES["small_text"](), "small_text_logistic"),
    "small_multinomial": lambda: labels("small_multinomial", 80, 200, classes=3, seed=42),
    "small_poisson": lambda: counts("small_poisson", 80, 300, seed=43),
    "small_cox": lambda: survival("small_cox", 80, 300, seed=44),
}

SMOKE = ("small_wide", "small_correlated", "small_tall", "small_text", "small_enet")
GENES = ("leukemia", "riboflavin", "khan")
# Designs on which active sets cycle and peers slow down; hard_scales alone has columns of unequal size.
HARD = ("hard_ar99", "hard_duplicates", "hard_genes", "hard_scales", "hard_genotypes")
# The losses other than least squares, and small cases of them.
LOSSES = ("leukemia_logistic", "rt_polarity_logistic", "khan_multinomial", "poisson_wide", "cox_wide")
SMOKE_LOSSES = ("small_logistic", "small_text_logistic", "small_multinomial", "small_poisson", "small_cox")
# The cases of least squares that are reported.
NAMED = tuple(name for name in CASES if name not in SMOKE + HARD + LOSSES + SMOKE_LOSSES)
GROUPS: dict[str, tuple[str, ...]] = {
    "smoke": SMOKE,
    "genes": GENES,
    "first": ("leukemia", "riboflavin", "ar05_500x20000", "rt_polarity"),
    "hard": HARD,
    "losses": LOSSES,
    "smoke_losses": SMOKE_LOSSES,
    "all": NAMED,
}


def load(name: str) -> Problem:
    """Return the named problem; raise KeyError for an unknown name and MissingData for an absent file."""
    if name not in CASES:
        raise KeyError(f"unknown case {name!r}; known: {', '.join(CASES)}; groups: {', '.join(GROUPS)}")
    return CASES[name]()


def expand(names: list[str]) -> list[str]:
    """Replace group names by their cases, keeping the order and dropping repeats."""
    cases = [case for name in names for case in GROUPS.get(name, (name,))]
    return list(dict.fromkeys(cases))
