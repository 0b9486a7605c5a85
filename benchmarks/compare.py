"""Compare two commits of this repository: has a case become slower, has work been added?

* ``python benchmarks/compare.py HEAD~1 HEAD``
* ``python benchmarks/compare.py main WORKTREE --cases genes ar05_500x20000``
* ``python benchmarks/compare.py HEAD . --cases smoke --json``

BASE and HEAD are commits, or ``.`` or ``WORKTREE`` for the files as they lie here. Each is copied into a
temporary folder. Fresh processes alternate between the two (A B A B ...), with warm kernels; the best time
counts. A case that looks slower is measured once more before that is said. Exit code 1 if a case is slower by
more than 15 % and by more than 2 ms; work counters that rose are printed beside.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.problems import CASES, GROUPS, MissingData, Problem, expand, load
from fastreg.bench.machine import describe

ROOT = Path(__file__).resolve().parents[1]
WORKER = Path(__file__).with_name("compare_worker.py")
STANDARD = ("leukemia", "riboflavin", "khan", "ar05_500x20000", "tall_20000x500", "rt_polarity")
UNCOMMITTED = (".", "WORKTREE")
# What counts as slower: both, so that neither a noisy millisecond nor a large share of nothing does.
SLOWER_SHARE, SLOWER_SECONDS = 0.15, 2e-3
# Counters differ by a few without a cause: NumPy's sums depend on where an array happens to lie.
RISEN_SHARE = 0.01


@dataclass
class Side:
    """One of the two states of the repository.

    ``tree`` holds its package, ``cache`` its compiled kernels.
    """

    name: str
    commit: str
    tree: Path
    cache: Path


@dataclass
class Result:
    """All runs of one case, keyed by "base" and "head"."""

    case: str
    times: dict[str, list[float]] = field(default_factory=lambda: {"base": [], "head": []})
    counters: dict[str, dict[str, int]] = field(default_factory=dict)
    gaps: dict[str, float] = field(default_factory=dict)

    def best(self, side: str) -> float:
        """Return the best time of a side in seconds."""
        return min(self.times[side])

    @property
    def is_slower(self) -> bool:
        """Tell whether head is slower by more than noise explains."""
        more = self.best("head") - self.best("base")
        return more > SLOWER_SECONDS and more > SLOWER_SHARE * self.best("base")

    @property
    def risen(self) -> dict[str, tuple[int, int]]:
        """Return the counters that rose, with both values; one that base did not have is no rise."""
        base = self.counters["base"]
        both = {name: (base[name], value) for name, value in self.counters["head"].items() if name in base}
        return {name: (old, new) for name, (old, new) in both.items() if new > (1.0 + RISEN_SHARE) * old}

    def record(self) -> dict[str, Any]:
        """Return the result as plain data."""
        return {
            "case": self.case,
            "base_seconds": self.best("base"),
            "head_seconds": self.best("head"),
            "ratio": self.best("head") / self.best("base"),
            "is_slower": self.is_slower,
            "risen_counters": self.risen,
            "times": self.times,
            "counters": self.counters,
            "worst_relative_gap": self.gaps,
        }


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("base", metavar="BASE")
    parser.add_argument("head", metavar="HEAD")
    parser.add_argument(
        "--cases",
        nargs="+",
        default=list(STANDARD),
        metavar="CASE",
        help=f"cases, or groups ({', '.join(GROUPS)}); default: {', '.join(STANDARD)}",
    )
    parser.add_argument("--rounds", type=int, default=5, help="processes per side and case (default 5)")
    parser.add_argument("--repeats", type=int, default=3, help="timed paths per process (default 3)")
    parser.add_argument("--tol", type=float, default=1e-7, help="tolerance of both (default 1e-7)")
    parser.add_argument("--cache", type=Path, help="keep compiled kernels here (default: temporary)")
    parser.add_argument("--no-verdict", action="store_true", help="exit 0 whatever the times are")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    chosen = parser.parse_args(arguments)
    chosen.cases = expand(chosen.cases)
    unknown = [case for case in chosen.cases if case not in CASES]
    if unknown:
        parser.error(f"unknown case {unknown[0]!r}; known: {', '.join(CASES)}; groups: {', '.join(GROUPS)}")
    return chosen


def git(*arguments: str) -> bytes:
    """Run git in this repository; raise SystemExit with what it said if it fails."""
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        raise SystemExit("git is not installed: only . and WORKTREE can be compared") from None
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def check_out(name: str, folder: Path, cache: Path | None) -> Side:
    """Copy the package as it is in a commit, or lies here, into the folder.

    git archive, not git worktree: nothing is written into the repository, so nothing has to be cleaned up in
    it, whatever ends this process, and no hook runs.
    """
    tree = folder / "tree"
    tree.mkdir(parents=True)
    if name in UNCOMMITTED:
        commit = "uncommitted"
        shutil.copytree(ROOT / "fastreg", tree / "fastreg", ignore=shutil.ignore_patterns("__pycache__"))
    else:
        commit = git("rev-parse", "--verify", "--short=12", f"{name}^{{commit}}").decode().strip()
        archive = git("archive", "--format=tar", commit, "fastreg")
        subprocess.run(["tar", "-x", "-C", str(tree)], input=archive, check=True)
    if cache is None:
        # Sides with equal kernels share them: they would be the same, compiled twice.
        cache = folder.parent / f"kernels-{kernel_digest(tree / 'fastreg')}"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Side(name, commit, tree, cache)


def kernel_digest(package: Path) -> str:
    """Return a hash of all that is compiled, and of the module that compiles it."""
    state = hashlib.sha256()
    for source in [package / "_jit.py", package / "_typing.py", *sorted((package / "kernels").rglob("*.py"))]:
        state.update(source.name.encode() + b"\0" + source.read_bytes())
    return state.hexdigest()[:16]


def write_case(problem: Problem, folder: Path) -> None:
    """Write the problem where both sides read it: an old commit need not know how to make it."""
    folder.mkdir()
    for name in ("y", "alphas", "l1_ratio", "family", "null_objective"):
        np.save(folder / f"{name}.npy", getattr(problem, name))
    if problem.is_sparse:
        for part in ("data", "indices", "indptr", "shape"):
            np.save(folder / f"X_{part}.npy", getattr(problem.X, part))
    else:
        np.save(folder / "XT.npy", problem.X.T)


def run_once(side: Side, case: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """Return what a fresh process with this side's package measured."""
    environment = {
        **os.environ,
        "FASTREG_CACHE_DIR": str(side.cache),
        "PYTHONPATH": str(side.tree),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    options = json.dumps({"tol": chosen.tol})
    command = [sys.executable, str(WORKER), str(case), str(side.tree), str(chosen.repeats), options]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{side.name} failed on {case.name}:\n{done.stderr.strip()}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure(case: Path, sides: dict[str, Side], chosen: argparse.Namespace) -> Result:
    """Alternate between the sides; twice as often where head looks slower."""
    result = Result(case.name)
    for attempt in range(2):
        for _ in range(chosen.rounds):
            for key, side in sides.items():
                seen = run_once(side, case, chosen)
                result.times[key] += seen["times"]
                result.counters[key], result.gaps[key] = seen["counters"], seen["gap"]
        if attempt or chosen.no_verdict or not result.is_slower:
            break
    return result


def line(result: Result, verdict: bool) -> str:
    """Return a row of the table."""
    base, head = result.best("base"), result.best("head")
    cells = [
        result.case,
        f"{1e3 * base:.2f} ms",
        f"{1e3 * head:.2f} ms",
        f"{head / base:.2f}",
        "SLOWER" if verdict and result.is_slower else "",
        " -> ".join(f"{result.gaps[side]:.0e}" for side in ("base", "head")),
        ", ".join(f"{name} {old} -> {new}" for name, (old, new) in result.risen.items()),
    ]
    return f"| {' | '.join(cells)} |"


def compare(chosen: argparse.Namespace, scratch: Path) -> tuple[dict[str, Side], list[Result]]:
    """Measure every case, printing rows as they come."""
    sides = {key: check_out(getattr(chosen, key), scratch / key, chosen.cache) for key in ("base", "head")}
    say = (lambda *_: None) if chosen.json else (lambda text: print(text, flush=True))
    titles = [f"{side.name} ({side.commit})" for side in sides.values()]
    say("| " + " | ".join(["case", *titles, "ratio", "verdict", "worst gap", "counters that rose"]) + " |")
    say("|---|---|---|---|---|---|---|")
    results = []
    for name in chosen.cases:
        try:
            problem = load(name)
        except (MissingData, ImportError) as reason:
            print(f"{name}: skipped, {reason}", file=sys.stderr)
            continue
        write_case(problem, scratch / name)
        del problem
        results.append(measure(scratch / name, sides, chosen))
        say(line(results[-1], not chosen.no_verdict))
        shutil.rmtree(scratch / name)
    return sides, results


def main(arguments: list[str] | None = None) -> int:
    """Compare, print, and return 1 if a case became slower (2 if nothing was measured)."""
    chosen = parse(arguments)
    if chosen.cache is not None:
        chosen.cache = chosen.cache.resolve()
    # A polite end removes the scratch folder too; Ctrl-C does so by itself.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="fastreg-compare-") as scratch:
        sides, results = compare(chosen, Path(scratch))
    slower = [result.case for result in results if result.is_slower]
    if chosen.json:
        record = {
            **{key: {"name": side.name, "commit": side.commit} for key, side in sides.items()},
            "machine": describe(),
            "tol": chosen.tol,
            "cases": [result.record() for result in results],
            "slower": slower,
        }
        print(json.dumps(record, indent=1))
    elif slower and not chosen.no_verdict:
        print(f"slower: {', '.join(slower)}")
    if not results:
        print("no case could be measured", file=sys.stderr)
        return 2
    return 1 if slower and not chosen.no_verdict else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
