"""What ends a path early, what is shown meanwhile, and how Ctrl-C is held back."""

import builtins
import os
import signal
import sys
import threading

import numpy as np
import pytest

import fastreg
from fastreg.control import Monitor, PathStep
from fastreg.errors import DataError, DataTypeError, Status


def _step(k=0, n_nonzero=1):
    return PathStep(k=k, alpha=0.5**k, n_nonzero=n_nonzero, relative_gap=1e-9, dev_ratio=0.25, elapsed=0.0)


def _interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def test_an_idle_monitor_lets_the_path_go_on():
    with Monitor(total=3) as monitor:
        assert [monitor.after_alpha(_step(k)) for k in range(3)] == [None, None, None]
        assert monitor.keep_going()
        assert not monitor.deadline_passed()
        assert monitor.elapsed() > 0.0


def test_max_features_ends_at_the_first_alpha_with_more():
    monitor = Monitor(total=3, max_features=2)
    assert monitor.after_alpha(_step(0, 2)) is None
    assert monitor.after_alpha(_step(1, 3)) is Status.MAX_FEATURES
    # The caller drops such an alpha, so that the grid is shorter even if it was the last.
    assert monitor.after_alpha(_step(2, 3)) is Status.MAX_FEATURES


def test_max_time_ends_the_path_unless_it_is_complete():
    monitor = Monitor(total=2, max_time=1e-9)
    assert monitor.deadline_passed()
    assert not monitor.keep_going()
    assert monitor.why_stopped() is Status.MAX_TIME
    assert monitor.after_alpha(_step(0)) is Status.MAX_TIME
    assert monitor.after_alpha(_step(1)) is None


@pytest.mark.parametrize(
    ("answer", "status"),
    [(True, Status.CALLBACK), (np.bool_(True), Status.CALLBACK), (np.bool_(False), None)]
    + [(1, None), (None, None), ("stop", None)],
)
def test_only_exactly_true_ends_the_path(answer, status):
    seen = []
    monitor = Monitor(total=2, callback=lambda step: seen.append(step) or answer)
    assert monitor.after_alpha(_step(0)) is status
    assert monitor.after_alpha(_step(1)) is None
    assert seen == [_step(0), _step(1)]


def test_an_exception_of_the_callback_is_the_callers():
    previous = signal.getsignal(signal.SIGINT)

    def fail(step):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"), Monitor(total=2, callback=fail) as monitor:
        monitor.after_alpha(_step())
    assert signal.getsignal(signal.SIGINT) is previous


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"callback": 3}, DataTypeError),
        ({"progress": "yes"}, DataTypeError),
        ({"verbose": "yes"}, DataTypeError),
        ({"max_time": -1}, DataError),
        ({"max_features": 0}, DataError),
    ],
)
def test_options_are_checked(options, error):
    with pytest.raises(error, match=next(iter(options))):
        Monitor(total=3, **options)


def test_first_interrupt_is_noted_and_the_second_raised():
    previous = signal.getsignal(signal.SIGINT)
    with Monitor(total=3) as monitor:
        _interrupt()
        assert monitor.interrupted
        assert not monitor.keep_going()
        assert monitor.why_stopped() is Status.INTERRUPTED
        assert monitor.after_alpha(_step()) is Status.INTERRUPTED
        with pytest.raises(KeyboardInterrupt):
            _interrupt()
    assert signal.getsignal(signal.SIGINT) is previous
    with pytest.raises(KeyboardInterrupt):
        _interrupt()


def test_an_inner_path_hands_its_interrupt_on():
    with Monitor(total=3) as outer:
        with Monitor(total=3) as inner:
            _interrupt()
        assert inner.interrupted
        assert outer.interrupted


def test_an_ignored_interrupt_stays_ignored():
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Monitor(total=3) as monitor:
            _interrupt()
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert not monitor.interrupted
    finally:
        signal.signal(signal.SIGINT, previous)


def test_a_handler_installed_meanwhile_is_left_alone():
    previous = signal.getsignal(signal.SIGINT)
    try:
        with Monitor(total=3):
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, previous)


