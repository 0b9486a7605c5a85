"""scikit-learn's own checks of estimators, without an exception for any of them."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

import fastreg
from fastreg import estimators

NAMES = sorted(estimators.__all__)
# Short grids and few halves, for time; they pass with the defaults as well. On a grid so short curved losses
# stop further from the optimum than the 1e-7 to which two ways of giving the same data have to agree.
QUICK = {"alphas": 4, "cv": 3, "tol": 1e-11}, {"pairs": 2}


def quick(cls: Any) -> Any:
    known = inspect.signature(cls).parameters
    settings = next((each for each in QUICK if each.keys() <= known.keys()), {})
    return cls(**settings)


ALL = [quick(getattr(estimators, name)) for name in NAMES]


@pytest.mark.compiled_only
@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(ALL)
def test_scikit_learns_checks(estimator: Any, check: Callable[[Any], None]) -> None:
    # Its checks warn on purpose: of columns of y, of data that are no numbers.
    check(estimator)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_and_attribute_is_described(name: str) -> None:
    cls = getattr(estimators, name)
    doc = inspect.getdoc(cls) or ""
    headings = re.findall(r"^([A-Z][A-Za-z ]+)\n-{3,}$", doc, flags=re.MULTILINE)
    assert headings == ["Parameters", "Attributes", "See Also", "Examples"]
    described = {
        word.strip()
        for line in re.findall(r"^([\w, ]+) : ", doc, flags=re.MULTILINE)
        for word in line.split(",")
    }
    assert set(inspect.signature(cls).parameters) - described == set()
    assert not re.search(r"^\s*\{\w+\}$", doc, flags=re.MULTILINE), "a block that was not filled"


@pytest.mark.parametrize("name", NAMES)
def test_alpha_is_all_that_may_stand_without_its_name(name: str) -> None:
    parameters = inspect.signature(getattr(estimators, name)).parameters.values()
    positional = [each.name for each in parameters if each.kind is not each.KEYWORD_ONLY]
    assert positional == (["alpha"] if "alpha" in {each.name for each in parameters} else [])


@pytest.mark.parametrize("name", NAMES)
def test_clones_are_equal(name: str) -> None:
    model = getattr(estimators, name)(penalty_factor=[1.0, 0.5], tol=1e-3)
    copy = clone(model)
    assert copy is not model
    assert copy.get_params() == model.get_params()
    assert repr(model) == f"{name}(penalty_factor=[1.0, 0.5], tol=0.001)"


def test_the_module_is_loaded_when_asked_for() -> None:
    code = "import sys, fastreg; early = 'sklearn' in sys.modules; print(early, fastreg.estimators.Lasso())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "False Lasso()\n"
    with pytest.raises(AttributeError, match="has no attribute 'estimator'"):
        fastreg.estimator  # noqa: B018


def test_without_scikit_learn_the_remedy_is_named() -> None:
    code = "import sys; sys.modules['sklearn'] = None; import fastreg; fastreg.estimators"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 1
    assert "ImportError: fastreg.estimators needs scikit-learn >= 1.6" in found.stderr
    assert "pip install 'fastreg-paths[sklearn]'" in found.stderr
