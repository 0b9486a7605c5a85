"""Long paths cut short by Ctrl-C, the clock or the caller: what was finished comes back certified."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import numpy as np
import pytest

import fastreg
from fastreg import Status, certify

pytestmark = pytest.mark.compiled_only


@pytest.fixture(scope="module")
def long_path() -> tuple[Any, Any, dict[str, Any]]:
    """Return a problem whose path takes seconds, with the kernels it needs already compiled."""
    data = fastreg.datasets.make_correlated(n=400, p=8000, rho=0.5, seed=0)
    options = {"alphas": 20_000, "eps": 1e-3, "fit_intercept": True}
    fastreg.lasso_path(data.X, data.y, alphas=3, fit_intercept=True)
    return data.X, data.y, options


def _check_part(X: Any, y: Any, path: fastreg.PathResult, status: Status) -> None:
    assert path.status is status
    assert not path.status.finished
    assert 0 < len(path.alphas) < path.alphas_requested
    assert np.isfinite(path.coefs_sparse.data).all()
    last = fastreg.lasso_path(X, y, alphas=path.alphas[-1:], fit_intercept=True)
    assert last.relative_gaps[0] <= 1e-9
    evidence = certify(X, y, path.coefs[:, -1], path.intercepts[-1], path.alphas[-1], fit_intercept=True)
    assert evidence.relative_gap <= 1e-9


def test_ctrl_c_returns_the_finished_part(long_path: Any) -> None:
    X, y, options = long_path
    timer = threading.Timer(0.4, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    path = fastreg.lasso_path(X, y, **options)
    timer.join()
    _check_part(X, y, path, Status.INTERRUPTED)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_max_time_returns_the_finished_part(long_path: Any) -> None:
    X, y, options = long_path
    path = fastreg.lasso_path(X, y, max_time=0.4, **options)
    _check_part(X, y, path, Status.MAX_TIME)


def test_a_callback_ends_the_path(long_path: Any) -> None:
    X, y, options = long_path
    path = fastreg.lasso_path(X, y, callback=lambda step: step.n_nonzero >= 5, **options)
    _check_part(X, y, path, Status.CALLBACK)
    assert path.n_nonzero[-1] >= 5
    assert path.n_nonzero[-2] < 5


def test_max_features_ends_before_the_first_alpha_beyond(long_path: Any) -> None:
    X, y, options = long_path
    path = fastreg.lasso_path(X, y, max_features=7, **options)
    _check_part(X, y, path, Status.MAX_FEATURES)
    assert path.n_nonzero.max() <= 7
