"""scikit-learn's interface to the paths: estimators with ``fit``, ``predict`` and ``score``.

They need scikit-learn 1.6 or newer (``pip install 'fastreg-paths[sklearn]'``) and are loaded when
``fastreg.estimators`` is first asked for.

>>> from fastreg.estimators import Lasso
>>> Lasso(alpha=0.5).fit([[0.0], [1.0], [2.0]], [0.0, 2.0, 4.0]).coef_.round(6)
array([1.25])
"""

try:
    # The oldest release that has it is the oldest one supported.
    from sklearn.utils.validation import validate_data as _of_1_6  # noqa: F401
except ImportError as problem:
    raise ImportError(
        "fastreg.estimators needs scikit-learn >= 1.6: pip install 'fastreg-paths[sklearn]'"
    ) from problem

from .classification import (
    SparseLinearSVC,
    SparseLinearSVCCV,
    SparseLogisticRegression,
    SparseLogisticRegressionCV,
)
from .regression import (
    ElasticNet,
    Lasso,
    MultiTaskLasso,
    Ridge,
    SparseHuberRegressor,
    SparsePoissonRegressor,
)
from .regression_cv import (
    ElasticNetCV,
    LassoCV,
    MultiTaskLassoCV,
    RidgeCV,
    SparseHuberRegressorCV,
    SparsePoissonRegressorCV,
)
from .stability import StabilitySelector
from .survival import SparseCoxRegressor, SparseCoxRegressorCV

__all__ = [
    "ElasticNet",
    "ElasticNetCV",
    "Lasso",
    "LassoCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "Ridge",
    "RidgeCV",
    "SparseCoxRegressor",
    "SparseCoxRegressorCV",
    "SparseHuberRegressor",
    "SparseHuberRegressorCV",
    "SparseLinearSVC",
    "SparseLinearSVCCV",
    "SparseLogisticRegression",
    "SparseLogisticRegressionCV",
    "SparsePoissonRegressor",
    "SparsePoissonRegressorCV",
    "StabilitySelector",
]