def test_a_refused_handler_is_done_without(monkeypatch):
    def refuse(number, handler):
        raise ValueError("signal only works in main thread of the main interpreter")

    monkeypatch.setattr(signal, "signal", refuse)
    with Monitor(total=1) as monitor:
        assert monitor.after_alpha(_step()) is None


def test_other_threads_install_nothing():
    seen = []

    def work():
        with Monitor(total=3):
            seen.append(signal.getsignal(signal.SIGINT))

    previous = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [previous]


def test_verbose_writes_one_line_per_alpha(capsys):
    with Monitor(total=2, verbose=True) as monitor:
        for k in range(2):
            monitor.after_alpha(_step(k))
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("alpha 2/2  5.0000e-01  1 features  deviance 0.2500  gap 1.0e-09")


def _without_tqdm(monkeypatch):
    real = builtins.__import__

    def fake(name, *args, **kwargs):
        if name.startswith("tqdm"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", fake)


@pytest.mark.parametrize("verbose", [False, True])
def test_plain_progress(capsys, monkeypatch, verbose):
    _without_tqdm(monkeypatch)
    with Monitor(total=2, progress=True, verbose=verbose) as monitor:
        for k in range(2):
            monitor.after_alpha(_step(k))
    captured = capsys.readouterr()
    assert "path: 2/2 alphas" in captured.err
    assert captured.out == ""


class _FakeBar:
    """Stands in for tqdm, which may not be installed."""

    made: "list[_FakeBar]" = []

    def __init__(self, total, desc, unit, file):
        self.total, self.n, self.lines, self.closed = total, 0, [], False
        _FakeBar.made.append(self)

    def update(self, by):
        self.n += by

    def write(self, line, file):
        self.lines.append(line)

    def close(self):
        self.closed = True


def test_progress_with_tqdm(monkeypatch):
    module = type(sys)("tqdm")
    module.tqdm = _FakeBar
    monkeypatch.setitem(sys.modules, "tqdm", module)
    with Monitor(total=2, progress=True, verbose=True) as monitor:
        for k in range(2):
            monitor.after_alpha(_step(k))
    bar = _FakeBar.made[-1]
    assert (bar.total, bar.n, len(bar.lines), bar.closed) == (2, 2, 2, True)


def test_without_stderr(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with Monitor(total=1, verbose=True) as monitor:
        assert monitor.after_alpha(_step()) is None


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_a_long_step_is_taken_in_short_ones(l1_ratio):
    rng = np.random.default_rng(4)
    X = np.asfortranarray(rng.standard_normal((40, 200)))
    y = X[:, :5].sum(axis=1) + rng.standard_normal(40)
    whole = fastreg.enet_path(X, y, l1_ratio=l1_ratio, alphas=30, eps=1e-2, fit_intercept=True)
    seen = []
    options = {"l1_ratio": l1_ratio, "fit_intercept": True}
    lone = fastreg.enet_path(X, y, alphas=whole.alphas[[0, -1]], callback=seen.append, **options)
    assert lone.alphas.tolist() == whole.alphas[[0, -1]].tolist()
    assert [step.k for step in seen] == [0, 1]
    assert lone.coefs.shape == (200, 2)
    assert lone.alphas_requested == 2
    np.testing.assert_allclose(lone.coefs, whole.coefs[:, [0, -1]], atol=1e-8)
    # Stepping stones are screened like any alpha: two screenings alone would mean that there were none.
    assert 2 + 5 <= lone.counters["screenings"] < 30
    unwatched = fastreg.enet_path(X, y, alphas=whole.alphas[[0, -1]], **options)
    np.testing.assert_array_equal(unwatched.coefs, lone.coefs)


def test_a_tolerance_of_zero_is_met_at_rounding_only() -> None:
    rng = np.random.default_rng(0)
    design, response = rng.standard_normal((30, 80)), rng.standard_normal(30)
    asked = {"alphas": 10, "eps": 1e-2, "tol": 0.0, "fit_intercept": True}
    assert fastreg.lasso_path(design, response, **asked).status is fastreg.Status.CONVERGED
    with pytest.warns(fastreg.ConvergenceWarning):
        cut_short = fastreg.lasso_path(design, response, max_iter=1, **asked)
    assert cut_short.status is fastreg.Status.NOT_CONVERGED
