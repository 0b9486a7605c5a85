"""Certified, warm-started L1, L2 and elastic-net regularisation paths for wide data.

>>> import fastreg
>>> data = fastreg.datasets.make_wide(n=60, p=500, n_true=3, seed=0)
>>> path = fastreg.lasso_path(data.X, data.y, fit_intercept=True)
>>> bool(path.relative_gaps.max() <= 1e-9)
True
"""

from . import convert, datasets, penalties
from ._info import info
from .api import enet_path, lasso_path, multitask_path, ridge_path
from .api_classes import logistic_path, multinomial_path, squared_hinge_path
from .api_glm import cox_path, glm_path, huber_path, poisson_path
from .certify import Certificate, certify
from .control import PathStep
from .errors import ConvergenceWarning, DataError, DataTypeError, FastregError, InputWarning, Status
from .result import InputReport, PathResult

__version__ = "0.1.0"

__all__ = [
    "Certificate",
    "ConvergenceWarning",
    "DataError",
    "DataTypeError",
    "FastregError",
    "InputReport",
    "InputWarning",
    "PathResult",
    "PathStep",
    "Status",
    "certify",
    "convert",
    "cox_path",
    "datasets",
    "enet_path",
    "glm_path",
    "huber_path",
    "info",
    "lasso_path",
    "logistic_path",
    "multinomial_path",
    "multitask_path",
    "penalties",
    "poisson_path",
    "ridge_path",
    "squared_hinge_path",
]
