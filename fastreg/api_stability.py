"""Stability selection and p-values by splitting the rows: which features, and how sure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._docs import documented
from ._typing import Float64
from .request import DEFAULT_MAX_ITER, DEFAULT_TOL, passed
from .selection.multisplit import split_and_test
from .selection.multisplit_result import MultiSplitResult
from .selection.stability import stabilise
from .selection.stability_result import StabilityResult, Wish

__all__ = ["multi_split", "stability_selection"]

# What a selection has no use for.
UNWATCHED = {"callback": None, "verbose": False, "coef_init": None, "max_features": None}

RESPONSE = """
y : array, series or data frame
    Response, as the path function of this family takes it.
"""
LOSS = "sum_i w_i loss(y_i, eta_i) / sum_i w_i"
INTERCEPT = """
fit_intercept : bool, optional
    Whether to fit b0, which is never penalised. By default yes, but not for cox, which has none.
offset : (n,) or (n, outputs) array, optional
    Known part o of the linear predictor.
"""
OF_FAMILIES = (
    INTERCEPT
    + """
family : str, default "gaussian"
    "gaussian", "binomial" (or "logistic"), "multinomial", "poisson", "squared_hinge", "huber", "cox", or
    "mgaussian" (or "multitask").
delta, scale, ties, strata, grouped : optional
    Options of one family, as in its path function.
"""
)
OF_TESTED = (
    INTERCEPT
    + """
family : str, default "gaussian"
    "gaussian", "binomial" (or "logistic"), "poisson" or "cox".
ties, strata : optional
    Options of cox, as in `cox_path`.
"""
)


@documented(
    y=RESPONSE,
    loss=LOSS,
    where="eta_i = b0 + o_i + x_i . b, over the rows i of one half.",
    own=OF_FAMILIES
    + """
pairs : int, default 50
    Complementary pairs B: 2 B paths, each on half of the rows.
q : int, optional
    Features that each half chooses; see Notes.
threshold : float, optional
    Share of the halves that must choose a stable feature, in (1/2, 1].
max_false : float, optional
    Expected number of false selections that is accepted.
bound : {"shah-samworth", "unimodal", "meinshausen-buehlmann"}
    Which bound holds them: Shah and Samworth's for r-concave distributions, theirs for unimodal ones, or the
    one that assumes no shape.
form : {"first", "region"}
    What a half chooses: the first q features to enter, or at every alpha of a region those that have a
    coefficient there.
eps : float or "auto"
    Smallest alpha relative to alpha_max that a half may need; "auto" is 1e-2 when p > n, else 1e-4.
alphas : int or (K,) array
    Size of the grid that all halves share, or its values.
penalty_factor : (p,) array, optional
    Factors v >= 0, used as given. Features with factor 0 are in every model and are not chosen.
random_state : int, Generator, RandomState or None, default 0
    What the halves follow from.
max_time : float, optional
    Seconds after which the finished pairs are returned.
progress : bool
    Whether to show a bar of pairs on stderr.
n_threads : int, optional
    Threads, each with its own halves; results do not depend on it. All processors by default.
resume : StabilityResult, optional
    A result of the same data and options to go on from, to `pairs` pairs in all; its q (also one that
    followed), threshold or max_false, grid, bound, form and seed are kept, and asking for others is an error:
    leave them out. With as many pairs or more already there, nothing is added.
""",
)
def stability_selection(
    X: Any,
    y: Any,
    *,
    family: str = "gaussian",
    pairs: int = 50,
    q: int | None = None,
    threshold: float | None = None,
    max_false: float | None = None,
    bound: str = "shah-samworth",
    form: str = "first",
    l1_ratio: float = 1.0,
    eps: float | str = "auto",
    alphas: int | Sequence[float] | Float64 = 100,
    random_state: Any = 0,
    fit_intercept: bool | None = None,
    delta: float | None = None,
    scale: str | float | None = None,
    ties: str | None = None,
    strata: Any = None,
    grouped: bool | None = None,
    standardize: bool = False,
    sample_weight: Any = None,
    offset: Any = None,
    penalty_factor: Any = None,
    positive: bool = False,
    lower_limits: Any = None,
    upper_limits: Any = None,
    max_time: float | None = None,
    tol: float = DEFAULT_TOL,
    max_iter: int = DEFAULT_MAX_ITER,
    n_threads: int | None = None,
    progress: bool = False,
    feature_names: Sequence[str] | None = None,
    resume: StabilityResult | None = None,
) -> StabilityResult:
    """Select the features that many halves of the rows agree on, with a bound on false selections.

    The rows are split at random into two halves of floor(n / 2), again and again; on each half a path is
    solved:

    {objective}

    Each class of a classifier (events and censored rows for cox, zero and non-zero counts for poisson) is in
    both halves in its share. The probability of a feature is the share of halves that choose it, and stable
    are those that reach the threshold.

    Parameters
    ----------
    {parameters}

    Returns
    -------
    StabilityResult
        Selection probabilities, stable features, bound, picture; `resume(pairs)` goes on to so many in all.

    Raises
    ------
    {raises}

    Notes
    -----
    Any two of q, threshold and max_false give the third. Where they are not given, max_false is 1, and q
    the largest that keeps it at the threshold 0.75, the middle of the range that Meinshausen and Buehlmann
    advise; the threshold that is then used is not 0.75, but the smallest one, at least 0.6, that keeps
    max_false with this q and the pairs there are. A q that follows is at most a quarter of the rows: half of
    what a half of them could fit at all. `max_false` of the result is the bound that is kept in the end.

    With form="first" each half chooses exactly the q features that enter first, so that q is known and the
    bound does not rest on an estimate; no alpha has to be chosen. With form="region" a feature counts at
    each alpha (the largest share must reach the threshold), q is the mean number that a half chooses
    somewhere in the region, and the grid ends where all rows choose q features unless alphas are given.

    The bound is on the expected number of selected features that a half chooses with probability q / p at
    most (Shah and Samworth 2013, Theorems 1 and 2 and section 3.4). It holds for false selections where no
    feature without influence is chosen more often than one at random; ``bound="meinshausen-buehlmann"`` is
    q^2 / ((2 threshold - 1) p) (Meinshausen and Buehlmann 2010, Theorem 1).

    Meinshausen and Buehlmann, J. R. Stat. Soc. B 72 (2010) 417-473. Shah and Samworth, J. R. Stat. Soc. B 75
    (2013) 55-80.

    Examples
    --------
    >>> import fastreg
    >>> data = fastreg.datasets.make_wide(n=120, p=200, n_true=3, seed=0)
    >>> result = fastreg.stability_selection(data.X, data.y, pairs=20, q=6)
    >>> result.selected.tolist() == sorted(data.coef.nonzero()[0].tolist())
    True
    >>> result.max_false < 0.1
    True
    """
    wish = Wish(q, threshold, max_false, bound, form)
    ask = passed(locals(), **UNWATCHED)
    return stabilise(X, y, ask, wish, pairs, random_state, resume)


@documented(
    y=RESPONSE,
    loss=LOSS,
    where="eta_i = b0 + o_i + x_i . b, over the rows i that select.",
    own=OF_TESTED
    + """
