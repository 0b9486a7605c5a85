"""Certified, warm-started L1, L2 and elastic-net regularisation paths for wide data.

>>> import fastreg
>>> data = fastreg.datasets.make_wide(n=60, p=500, n_true=3, seed=0)
>>> path = fastreg.lasso_path(data.X, data.y, fit_intercept=True)
>>> bool(path.relative_gaps.max() <= 1e-9)
True
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import convert, datasets, penalties
from ._info import info
from .api import enet_path, lasso_path, multitask_path, ridge_path
from .api_classes import logistic_path, multinomial_path, squared_hinge_path
from .api_glm import cox_path, glm_path, huber_path, poisson_path
from .certify import Certificate, certify
from .control import PathStep
from .errors import ConvergenceWarning, DataError, DataTypeError, FastregError, InputWarning, Status
from .result import InputReport, PathResult

if TYPE_CHECKING:
    from . import estimators, plots
    from .api_adaptive import adaptive_path
    from .api_cv import cv_path
    from .api_stability import multi_split, stability_selection
    from .selection.cv_curve import CVCurve
    from .selection.cv_result import CVResult
    from .selection.multisplit_result import MultiSplitResult
    from .selection.proofs import CertifiedSupport
    from .selection.stability_result import StabilityResult

__version__ = "0.1.0"

# What a path does not need is loaded when it is first asked for; None names a module of its own.
_LATER = {
    "CVCurve": "selection.cv_curve",
    "CVResult": "selection.cv_result",
    "CertifiedSupport": "selection.proofs",
    "MultiSplitResult": "selection.multisplit_result",
    "StabilityResult": "selection.stability_result",
    "adaptive_path": "api_adaptive",
    "cv_path": "api_cv",
    "estimators": None,
    "multi_split": "api_stability",
    "plots": None,
    "stability_selection": "api_stability",
}

__all__ = [
    "CVCurve",
    "CVResult",
    "Certificate",
    "CertifiedSupport",
    "ConvergenceWarning",
    "DataError",
    "DataTypeError",
    "FastregError",
    "InputReport",
    "InputWarning",
    "MultiSplitResult",
    "PathResult",
    "PathStep",
    "StabilityResult",
    "Status",
    "adaptive_path",
    "certify",
    "convert",
    "cox_path",
    "cv_path",
    "datasets",
    "enet_path",
    "glm_path",
    "huber_path",
    "info",
    "lasso_path",
    "logistic_path",
    "multi_split",
    "multinomial_path",
    "multitask_path",
    "penalties",
    "poisson_path",
    "ridge_path",
    "squared_hinge_path",
    "stability_selection",
]


def __getattr__(name: str) -> Any:
    """Load what was left for later."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _LATER[name]
    found = import_module(f".{home or name}", __name__)
    if home is not None:
        found = getattr(found, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
