"""Estimators of classes: logistic and multinomial regression, the linear support vector machine."""

from __future__ import annotations

from dataclasses import dataclass, field

from ._choice import ChosenAlpha, GivenAlpha, Mixed
from ._kinds import Margins, Probabilities
from ._texts import HINGE, LOGISTIC, explained

__all__ = [
    "SparseLinearSVC",
    "SparseLinearSVCCV",
    "SparseLogisticRegression",
    "SparseLogisticRegressionCV",
]


@explained(**LOGISTIC)
@dataclass(eq=False, repr=False, kw_only=True)
class SparseLogisticRegression(Probabilities, Mixed, GivenAlpha):
    """Fit sparse logistic regression of two classes, multinomial regression of more, at one alpha.

    {objective}

    scikit-learn's ``LogisticRegression`` multiplies the loss instead of the penalty: its C is
    1 / (alpha * sum_i w_i) (``fastreg.convert.from_sklearn_c``).

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    fastreg.logistic_path, fastreg.multinomial_path : The same along a path of alphas.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg.estimators import SparseLogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((80, 200))
    >>> y = np.where(X[:, 3] - X[:, 8] + 0.3 * rng.standard_normal(80) > 0, "ill", "well")
    >>> model = SparseLogisticRegression(alpha=0.12).fit(X, y)
    >>> model.classes_.tolist(), np.flatnonzero(model.coef_[0])
    (['ill', 'well'], array([3, 8]))
    >>> model.predict_proba(X[:3]).sum(axis=1).round(12)
    array([1., 1., 1.])
    """

    alpha: float = field(default=0.01, kw_only=False)


@explained(**HINGE)
@dataclass(eq=False, repr=False, kw_only=True)
class SparseLinearSVC(Margins, Mixed, GivenAlpha):
    """Fit the sparse linear support vector machine with squared hinge, at one alpha.

    {objective}

    scikit-learn's ``LinearSVC(loss="squared_hinge", C=C)`` minimises the same at alpha = 1 / (2 C n) and
    l1_ratio 1 or 0, but it penalises the intercept. As there, each of more than two classes is told from all
    others: ``alpha_``, ``dual_gap_``, ``n_iter_`` and ``path_`` have one entry per class then.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    fastreg.squared_hinge_path : The same along a path of alphas.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg.estimators import SparseLinearSVC
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 150))
    >>> model = SparseLinearSVC(alpha=0.1).fit(X, X[:, 2] > 0)
    >>> np.flatnonzero(model.coef_[0])[:1], model.score(X, X[:, 2] > 0) > 0.95
    (array([2]), True)
    """

    alpha: float = field(default=0.01, kw_only=False)


@explained(**LOGISTIC)
@dataclass(eq=False, repr=False, kw_only=True)
class SparseLogisticRegressionCV(Probabilities, Mixed, ChosenAlpha):
    """Fit sparse logistic or multinomial regression at the alpha that cross-validation chooses.

    {objective}

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    fastreg.cv_path : The same as a function.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg.estimators import SparseLogisticRegressionCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((90, 60))
    >>> y = np.where(X[:, 3] - X[:, 8] + 0.3 * rng.standard_normal(90) > 0, "ill", "well")
    >>> model = SparseLogisticRegressionCV(scoring="auc", alphas=20).fit(X, y)
    >>> bool(model.coef_[0, 3] < 0 < model.coef_[0, 8]), bool(model.score(X, y) > 0.9)
    (True, True)
    """


@explained(**HINGE)
@dataclass(eq=False, repr=False, kw_only=True)
class SparseLinearSVCCV(Margins, Mixed, ChosenAlpha):
    """Fit the sparse linear support vector machine at the alpha that cross-validation chooses.

    {objective}

    Each of more than two classes is told from all others at an alpha of its own: ``alpha_``, ``dual_gap_``,
    ``n_iter_``, ``l1_ratio_``, ``alphas_``, ``path_`` and ``cv_`` have one entry per class then.

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    {attributes}

    See Also
    --------
    fastreg.cv_path : The same as a function.

    Examples
    --------
    >>> import numpy as np
    >>> from fastreg.estimators import SparseLinearSVCCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.standard_normal((60, 40))
    >>> model = SparseLinearSVCCV(scoring="accuracy", alphas=20).fit(X, X[:, 2] > 0)
    >>> bool(model.coef_[0].argmax() == 2 and model.score(X, X[:, 2] > 0) > 0.9)
    True
    """
