"""One adapter per solver, all alike: ``solve(problem, alphas, tol) -> coefs (p, K), seconds``."""

from __future__ import annotations

from benchmarks.peers.adelie import Adelie, AdelieGram
from benchmarks.peers.base import Peer, Unavailable
from benchmarks.peers.celer import Celer
from benchmarks.peers.glmnet import Glmnet
from benchmarks.peers.ours import Fastreg
from benchmarks.peers.skglm import Skglm
from benchmarks.peers.sklearn import ScikitLearn

__all__ = ["OURS", "PEERS", "Peer", "Unavailable", "make"]

OURS = Fastreg.name
PEERS: dict[str, type[Peer]] = {
    solver.name: solver for solver in (Fastreg, Glmnet, Adelie, AdelieGram, Celer, ScikitLearn, Skglm)
}


def make(name: str) -> Peer:
    """Return a ready adapter; raise KeyError for an unknown name, Unavailable for an absent peer."""
    if name not in PEERS:
        raise KeyError(f"unknown solver {name!r}; known: {', '.join(PEERS)}")
    return PEERS[name]()