splits : int, default 50
    How often the rows are split.
q : int, optional
    Features that are chosen and tested, the first that enter; a sixth of the rows by default.
gamma_min : float, default 0.05
    Smallest quantile of the p-values of all splits that is looked at, in (0, 1).
eps : float or "auto"
    Smallest alpha relative to alpha_max that may be needed; "auto" is 1e-2 when p > n, else 1e-4.
alphas : int or (K,) array
    Size of the grid that all splits share, or its values.
sample_weight : (n,) array, optional
    Weights w >= 0, of which only ratios matter: brought to mean one over rows of positive weight, they are
    precisions (gaussian) or multiply the log-likelihood of a row in the tests.
penalty_factor : (p,) array, optional
    Factors v >= 0, used as given. Features with factor 0 are in every model and always tested.
random_state : int, Generator, RandomState or None, default 0
    What the splits follow from.
max_time : float, optional
    Seconds after which the p-values of the finished splits are returned; without a finished one they raise.
progress : bool
    Whether to show a bar of splits on stderr.
n_threads : int, optional
    Threads, each with its own split; results do not depend on it. All processors by default.
""",
)
def multi_split(
    X: Any,
    y: Any,
    *,
    family: str = "gaussian",
    splits: int = 50,
    q: int | None = None,
    gamma_min: float = 0.05,
    l1_ratio: float = 1.0,
    eps: float | str = "auto",
    alphas: int | Sequence[float] | Float64 = 100,
    random_state: Any = 0,
    fit_intercept: bool | None = None,
    ties: str | None = None,
    strata: Any = None,
    standardize: bool = False,
    sample_weight: Any = None,
    offset: Any = None,
    penalty_factor: Any = None,
    max_time: float | None = None,
    tol: float = DEFAULT_TOL,
    max_iter: int = DEFAULT_MAX_ITER,
    n_threads: int | None = None,
    progress: bool = False,
    feature_names: Sequence[str] | None = None,
) -> MultiSplitResult:
    """Test every feature: half of the rows selects, the other half tests, many times.

    On floor(n / 2) rows drawn at random a path is solved and the first q features that enter are taken:

    {objective}

    On the other rows these features are tested without a penalty: by t-tests of least squares (gaussian), or
    by ratios of likelihoods (binomial, poisson, cox). p-values are multiplied by the number of tests, and
    those of all splits make one: min(1, (1 - log gamma_min) inf_gamma q_gamma / gamma) with q_gamma their
    gamma-quantile, gamma_min < gamma < 1.

    Parameters
    ----------
    {parameters}

    Returns
    -------
    MultiSplitResult
        p-values of all features, selection at a familywise error rate, confidence intervals.

    Raises
    ------
    {raises}

    Notes
    -----
    The p-values control the familywise error rate where the selection contains all features with influence,
    with a probability that tends to one (Meinshausen, Meier and Buehlmann, J. Am. Stat. Assoc. 104 (2009)
    1671-1681, Theorem 3.2); q = n / 6 is their fixed choice. A single split would depend on its luck.
    Weights are brought to mean one over the rows that have any, in all families: n rows are evidence of n
    rows, whatever the unit of the weights; repeat rows to count them more often.
    Likelihood ratios are referred to the chi-squared distribution: with few rows or separated classes that is
    a rough guide only.

    Examples
    --------
    >>> import fastreg
    >>> data = fastreg.datasets.make_wide(n=120, p=200, n_true=3, seed=0)
    >>> result = fastreg.multi_split(data.X, data.y)
    >>> set(result.selected) <= set(data.coef.nonzero()[0])
    True
    """
    return split_and_test(
        X,
        y,
        passed(locals(), **UNWATCHED, positive=False, lower_limits=None, upper_limits=None),
        splits,
        q,
        gamma_min,
        random_state,
    )
