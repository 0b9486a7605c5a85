"""What the docstrings of the path functions share, written once: options, objective, results, errors.

A docstring names what goes where by a line such as ``{parameters}``. Parameters come in the order of the
signature, so that none can be forgotten: one that nobody described ends the import.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

__all__ = ["documented"]

Function = TypeVar("Function", bound=Callable[..., Any])

# Name of the parameter, how it is announced, what is said about it.
_SHARED = """
X : (n, p) array, sparse matrix, memory map or data frame
    Features. F-ordered float64 or float32 and CSC are read in place, never changed.
l1_ratio : float, default 1.0
    Share of the L1 penalty, in [0, 1]: 1 is the lasso, 0 is ridge.
eps : float or "auto", default 1e-3
    Smallest alpha relative to alpha_max; "auto" is 1e-2 when p > n, else 1e-4. For ridge, whose alpha_max is
    a stand-in, the default and "auto" are a thousandth of that.
alphas : int or (K,) array
    Size of the geometric grid from alpha_max down, or the values themselves in any order.
fit_intercept : bool
    Whether to fit b0, which is never penalised.
standardize : bool
    Whether to penalise b_j times the weighted standard deviation of x_j; b keeps the input scale.
sample_weight : (n,) array, optional
    Weights w >= 0.
offset : (n,) array, optional
    Known part o of the linear predictor.
penalty_factor : (p,) array, optional
    Factors v >= 0, used as given: 0 leaves a feature free, inf excludes it.
positive : bool
    Whether to keep all coefficients >= 0.
lower_limits, upper_limits : float or (p,) array, optional
    Bounds <= 0 and >= 0 of the coefficients.
coef_init : (p,) array, optional
    Coefficients to start from.
max_features : int, optional
    End the path before the first alpha with more features.
max_time : float, optional
    Seconds after which the finished part is returned.
tol : float
    Bound of the duality gap relative to the null model's objective.
max_iter : int
    Bound of the solver's rounds at one alpha.
n_threads : int, optional
    Threads that read large X; results do not depend on it. All processors by default.
callback : callable, optional
    Called with a `PathStep` after each alpha; returning True ends the path.
progress : bool
    Whether to show a progress bar on stderr.
verbose : bool or int
    Whether to write a line per alpha on stderr.
return_n_iter : bool
    Whether the result unpacks into four items, as in scikit-learn.
feature_names : sequence of str, optional
    Names of the columns.
n_alphas, precompute, Xy, copy_X, check_input, selection, random_state : optional
    scikit-learn's arguments: checked, and without influence on the solution.
delta : float, default 1.35
    Size of a residual beyond which its loss grows linearly, in units of `scale`.
scale : "mad" or float, default "mad"
    Unit of delta: a robust scale of y - offset (its weighted median absolute deviation, consistent for normal
    errors), or a number in units of y; 1.0 leaves delta in units of y. The result's `delta` is the product.
ties : {"breslow", "efron"}
    How events at the same time share their risk set.
strata : (n,) array of labels, optional
    Rows are compared with rows of their own stratum only.
grouped : bool
    Whether a feature enters for all outputs at once: the penalty is on the norm of its coefficients.
"""

# What changes where there are several outputs.
_SEVERAL = """
offset : (n, outputs) array, optional
    Known parts o of the linear predictors.
coef_init : (outputs, p) array, optional
    Coefficients to start from.
lower_limits, upper_limits : float or (p,) array, optional
    Bounds <= 0 and >= 0 of a feature's coefficients in all outputs.
"""

_OBJECTIVE = """
Minimise over {unknowns}

    {loss}
      + alpha * sum_j v_j * {penalty}
    subject to lower_j <= b_j <= upper_j
{where}"""

_PENALTIES = {
    "each": "(l1_ratio * |b_j| + (1 - l1_ratio) / 2 * b_j^2)",
    "every output": "sum_c (l1_ratio * |b_cj| + (1 - l1_ratio) / 2 * b_cj^2)",
    "norm": "(l1_ratio * ||b_j||_2 + (1 - l1_ratio) / 2 * ||b_j||_2^2)",
}

_RETURNS = """
PathResult
    Coefficients, intercepts and certified duality gaps at every alpha; unpacks as
    `alphas, coefs, dual_gaps`.
"""

_RAISES = """
DataError
    If a value cannot be used: what was expected, what came, what to do.
DataTypeError
    If X, y or an option is of a type that cannot be used.
"""


def documented(
    *, y: str, loss: str, where: str = "", penalty: str = "each", own: str = "", unknowns: str = "b0 and b"
) -> Callable[[Function], Function]:
    """Return a decorator that fills what path functions share into a docstring.

    Parameters
    ----------
    y : str
        What y is, announced and described as in a parameter section.
    loss : str
        First term of the objective.
    where : str
        What its symbols mean.
    penalty : str
        Key of the penalty: on each coefficient, on those of every output, or on the norm over outputs.
    own : str
        Parameters that are described otherwise than for most functions, as in a parameter section.
    unknowns : str
        What is minimised over.

    Returns
    -------
    callable
        Returns the function itself, with its docstring complete.
    """

    def fill(function: Function) -> Function:
        if function.__doc__ is None:  # python -OO
            return function
        texts = dict(_entries(_SHARED)) | (dict(_entries(_SEVERAL)) if penalty != "each" else {})
        texts |= dict(_entries(own)) | dict(_entries(y))
        meaning = "\n" + inspect.cleandoc(where) if where else ""
        blocks = {
            "objective": _OBJECTIVE.format(
                loss=loss, penalty=_PENALTIES[penalty], where=meaning, unknowns=unknowns
            ),
            "parameters": _parameters(inspect.signature(function), texts),
            "returns": _RETURNS,
            "raises": _RAISES,
        }
        function.__doc__ = _filled(function.__doc__, blocks)
        return function

    return fill


def _entries(section: str) -> list[tuple[str, str]]:
    """Return every name of a parameter section with the entry that describes it."""
    entries = re.split(r"\n(?=\S)", inspect.cleandoc(section)) if section else []
    return [(name.strip(), entry) for entry in entries for name in entry.split(" : ", 1)[0].split(",")]


def _parameters(signature: inspect.Signature, texts: Mapping[str, str]) -> str:
    """Return the entries in the order of the signature, those of several parameters once."""
    return "\n".join(dict.fromkeys(texts[name] for name in signature.parameters))


def _filled(doc: str, blocks: Mapping[str, str]) -> str:
    """Put blocks in the place of the lines that name them, as far to the right as these stand."""
    lines: list[str] = []
    for line in doc.split("\n"):
        name = re.fullmatch(r"\{(\w+)\}", line.strip())
        if name is None:
            lines.append(line)
            continue
        room = line[: len(line) - len(line.lstrip())]
        lines += [room + part if part else "" for part in blocks[name[1]].strip("\n").split("\n")]
    return "\n".join(lines)
