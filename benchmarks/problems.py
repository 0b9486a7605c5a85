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


AR_SNR = 5.0

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
}

SMOKE = ("small_wide", "small_correlated", "small_tall", "small_text", "small_enet")
GENES = ("leukemia", "riboflavin", "khan")
NAMED = tuple(name for name in CASES if name not in SMOKE)
GROUPS: dict[str, tuple[str, ...]] = {
    "smoke": SMOKE,
    "genes": GENES,
    "first": ("leukemia", "riboflavin", "ar05_500x20000", "rt_polarity"),
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
