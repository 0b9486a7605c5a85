"""The alphas that cv.glmnet chooses on the example data of its package, and its curves, on the same folds.

Figures of R 4.2 and glmnet 4.1-6, with x and y of the data folder, w = rep(1, n) or (1:n %% 5) + 1:

    lambda <- glmnet(x, y, family = FAMILY, weights = w, thresh = 1e-14, maxit = 1e7)$lambda
    cv <- cv.glmnet(x, y, family = FAMILY, weights = w, lambda = lambda, thresh = 1e-14, maxit = 1e7,
                    type.measure = MEASURE, foldid = rep(1:10, length = nrow(x)))
    cv$index - 1; cv$lambda.min; cv$lambda.1se; cv$cvm[c(11, 21, 31)]; cv$cvsd[c(11, 21, 31)]

Without lambda cv.glmnet fits every fold along a grid of its own and interpolates: the same choices on these
data, but curves that differ in the fourth digit. Its probabilities are clipped at 1e-5, ours are not; here
none is so small. Weights of cox responses are left out: cv.glmnet scales them anew in every fold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastreg

SHOWN = [10, 20, 30]
# (data, family, type.measure, weights): positions, lambda.min, lambda.1se, cvm and cvsd at SHOWN.
CVGLMNET: dict[tuple[str, str, str, str], tuple[int, int, float, float, list[float], list[float]]] = {
    ("quickstart", "gaussian", "mse", ""): (
        34,
        27,
        0.06896888915,
        0.1322761402,
        [3.548201126, 1.426731024, 1.042952032],
        [0.3284379914, 0.1398440454, 0.08750586781],
    ),
    ("quickstart", "gaussian", "mse", "weighted"): (
        35,
        26,
        0.06231010126,
        0.1439444155,
        [3.430403291, 1.31082493, 0.9892974008],
        [0.2837621405, 0.1505716098, 0.0961324745],
    ),
    ("quickstart", "gaussian", "mae", ""): (
        35,
        27,
        0.06284188313,
        0.1322761402,
        [1.534814849, 0.9627396221, 0.8267191795],
        [0.08808234526, 0.05840478521, 0.04641301596],
    ),
    ("binomial", "binomial", "deviance", ""): (
        25,
        15,
        0.02349476742,
        0.05956779912,
        [1.113124265, 0.8619352518, 0.8639149678],
        [0.07299968084, 0.116247979, 0.1690581861],
    ),
    ("binomial", "binomial", "class", ""): (
        46,
        39,
        0.003330322579,
        0.006387259848,
        [0.25, 0.19, 0.18],
        [0.05217491947, 0.05666666667, 0.05120763832],
    ),
    ("binomial", "binomial", "auc", ""): (
        57,
        18,
        0.001196855879,
        0.04506085554,
        [0.8492261905, 0.877297619, 0.882952381],
        [0.04589295322, 0.04212966512, 0.03871815778],
    ),
    ("binomial", "binomial", "mse", ""): (
        28,
        16,
        0.01777292995,
        0.05427596002,
        [0.3705833377, 0.2693372721, 0.2545223362],
        [0.03245914543, 0.04746802674, 0.05739451255],
    ),
    ("binomial", "binomial", "mae", ""): (
        60,
        42,
        0.0009053775807,
        0.004831727839,
        [0.8000763245, 0.5831373422, 0.4657345887],
        [0.03087416164, 0.0509196191, 0.06659086073],
    ),
    ("binomial", "binomial", "deviance", "weighted"): (
        20,
        13,
        0.03565247195,
        0.06837824181,
        [1.097503235, 0.9207220097, 1.040519622],
        [0.06015439987, 0.1031250967, 0.1603436583],
    ),
    ("binomial", "binomial", "auc", "weighted"): (
        61,
        10,
        0.0007861836185,
        0.0903920115,
        [0.8470436508, 0.848781746, 0.8352579365],
        [0.03667364779, 0.04041483664, 0.04636376461],
    ),
    ("poisson", "poisson", "deviance", ""): (
        63,
        43,
        0.03482119271,
        0.2238331728,
        [13.99434036, 4.557980883, 1.893296686],
        [4.481871203, 1.287399424, 0.4378735419],
    ),
    ("multinomial", "multinomial", "deviance", ""): (
        33,
        25,
        0.0107456703,
        0.02261860595,
        [1.888142005, 1.539955021, 1.430894304],
        [0.02674575657, 0.03707076134, 0.0417101284],
    ),
    ("multinomial", "multinomial", "class", ""): (
        28,
        20,
        0.01711014592,
        0.03601521707,
        [0.404, 0.316, 0.31],
        [0.01857118437, 0.01857118437, 0.0202758751],
    ),
    ("cox", "cox", "deviance", ""): (
        27,
        16,
        0.01920428529,
        0.05343706456,
        [13.30764727, 13.09677581, 13.07310791],
        [0.08027521699, 0.08741475724, 0.09003116385],
    ),
    ("cox", "cox", "deviance", "tied"): (
        27,
        18,
        0.01698828702,
        0.03924514636,
        [4.040969709, 3.897969831, 3.883481977],
        [0.04283734157, 0.03635476195, 0.03797395314],
    ),
    ("cox", "cox", "C", ""): (
        25,
        15,
        0.02313162962,
        0.05864711238,
        [0.7087078867, 0.7260474577, 0.726698374],
        [0.008945991758, 0.006547253695, 0.006925203161],
    ),
    ("cox", "cox", "C", "weighted"): (
        26,
        15,
        0.02164834376,
        0.06023780243,
        [0.7084430143, 0.7277880679, 0.7283462754],
        [0.008891714437, 0.006705638314, 0.006917792683],
    ),
    ("multigaussian", "mgaussian", "mse", ""): (
        45,
        33,
        0.04731811906,
        0.1445026986,
        [22.88310599, 9.817027954, 5.979477119],
        [1.730276331, 0.8398265832, 0.5019684548],
    ),
}
NAMES = {"class": "accuracy", "C": "c_index"}


@pytest.mark.compiled_only
@pytest.mark.parametrize("key", CVGLMNET, ids="-".join)
def test_choices_and_curves_are_those_of_cv_glmnet(key: tuple[str, str, str, str], load_data: Any) -> None:
    data, family, measure, how = key
    k_min, k_1se, lambda_min, lambda_1se, cvm, cvsd = CVGLMNET[key]
    found = load_data(f"glmnet_{data}")
    X, y = found["X"], found["y"]
    n = len(X)
    if how == "tied":
        y = np.column_stack([np.ceil(4 * y[:, 0]), y[:, 1]])
    cv = fastreg.cv_path(
        X, y, family=family, cv=np.arange(n) % 10, scoring=NAMES.get(measure, measure), standardize=True,
        eps=1e-4, tol=1e-9, sample_weight=np.arange(1, n + 1) % 5 + 1.0 if how == "weighted" else None,
    )  # fmt: skip
    assert (cv.k_min, cv.k_1se) == (k_min, k_1se)
    assert cv.alpha_min == pytest.approx(lambda_min, rel=1e-8)
    assert cv.alpha_1se == pytest.approx(lambda_1se, rel=1e-8)
    mean = 1.0 - cv.mean if measure == "class" else cv.mean
    # glmnet's coordinate descent stops short of the optimum, the furthest for poisson.
    near = 3e-6 if family == "poisson" else 1e-7
    np.testing.assert_allclose(mean[SHOWN], cvm, rtol=near)
    np.testing.assert_allclose(cv.se[SHOWN], cvsd, rtol=near)
