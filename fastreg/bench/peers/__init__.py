"""One adapter per solver, all alike: ``solve(problem, alphas, tol) -> coefs (p, K), seconds``."""

from __future__ import annotations

from collections.abc import Iterable

from .adelie import Adelie, AdelieGram
from .base import Missing, Peer, Unavailable
from .celer import Celer
from .glmnet import Glmnet
from .glum import Glum
from .ours import Fastreg
from .scikit_learn import ScikitLearn
from .skglm import Skglm

__all__ = ["OURS", "PEERS", "Missing", "Peer", "Unavailable", "make", "ready"]

OURS = Fastreg.name
PEERS: dict[str, type[Peer]] = {
    solver.name: solver for solver in (Fastreg, Glmnet, Adelie, AdelieGram, Celer, ScikitLearn, Skglm, Glum)
}


def make(name: str) -> Peer:
    """Return a ready adapter.

    Parameters
    ----------
    name : str
        One of PEERS.

    Returns
    -------
    Peer
        The adapter; `Peer.close` frees what it keeps.

    Raises
    ------
    KeyError
        If the name is unknown.
    Missing
        If the solver is not installed.

    Examples
    --------
    >>> make("fastreg").default
    1e-07
    """
    if name not in PEERS:
        raise KeyError(f"unknown solver {name!r}; known: {', '.join(PEERS)}")
    return PEERS[name]()


def ready(names: Iterable[str]) -> tuple[list[Peer], dict[str, str]]:
    """Return the adapters of the solvers that are installed, and why the others are not there.

    Parameters
    ----------
    names : iterable of str
        Some of PEERS.

    Returns
    -------
    solvers : list of Peer
        Ready adapters, in the order of names.
    missing : dict of str to str
        For each other name what is missing and how to install it.

    Examples
    --------
    >>> solvers, missing = ready(["fastreg"])
    >>> solvers[0].name, missing
    ('fastreg', {})
    """
    solvers: list[Peer] = []
    missing: dict[str, str] = {}
    for name in names:
        try:
            solvers.append(make(name))
        except Missing as reason:
            missing[name] = str(reason)
    return solvers, missing
