"""What is fitted: each family's response as its loss wants it, checked at the border.

A family decides what y may be (labels, counts, times, several columns), how many outputs it has and which
options belong to it. Losses, null models and gaps are the solver's; nothing here sees X.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from ._sums import inner
from ._typing import Float64
from .errors import DataError
from .risksets import Baseline, RiskSets, make_baseline, make_risk_sets
from .robust import robust_scale
from .validate import check_response, check_vector
from .validate.classes import check_classes, check_fractions, require_weight
from .validate.labels import check_counts, check_proportions, check_responses
from .validate.options import check_flag, check_real
from .validate.survival import check_survival
from .validate.words import describe, wanted

__all__ = [
    "FAMILIES",
    "FamilyOptions",
    "RiskSets",
    "Target",
    "baseline_hazard",
    "canonical",
    "check_owned",
    "make_target",
    "result_fields",
]

# The canonical name of every family, and what else it is called.
FAMILIES = (
    "gaussian", "binomial", "multinomial", "poisson", "squared_hinge", "huber", "cox", "mgaussian",
)  # fmt: skip
ALIASES = {"logistic": "binomial", "multitask": "mgaussian"}
# Huber's constant: 95 % efficiency on normal errors whose scale is one (Huber 1981, section 4.5).
DEFAULT_DELTA = 1.35


@dataclass(frozen=True, eq=False)
class Target:
    """Hold the response of one family as its loss wants it.

    Vectors over observations and outputs are output-major: entry c * n + i is row i of output c.

    Attributes
    ----------
    family : str
        Canonical name.
    y : (n * outputs,) float64
        0 and 1 or proportions (binomial, multinomial), -1 and 1 (squared_hinge), counts (poisson), numbers
        (gaussian, huber, mgaussian), 1 for an event and 0 for a censored row (cox).
    offset : (n * outputs,) float64
        Known part of the linear predictor.
    w : (n,) float64
        Weights, sum one.
    total_weight : float
        Sum of the weights as given.
    outputs : int
        Number of linear predictors.
    fit_intercept : bool
        Whether each output has an intercept.
    classes : tuple or None
        Classes in the order of their outputs; the second one is the positive one of two.
    delta : float
        Where Huber's loss turns linear, in units of y.
    is_grouped : bool
        Whether the penalty is on the norm of a feature's coefficients over all outputs.
    risk : RiskSets or None
        The risk sets of a cox response.
    """

    family: str
    y: Float64
    offset: Float64
    w: Float64
    total_weight: float
    outputs: int
    fit_intercept: bool
    classes: tuple[Any, ...] | None
    delta: float = 0.0
    is_grouped: bool = False
    risk: RiskSets | None = None


@dataclass(frozen=True, eq=False)
class FamilyOptions:
    """Hold the options that belong to some families only, as given; None where nothing was said."""

    delta: Any = None
    scale: Any = None
    ties: Any = None
    strata: Any = None
    grouped: Any = None


# The families that each option belongs to.
OWNERS = {
    "delta": ("huber",),
    "scale": ("huber",),
    "ties": ("cox",),
    "strata": ("cox",),
    "grouped": ("multinomial", "mgaussian"),
}


@dataclass(frozen=True, eq=False)
class _Reading:
    """What a reader of y is told."""

    y: Any
    n: int
    w: Float64
    offset: Any
    fit_intercept: bool
    options: FamilyOptions

    @property
    def weighed(self) -> Float64 | None:
        """Return the weights where an intercept needs every class to have some, else None."""
        return self.w if self.fit_intercept else None


@dataclass(frozen=True, eq=False)
class _Found:
    """What a reader of y found out; y has one row per output."""

    y: Float64
    classes: tuple[Any, ...] | None = None
    delta: float = 0.0
    is_grouped: bool = False
    risk: RiskSets | None = None


def canonical(family: Any) -> str:
    """Return the canonical name of a family.

    Parameters
    ----------
    family : str
        A name, canonical or not.

    Returns
    -------
    str
        The canonical one.

    Raises
    ------
    DataError
        If there is no such family.

    Examples
    --------
    >>> canonical("logistic")
    'binomial'
    """
    name = ALIASES.get(family, family) if isinstance(family, str) else family
    if not isinstance(name, str) or name not in FAMILIES:
        known = ", ".join(repr(each) for each in (*FAMILIES, *ALIASES))
        raise DataError(wanted("family", f"be one of {known}", describe(family)))
    return name


def make_target(
    family: str, y: Any, n: int, *, w: Float64, total_weight: float, offset: Any, fit_intercept: bool,
    **options: Any,
) -> Target:  # fmt: skip
    """Check a response and return it as the loss of its family wants it.

    Parameters
    ----------
    family : str
        Any name of ``FAMILIES`` or ``ALIASES``.
    y : array-like
        The response, as the user gave it.
    n : int
        Rows of X.
    w : (n,) float64
        Weights that sum to one.
    total_weight : float
        Their sum as given.
    offset : (n,) or (n, outputs) array-like or None
        Known part of the linear predictors, as the user gave it.
    fit_intercept : bool
        Whether each output has an intercept.
    **options
        Fields of ``FamilyOptions``; None stands for the default.

    Returns
    -------
    Target
        The response, offsets, weights and what belongs to the family.

    Raises
    ------
    DataError
        If y is not what the family needs, or an option belongs to another one.
    DataTypeError
        If y or an option is of a type that cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> w = np.full(3, 1 / 3)
    >>> target = make_target(
    ...     "logistic", ["no", "yes", "no"], 3, w=w, total_weight=3.0, offset=None, fit_intercept=True
    ... )
    >>> target.family, target.y, target.classes
    ('binomial', array([0., 1., 0.]), ('no', 'yes'))
    """
    name = canonical(family)
    chosen = FamilyOptions(**options)
    check_owned(name, chosen)
    found = READERS[name](_Reading(y, n, w, offset, fit_intercept, chosen))
    outputs = len(found.y)
    return Target(
        family=name,
        y=np.ascontiguousarray(found.y.ravel()),
        offset=check_offsets(offset, n, outputs, is_shared=name != "multinomial"),
        w=w,
        total_weight=total_weight,
        outputs=outputs,
        fit_intercept=fit_intercept,
        classes=found.classes,
        delta=found.delta,
        is_grouped=found.is_grouped,
        risk=found.risk,
    )


def check_owned(family: str, options: FamilyOptions) -> None:
    """Raise for an option that belongs to another family.

    Parameters
    ----------
    family : str
        Canonical name.
    options : FamilyOptions
        As given.

    Raises
    ------
    DataError
        If an option is not None and belongs to another family.

    Examples
    --------
    >>> check_owned("huber", FamilyOptions(delta=2.0))
    """
    for field in fields(options):
        value = getattr(options, field.name)
        if value is not None and family not in OWNERS[field.name]:
            owners = " or ".join(f"family={owner!r}" for owner in OWNERS[field.name])
            came = f"{describe(value)} with family={family!r}"
            raise DataError(f"{field.name} belongs to {owners}, got {came}; leave it out")


def check_offsets(offset: Any, n: int, outputs: int, *, is_shared: bool = True) -> Float64:
    """Return the offsets of all outputs as one output-major vector, zeros for None.

    Parameters
    ----------
    offset : (n,) or (n, outputs) array-like or None
        Offsets; one column stands for all outputs.
    n, outputs : int
        Rows and outputs.
    is_shared : bool
        Whether one column may stand for several outputs: it would change nothing in a softmax.

    Returns
    -------
    (n * outputs,) float64
        C-ordered and writable.

    Raises
    ------
    DataError
        If the shape is another or an entry is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> check_offsets([1, 2], 2, 2)
    array([1., 2., 1., 2.])
    """
    if offset is None:
        return np.zeros(n * outputs)
    if outputs == 1:
        return check_vector(offset, n, "offset")
    if is_shared and np.ndim(offset) == 1:
        return np.tile(check_vector(offset, n, "offset"), outputs)
    if np.shape(offset) != (n, outputs):
        remedy = "one column per class" if not is_shared else "one column per response"
        raise DataError(wanted("offset", f"have shape ({n}, {outputs})", f"{np.shape(offset)}", remedy))
    return np.ascontiguousarray(check_responses(offset, n, "offset")[1].T).ravel()


def baseline_hazard(target: Target, eta: Float64) -> Baseline:
    """Return the cumulative baseline hazard that linear predictors leave, for ``PathResult.baseline``.

    Parameters
    ----------
    target : Target
        A cox response.
    eta : (n,) or (n, K) float64
        Linear predictors of the rows fitted on, offset included, one column per alpha.

    Returns
    -------
    Baseline
        Event times, and the logarithm of the cumulative hazard at each of them.
    """
    assert target.risk is not None
    return make_baseline(target.risk, target.w, eta)


def result_fields(target: Target) -> dict[str, Any]:
    """Return what a ``PathResult`` keeps of its target: the arguments that go by these names.

    Parameters
    ----------
    target : Target
        What was fitted.

    Returns
    -------
    dict
        family, n_outputs, classes, delta and is_grouped.
    """
    return {
        "family": target.family,
        "n_outputs": target.outputs,
        "classes": target.classes,
        "delta": target.delta,
        "is_grouped": target.is_grouped,
    }


def _read_gaussian(given: _Reading) -> _Found:
    return _Found(check_response(given.y, given.n)[None])


def _read_binomial(given: _Reading) -> _Found:
    """Two labels of any kind, or proportions of the second of two classes."""
    shares = check_fractions(given.y, given.n, given.weighed)
    if shares is not None:
        return _Found(shares[None])
    labels = check_classes(given.y, given.n, given.weighed, most=2)
    return _Found(labels.indicator(1)[None], labels.classes)


def _read_squared_hinge(given: _Reading) -> _Found:
    labels = check_classes(given.y, given.n, given.weighed, most=2)
    return _Found(2.0 * labels.indicator(1)[None] - 1.0, labels.classes)


def _read_multinomial(given: _Reading) -> _Found:
    """Labels of any kind, or rows of proportions with one column per class."""
    shape = np.shape(given.y)
    if len(shape) == 2 and shape[1] > 1:
        classes, rows = check_proportions(given.y, given.n)
        if given.weighed is not None:
            require_weight(classes, inner(rows.T, given.weighed))
        shares = np.ascontiguousarray(rows.T)
    else:
        labels = check_classes(given.y, given.n, given.weighed)
        classes = labels.classes
        shares = np.stack([labels.indicator(k) for k in range(len(classes))])
    return _Found(shares, classes, is_grouped=_flag(given.options.grouped, False))


def _read_poisson(given: _Reading) -> _Found:
    counts = check_counts(given.y, given.n)
    if given.fit_intercept and not float(inner(given.w, counts)) > 0.0:
        remedy = "without one no intercept is finite: pass fit_intercept=False or drop this response"
        raise DataError(wanted("y", "hold a count above zero in a row of positive weight", "none", remedy))
    return _Found(counts[None])


def _read_huber(given: _Reading) -> _Found:
    """Numbers, and delta in units of y or of a robust scale of y - offset."""
    y = check_response(given.y, given.n)
    options = given.options
    delta = DEFAULT_DELTA if options.delta is None else options.delta
    delta = check_real(delta, "delta", "a finite number > 0", lambda v: 0.0 < v < np.inf)
    scale = "mad" if options.scale is None else options.scale
    if isinstance(scale, str):
        if scale != "mad":
            raise DataError(wanted("scale", 'be "mad" or a number > 0', describe(scale)))
        unit = robust_scale(y - check_offsets(given.offset, given.n, 1), given.w)
    else:
        unit = check_real(scale, "scale", '"mad" or a finite number > 0', lambda v: 0.0 < v < np.inf)
    return _Found(y[None], delta=delta * unit)


def _read_cox(given: _Reading) -> _Found:
    if given.fit_intercept:
        raise DataError(
            "fit_intercept must be False for family='cox', got True; every baseline hazard contains one"
        )
    survival = check_survival(given.y, given.n)
    risk = make_risk_sets(survival, given.w, given.options.ties, given.options.strata)
    return _Found((risk.group >= 0).astype(np.float64)[None], risk=risk)


def _read_mgaussian(given: _Reading) -> _Found:
    if np.ndim(given.y) == 1:
        remedy = "lasso_path fits one response, y.reshape(-1, 1) makes it a column"
        raise DataError(wanted("y", f"have shape ({given.n}, responses)", str(np.shape(given.y)), remedy))
    if not _flag(given.options.grouped, True):
        raise DataError(
            "grouped must be True for family='mgaussian', got False; responses that share no feature are "
            "separate problems: call lasso_path for each"
        )
    _, values = check_responses(given.y, given.n)
    return _Found(np.ascontiguousarray(values.T), is_grouped=True)


READERS: dict[str, Callable[[_Reading], _Found]] = {
    "gaussian": _read_gaussian,
    "binomial": _read_binomial,
    "multinomial": _read_multinomial,
    "poisson": _read_poisson,
    "squared_hinge": _read_squared_hinge,
    "huber": _read_huber,
    "cox": _read_cox,
    "mgaussian": _read_mgaussian,
}


def _flag(value: Any, default: bool) -> bool:
    return default if value is None else check_flag(value, "grouped")
