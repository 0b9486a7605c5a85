"""The result of stability selection: tables, pictures, files, and more pairs."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from scipy import sparse

from .. import _draw, _render, _store
from .._draw_stability import draw_stability
from .._record import FAMILY_WORDS
from ..errors import DataError, Status
from ..validate.options import check_count
from .stability_record import ARRAYS, COUNTS, PARTS, StabilityRecord, Wish

__all__ = ["StabilityResult", "Wish"]

FORMAT, VERSION = "fastreg.StabilityResult", 1


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class StabilityResult(StabilityRecord):
    """Hold how often every feature was chosen by halves of the rows, and the features chosen stably.

    Parameters
    ----------
    alphas : float64 ndarray of shape (K,)
        The grid of all halves, largest first.
    alpha_max : float
        Smallest alpha at which all rows choose nothing.
    tally : csc_array of int64, shape (p, K)
        Halves that chose a feature at an alpha (form "region"), or into which it entered there ("first").
    together : csc_array of int64, shape (p, 1)
        Pairs of which both halves chose a feature at some alpha.
    sizes : int64 ndarray of shape (2 pairs,)
        Features that each half chose.
    done : int64 ndarray of shape (pairs,)
        Numbers of the pairs that were finished.
    pairs_asked : int
        Pairs that were asked for.
    wish : Wish
        q, threshold, max_false, bound and form, as asked for.
    q_asked : int
        Features that a half chooses at most (form "first"), or all rows at the end of the region.
    seed : int
        What the halves follow from.
    n_candidates : int
        Features with a penalty that is neither 0 nor inf.
    family : str
        Loss of the paths.
    l1_ratio : float
        Share of the l1 part of their penalty.
    feature_names : tuple of str or None
        Names of the columns, where X had some.
    shape : tuple of int
        Rows and columns of X.
    status : Status
        How it ended.
    fit_time : float
        Seconds.
    digest : str or None
        Digest of data and options, by which a result to go on from knows its own.
    source : object or None
        Where the data are, for ``resume`` (no copy); neither saved nor pickled.

    Examples
    --------
    >>> import fastreg
    >>> data = fastreg.datasets.make_wide(n=120, p=200, n_true=3, seed=0)
    >>> result = fastreg.stability_selection(data.X, data.y, pairs=10, q=6)
    >>> result.selected.tolist() == sorted(data.coef.nonzero()[0].tolist())
    True
    >>> bool((result.probabilities[result.selected] >= 0.6).all())
    True
    """

    def resume(
        self,
        pairs: int,
        *,
        n_threads: int | None = None,
        max_time: float | None = None,
        progress: bool = False,
    ) -> StabilityResult:
        """Return the result of more pairs: bitwise that of one long run with the same q.

        q stays that of the first run, also where it followed from max_false; a threshold that follows is
        found anew for all pairs.

        Parameters
        ----------
        pairs : int
            How many there shall be in all; where there are as many already, the result is that of those.
        n_threads : int, optional
            Threads; by default those asked for at first.
        max_time : float, optional
            Seconds after which the finished pairs are returned.
        progress : bool
            Whether to show a progress bar on stderr.

        Returns
        -------
        StabilityResult
            A new result; this one stays as it is.

        Raises
        ------
        DataError
            If the result was loaded or pickled: pass it as ``stability_selection(..., resume=result)``.

        Examples
        --------
        >>> import fastreg
        >>> data = fastreg.datasets.make_wide(n=120, p=200, n_true=3, seed=0)
        >>> fastreg.stability_selection(data.X, data.y, pairs=5, q=6).resume(8).pairs
        8
        """
        # Here, because fitting is made of what this file holds.
        from .stability import grow

        return grow(self, pairs, n_threads, max_time, progress)

    def to_frame(self) -> Any:
        """Return a pandas DataFrame with one row per feature that was ever chosen, the most probable first.

        Returns
        -------
        pandas.DataFrame
            feature (column of X), name, probability, simultaneous, selected.

        Raises
        ------
        ImportError
            If pandas is absent.

        Examples
        --------
        >>> import fastreg
        >>> data = fastreg.datasets.make_wide(n=120, p=200, n_true=3, seed=0)
        >>> table = fastreg.stability_selection(data.X, data.y, pairs=10, q=6).to_frame()
        >>> int(table["selected"].sum())
        3
        """
        try:
            import pandas as pd
        except ImportError as problem:
            raise ImportError(
                "to_frame() needs pandas: pip install pandas, or print summary_table() instead"
            ) from problem
        order = self.ranked()
        columns = {
            "feature": order,
            "name": [self.label(j) for j in order],
            "probability": self.probabilities[order],
            "simultaneous": self.simultaneous[order],
            "selected": np.isin(order, self.selected if self.pairs else []),
        }
        return pd.DataFrame(columns)

    def summary_table(self, rows: int | None = 10) -> str:
        """Return the most probable features as a readable table.

        Parameters
        ----------
        rows : int or None
            How many features to show; None shows all that were ever chosen.

        Returns
        -------
        str
            Lines with name, selection probability, share of pairs that agree, and a mark for stable ones.

        Raises
        ------
        DataError
            If rows is below 1.

        Examples
        --------
        >>> import fastreg
        >>> data = fastreg.datasets.make_wide(n=120, p=200, n_true=3, seed=0)
        >>> result = fastreg.stability_selection(data.X, data.y, pairs=10, q=6)
        >>> print(result.summary_table(rows=1).splitlines()[0])
        feature  probability  both halves  stable
        """
        if rows is not None and rows < 1:
            raise DataError(f"rows must be at least 1 or None, got {rows}: None shows every feature")
        stable = set(self.selected.tolist()) if self.pairs else set()
        cells = [
            [
                self.label(j),
                f"{self.probabilities[j]:.3f}",
                f"{self.simultaneous[j]:.3f}",
                "yes" if j in stable else "no",
            ]
            for j in self.ranked()[:rows].tolist()
        ]
        return _render.text_table(("feature", "probability", "both halves", "stable"), cells)

    def plot(self, ax: Any = None, *, labels: int = 12) -> Any:
        """Draw the selection probabilities along alpha, the stable features in colour with their names.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; None makes a new figure.
        labels : int
            How many of the stable features to colour and name at most, the most probable first.

        Returns
        -------
        matplotlib Axes
            The axes drawn on.

        Raises
        ------
        DataError
            If no pair was finished.
        ImportError
            If matplotlib is absent.

        Examples
        --------
        >>> import fastreg
        >>> data = fastreg.datasets.make_wide(n=120, p=200, n_true=3, seed=0)
        >>> fastreg.stability_selection(data.X, data.y, pairs=10, q=6).plot().get_ylabel()
        'selection probability'
        """
        self._require_pairs()
        labels = check_count(labels, "labels", least=0)
        ax = _draw.new_axes(ax)
        ranked = self.ranked()
        lines = self.along[ranked].toarray()
        # From the last alpha at which nothing was chosen to the last one that changes anything.
        changes = np.flatnonzero(np.diff(lines, axis=1, prepend=0.0).any(axis=0))
        begin, stop = (max(changes[0] - 1, 0), max(changes[-1] + 1, 2)) if changes.size else (0, None)
        stable = np.isin(ranked, self.selected)
        draw_stability(
            ax,
            _draw.along_alpha(self.alphas[begin:stop]),
            lines[:, begin:stop],
            [self.label(j) for j in ranked],
            np.flatnonzero(stable)[:labels],
            self.threshold,
        )
        return ax

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file that ``load`` reads back bit for bit: npz with a JSON header, never pickle.

        Parameters
        ----------
        path : str or path
            File to write, exactly this name.

        Examples
        --------
        >>> import fastreg, os, tempfile
        >>> data = fastreg.datasets.make_wide(n=120, p=200, n_true=3, seed=0)
        >>> result = fastreg.stability_selection(data.X, data.y, pairs=10, q=6)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     result.save(os.path.join(folder, "halves.npz"))
        ...     os.listdir(folder)
        ['halves.npz']
        """
        apart = (*ARRAYS, *COUNTS, "source")
        header = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in apart}
        # As text: a seed may be larger than the integers that other readers of JSON know.
        header |= {"wish": asdict(self.wish), "status": self.status.name, "seed": str(self.seed)}
        arrays = {name: getattr(self, name) for name in ARRAYS}
        arrays |= {f"{name}_{part}": getattr(getattr(self, name), part) for name in COUNTS for part in PARTS}
        _store.write(path, header | {"format": FORMAT, "version": VERSION}, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> StabilityResult:
        """Read a result that ``save`` wrote.

        Parameters
        ----------
        path : str or path
            File to read.

        Returns
        -------
        StabilityResult
            Equal to the one saved, bit for bit, without its data.

        Raises
        ------
        DataError
            If the file holds something else, is damaged, or was written by a newer fastreg.

        Examples
        --------
        >>> import fastreg, os, tempfile
        >>> data = fastreg.datasets.make_wide(n=120, p=200, n_true=3, seed=0)
        >>> result = fastreg.stability_selection(data.X, data.y, pairs=10, q=6)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     result.save(os.path.join(folder, "halves.npz"))
        ...     type(result).load(os.path.join(folder, "halves.npz")).pairs
        10
        """
        header, arrays = _store.read(path, FORMAT, VERSION)
        try:
            return cls(**_put_together(header, arrays))
        except (KeyError, TypeError, ValueError) as problem:
            raise DataError(f"{os.fspath(path)} is damaged ({problem!r}): save the result again") from problem

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: the result without the data it came from."""
        return self.__dict__ | {"source": None}

    def __repr__(self) -> str:
        return f"StabilityResult({self._headline()})\n  {self._verdict()}"

    def _headline(self) -> str:
        kind = "lasso" if self.l1_ratio == 1.0 else f"elastic net, l1_ratio {self.l1_ratio:g}"
        name = FAMILY_WORDS.get(self.family, f"{self.family} ") + kind
        count = f"{self.pairs} complementary pairs"
        if self.pairs != self.pairs_asked:
            count = f"{self.pairs} of {self.pairs_asked} complementary pairs"
        first = self.wish.form == "first"
        how = f"first {self.q_asked} features" if first else f"{self.q:.1f} features in the region"
        return f"{name}, {self.shape[0]} x {self.shape[1]}, {count}, {how} of each half"

    def _verdict(self) -> str:
        end = f"{self.status.value}; {self.fit_time:.3g} s"
        if not self.pairs:
            return end
        false = f"at most {self.max_false:.2g} false expected ({self.wish.bound})"
        return f"{self.selected.size} features reach {self.threshold:g}, {false}; {end}"

    def _repr_html_(self) -> str:
        best = ", ".join(f"{self.label(j)} {self.probabilities[j]:.2f}" for j in self.ranked()[:5])
        facts = [("result", self._verdict()), ("most probable", best or "none")]
        return _render.html_card(self._headline(), facts, "")


def _put_together(header: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a result from what a file holds."""
    known = {field.name for field in fields(StabilityRecord)}
    p, size = header["shape"][1], arrays["alphas"].size
    names = header["feature_names"]
    counts = {}
    for name, columns in (("tally", size), ("together", 1)):
        parts = tuple(arrays[f"{name}_{part}"] for part in PARTS)
        counts[name] = sparse.csc_array(parts, shape=(p, columns))
        # A file from elsewhere may hold indices out of range.
        counts[name].check_format(full_check=True)
    return {
        **{name: value for name, value in header.items() if name in known},
        **{name: arrays[name] for name in ARRAYS},
        **counts,
        "wish": Wish(**header["wish"]),
        "status": Status[header["status"]],
        "seed": int(header["seed"]),
        "shape": tuple(header["shape"]),
        "feature_names": None if names is None else tuple(names),
    }
