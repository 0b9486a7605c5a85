"""A path as one HTML page: what the page shows of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from ._record import PathRecord
from .errors import DataError, DataTypeError
from .validate.words import describe, wanted

if TYPE_CHECKING:
    from .report import PathView

# Arguments of a path function that say nothing about the model or how it was solved.
UNTOLD = frozenset(
    ("return_n_iter", "n_alphas", "precompute", "Xy", "copy_X", "check_input", "selection", "random_state")
    + ("callback", "progress", "verbose", "feature_names", "fit_intercept", "l1_ratio", "tol", "family")
)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PathPages(PathRecord):
    """Add a page to the fields of a path."""

    def to_html(
        self,
        path: str | os.PathLike[str],
        *,
        title: str | None = None,
        cv: Any = None,
        stability: Any = None,
        details: Mapping[str, str] | None = None,
    ) -> None:
        """Write the path as one HTML page: coefficients to move along, certificates, the record of the run.

        The page loads nothing and stays under 2 MB: of very many lines it holds the largest, and says so.

        Parameters
        ----------
        path : str or path
            File to write, exactly this name.
        title : str, optional
            Title of the page; by default what was fitted.
        cv : CVResult, optional
            Cross-validation of these data: its curve is shown; the page begins at the alpha that it chose.
        stability : StabilityResult, optional
            Stability selection on these data: the probabilities are shown.
        details : mapping of str to str, optional
            Names and values for the record of the run, such as where the data come from.

        Raises
        ------
        DataError
            If cv or stability is of data with another number of features.
        DataTypeError
            If they are something else.

        Examples
        --------
        >>> import os, tempfile
        >>> from fastreg import lasso_path
        >>> path = lasso_path([[2, 0], [0, 2]], [6, 2], alphas=[6, 2, 1], fit_intercept=False)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path.to_html(os.path.join(folder, "path.html"), title="Two features")
        ...     os.listdir(folder)
        ['path.html']
        """
        from .report import choice_extra, make_page, stability_extra, write_page

        if not isinstance(details, Mapping | None):
            raise DataTypeError(wanted("details", "be a mapping of names to values", describe(details)))
        extras = []
        if cv is not None:
            p = getattr(getattr(cv, "path", None), "n_features", None)
            self._check_owner("cv", "CVResult", cv, p)
            extras.append(choice_extra(cv))
        if stability is not None:
            p = stability.shape[1] if hasattr(stability, "ranked") else None
            self._check_owner("stability", "StabilityResult", stability, p)
            extras.append(stability_extra(stability))
        page = make_page(self._view(), title=title, details=dict(details or {}), extras=extras)
        write_page(path, page)

    def _check_owner(self, name: str, kind: str, found: Any, p: int | None) -> None:
        """Refuse what is no result of this kind, or was found on other data."""
        if p is None:
            raise DataTypeError(wanted(name, f"be a {kind}", describe(found), "pass what fastreg returned"))
        if p != self.n_features:
            raise DataError(
                wanted(name, f"be of the data of this path, with {self.n_features} features", f"{p} features")
            )

    def _view(self) -> PathView:
        """Return what a page shows of this path."""
        from .report.view import MOST_LINES, PathView, shown_alphas

        k, used = shown_alphas(self.alphas.size), self._by_size()
        rows = used[:MOST_LINES]
        outputs, features = np.divmod(rows, self.n_features)
        gaps = self.relative_gaps
        several = self.n_outputs > 1
        return PathView(
            kind=self._name().strip(),
            shape=self.input_report.shape,
            outputs=tuple(self._output_name(c) for c in range(self.n_outputs)) if several else (),
            places=k,
            alphas=self.alphas[k],
            dev_ratio=self.dev_ratio[k],
            relative_gaps=gaps[k],
            norms=np.asarray(abs(self.coefs_sparse).sum(axis=0)).ravel()[k],
            counts=self.n_nonzero[k],
            n_iter=self.n_iter[k],
            intercepts=np.atleast_2d(self.intercepts)[:, k],
            lines=self._lines(rows)[:, k],
            features=features,
            line_outputs=outputs,
            names=tuple(self.label(j) for j in features.tolist()),
            n_lines=used.size,
            entry=self._entries(),
            alphas_solved=self.alphas.size,
            alphas_requested=self.alphas_requested,
            worst_gap=float(gaps.max()) if gaps.size else float("nan"),
            missed=int((gaps > self.tol).sum()),
            tol=self.tol,
            status=self.status,
            status_note=self.status_note,
            fit_time=self.fit_time,
            input_report=self.input_report,
            counters=self.counters,
            is_classifier=self.classes is not None,
            numbers=self._numbers(),
            options=self._options(),
        )

    def _entries(self) -> dict[int, tuple[int, float]]:
        """Return rank and alpha at which every feature enters."""
        merged, order = self._by_feature, self.order_of_entry()
        features, first = np.unique(merged.indices, return_index=True)
        entered = np.searchsorted(merged.indptr, first, side="right") - 1
        alphas = dict(zip(features.tolist(), self.alphas[entered].tolist(), strict=True))
        return {j: (rank, alphas[j]) for rank, j in enumerate(order.tolist(), start=1)}

    def _numbers(self) -> dict[str, Any]:
        """Return what follows from the data alone."""
        found: dict[str, Any] = {
            "alpha_max": self.alpha_max,
            "null_deviance": self.null_deviance,
            "null_objective": self.null_objective,
        }
        if self.classes is not None:
            found["classes"] = tuple(str(name) for name in self.classes)
        if self.delta:
            found["delta"] = self.delta
        return found

    def _options(self) -> dict[str, Any]:
        """Return what was asked for, as far as it is known: a path from a file has forgotten some of it."""
        known: dict[str, Any] = {"family": self.family, "l1_ratio": self.l1_ratio, "tol": self.tol}
        if self.is_grouped:
            known["grouped"] = True
        if self.source is None:
            return known
        ask = self.source.ask
        intercept = ask.fit_intercept
        if intercept is None:
            intercept = self.source.default_intercept and self.family != "cox"
        known["fit_intercept"] = bool(intercept)
        for field in fields(ask):
            value = getattr(ask, field.name)
            if field.name in UNTOLD or value is None or value is False:
                continue
            known[field.name] = value if isinstance(value, bool | int | float | str) else describe(value)
        return known
