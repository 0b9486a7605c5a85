"""Correlated Gaussian columns with a few true coefficients."""

from __future__ import annotations

import numpy as np
from benchopt import BaseDataset


class Dataset(BaseDataset):
    """AR(1) columns, corr(x_j, x_k) = rho^|j - k|, ten coefficients of size one, signal to noise 5."""

    name = "Simulated"
    parameters = {"n_samples, n_features": [(100, 5_000)], "rho": [0.0, 0.6]}

    def get_data(self) -> dict[str, np.ndarray]:
        """Return X (n_samples, n_features), F-ordered, and y."""
        rng = np.random.default_rng(27)
        XT = rng.standard_normal((self.n_features, self.n_samples))
        for j in range(1, self.n_features):
            XT[j] = self.rho * XT[j - 1] + np.sqrt(1.0 - self.rho**2) * XT[j]
        chosen = rng.choice(self.n_features, size=10, replace=False)
        signal = XT[chosen].sum(axis=0)
        noise = rng.standard_normal(self.n_samples)
        return {"X": XT.T, "y": signal + noise * np.sqrt(signal.var() / 5.0)}
