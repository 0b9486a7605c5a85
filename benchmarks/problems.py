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


AR_SNR = 5.0
HARD_SUPPORT = 30

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
}

SMOKE = ("small_wide", "small_correlated", "small_tall", "small_text", "small_enet")
GENES = ("leukemia", "riboflavin", "khan")
# Designs on which active sets cycle and peers slow down; hard_scales alone has columns of unequal size.
HARD = ("hard_ar99", "hard_duplicates", "hard_genes", "hard_scales", "hard_genotypes")
# The cases that are reported.
NAMED = tuple(name for name in CASES if name not in SMOKE + HARD)
GROUPS: dict[str, tuple[str, ...]] = {
    "smoke": SMOKE,
    "genes": GENES,
    "first": ("leukemia", "riboflavin", "ar05_500x20000", "rt_polarity"),
    "hard": HARD,
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
