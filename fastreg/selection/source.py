"""The data of a path, for what needs them again: refits, more alphas, proofs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .._typing import Float64
from ..errors import DataError
from ..request import Request, Study, make_study
from ..result import PathResult


@dataclass(frozen=True, eq=False)
class Source:
    """Hold X, y and the request exactly as they were given: the user's own objects, no copies."""

    X: Any
    y: Any
    ask: Request
    default_intercept: bool
    # Share of the path itself in a relaxed one.
    gamma: float = 1.0

    def study(self, **changes: Any) -> Study:
        """Return the study that was fitted, with some fields of the request changed; no one watches it."""
        study = make_study(self.X, self.y, self.ask, default_intercept=self.default_intercept)
        silent = {"callback": None, "progress": False, "verbose": False, "max_features": None}
        return study.asking(**(silent | {"max_time": None, "coef_init": None} | changes))

    def criterion(self, path: PathResult, name: Any, gamma: Any, noise: Any) -> Float64:
        """Return a criterion of a path; see ``PathResult.criterion``."""
        from .criteria import criterion

        return criterion(self.study(), path, name, gamma=gamma, noise=noise, share=self.gamma)

    def best(self, path: PathResult, name: Any, gamma: Any, noise: Any) -> float:
        """Return the alpha of a criterion's minimum; see ``PathResult.best``."""
        from .criteria import best

        return best(self.criterion(path, name, gamma, noise), path.alphas)

    def degrees_of_freedom(self, path: PathResult) -> Float64:
        """Return degrees of freedom; see ``PathResult.degrees_of_freedom``."""
        from .freedom import degrees_of_freedom

        return degrees_of_freedom(self.study(), path, share=self.gamma)

    def noise_variance(self, path: PathResult) -> float:
        """Return the estimated variance of the errors; see ``PathResult.noise_variance``."""
        from .noise import noise_variance

        if path.family not in ("gaussian", "mgaussian"):
            raise DataError(f"noise_variance belongs to least squares, got family={path.family!r}")
        return noise_variance(self.study())

    def leave_one_out(self, path: PathResult) -> Float64:
        """Return leave-one-out residuals; see ``PathResult.leave_one_out``."""
        from .freedom import leave_one_out

        self._require_path("leave_one_out")
        return leave_one_out(self.study(), path)

    def relax(self, path: PathResult, gamma: Any) -> PathResult:
        """Return the relaxed path, of which nothing can be refitted; see ``PathResult.relax``."""
        from .relaxed import relaxed

        self._require_path("relax")
        found = relaxed(self.study(), path, gamma)
        return replace(found, source=replace(self, gamma=float(gamma)))

    def with_k_features(self, path: PathResult, k: Any) -> PathResult:
        """Return the path of one alpha with k features; see ``PathResult.with_k_features``."""
        from .exactly import with_k_features
        from .relaxed import relaxed

        study = self.study()
        found = with_k_features(study, self._unrelaxed(study, path), k)
        return replace(relaxed(study, found, self.gamma), source=self)

    def support(self, path: PathResult, alpha: Any) -> Any:
        """Return the certified support; see ``PathResult.support``."""
        from .proofs import certified_support

        study = self.study()
        return certified_support(study, self._unrelaxed(study, path), alpha)

    def _require_path(self, what: str) -> None:
        """Raise for a path that is relaxed already."""
        if self.gamma != 1.0:
            raise DataError(
                f"{what} must be asked of the path itself, got one relaxed with gamma={self.gamma:g}"
            )

    def _unrelaxed(self, study: Study, path: PathResult) -> PathResult:
        """Return the path that a relaxed one came from."""
        if self.gamma == 1.0 or not path.alphas.size:
            return path
        return study.asking(alphas=path.alphas, n_alphas=None).fit_whole()
