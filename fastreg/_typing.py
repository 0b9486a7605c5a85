"""The array types that signatures name, and the record of what happened to an input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.floating[Any]]
Float64 = NDArray[np.float64]
Index = NDArray[np.integer[Any]]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class InputReport:
    """Say how X was taken in: where it lies, and what had to be copied.

    Lives below ``validate``, which writes it; ``fastreg.result`` shows it to users.

    Parameters
    ----------
    storage : str
        "dense" or "csc".
    dtype : str
        Type of the numbers that the kernels read, "float64" or "float32".
    shape : tuple of int
        Rows and columns.
    copied_bytes : int
        Bytes that were copied, 0 where X is read in place.
    conversions : tuple of str
        One sentence for each thing that was converted.

    Examples
    --------
    >>> from fastreg.result import InputReport
    >>> str(InputReport("dense", "float64", (72, 7129), 0, ()))
    '72 x 7129 dense float64, read in place'
    """

    storage: str
    dtype: str
    shape: tuple[int, int]
    copied_bytes: int
    conversions: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the report as one sentence."""
        head = f"{self.shape[0]} x {self.shape[1]} {self.storage} {self.dtype}"
        if not self.copied_bytes and not self.conversions:
            return f"{head}, read in place"
        return "; ".join([f"{head}, {self.copied_bytes / 1e6:.3g} MB copied", *self.conversions])
