"""Means that the luck of the draw is taken off, as far as it is known (docs/method.md, "Estimating it")."""

import numpy as np

NUMBERS_A_COVARIATE = 8  # fewer cannot carry a regression
NO_SPREAD = 1e-9  # standard deviation, nats, below which a covariate is rounding
COLLINEAR = 1e-9  # a covariate is left out if others explain all but this share of its variance
SINGULAR = 1e-12  # relative, of the eigenvalues of a correlation matrix in a resample


def usable_covariates(covariates: np.ndarray) -> tuple[int, ...]:
    """The columns that means are calibrated on: of the first few, one for every eight numbers, those that

    * vary,
    * have their known expectation, 0, between the least and the greatest value: nothing is extrapolated,
    * are not made up of those taken before, but for a billionth of their variance.
    """
    taken: list[int] = []
    for index in _affordable(covariates):
        values = covariates[:, index]
        if values.std() > NO_SPREAD and _holds(values):
            others = np.column_stack([np.ones(len(values)), covariates[:, taken]])
            rest = values - others @ np.linalg.lstsq(others, values, rcond=None)[0]
            if rest.var() > COLLINEAR * values.var():
                taken.append(index)
    return tuple(taken)


def misses(covariates: np.ndarray) -> bool:
    """Whether one of these columns varies and all of it lies on one side of its expectation.

    By chance that happens to one sample in 128, or fewer. The numbers then hold nothing of a part of the
    target that matters, as where no twin prime was drawn, and cannot tell how far their mean may be off.
    """
    return any(
        covariates[:, index].std() > NO_SPREAD and not _holds(covariates[:, index])
        for index in _affordable(covariates)
    )


def _affordable(covariates: np.ndarray) -> range:
    return range(min(covariates.shape[1], len(covariates) // NUMBERS_A_COVARIATE))


def _holds(values: np.ndarray) -> bool:
    return bool(values.min() <= NO_SPREAD and values.max() >= -NO_SPREAD)


def calibrated_weights(
    weight: np.ndarray, covariates: np.ndarray, whole: np.ndarray, expectation: np.ndarray | float = 0.0
) -> np.ndarray:
    """Weights that bring the weighted means of ``covariates`` to their known expectation.

    The regression (calibration) estimator of survey sampling, Deville and Sarndal, JASA 87 (1992):
    a mean under these weights is the plain mean less the part that the regression on the covariates
    explains by the luck of the draw. In a resample whose values do not reach around the expectation the
    regression would extrapolate; there, that over all numbers is taken.

    Parameters
    ----------
    weight : ndarray, shape (resamples, numbers)
        Rows summing to 1.
    covariates : ndarray, shape (numbers, covariates)
        That vary, and do not make up one another.
    whole : ndarray, shape (numbers,)
        The weights of all numbers, of which those in ``weight`` are resamples.
    expectation : ndarray, shape (resamples, covariates), or 0

    Returns
    -------
    ndarray, shape (resamples, numbers)
        Rows summing to 1.
    """
    scale = covariates.std(axis=0)
    scaled, expected = covariates / scale, np.broadcast_to(expectation / scale, (len(weight), len(scale)))
    mean, covariance = _moments(weight, scaled)
    slope = np.einsum("rij,rj->ri", _inverse(covariance), mean - expected)
    own = weight * (1 + np.sum(slope * mean, axis=1, keepdims=True) - slope @ scaled.T)
    far = ~_reaches(weight, scaled, expected)
    if far.any():
        centre, covariance = _moments(whole[None], scaled)
        slope = (mean - expected)[far] @ _inverse(covariance)[0]
        own[far] = weight[far] - whole * (slope @ (scaled - centre).T)
    return own


def _moments(weight: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and covariances, shapes (resamples, covariates) and (resamples, covariates, covariates)."""
    mean, size = weight @ values, values.shape[1]
    products = (values[:, :, None] * values[:, None, :]).reshape(len(values), -1)
    squares = (weight @ products).reshape(-1, size, size)
    return mean, squares - mean[:, :, None] * mean[:, None, :]


def _inverse(covariance: np.ndarray) -> np.ndarray:
    """Of each matrix; of one that is singular, as where a number was picked again and again, the least."""
    return np.linalg.pinv(covariance, rcond=SINGULAR, hermitian=True)


def _reaches(weight: np.ndarray, values: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Of each resample, whether the values in it lie on both sides of what is expected."""
    there, reaches = weight > 0, np.ones(len(weight), bool)
    for column, wanted in zip(values.T, expected.T, strict=True):
        least = np.where(there, column, np.inf).min(axis=1)
        greatest = np.where(there, column, -np.inf).max(axis=1)
        reaches &= (least <= wanted) & (wanted <= greatest)
    return reaches


def unexplained(values: np.ndarray, weight: np.ndarray, covariates: np.ndarray) -> np.ndarray:
    """Values less what a weighted regression on the covariates says of them."""
    if not covariates.shape[1]:
        return values
    mean, covariance = _moments(weight[None], covariates)
    together = (covariates - mean).T @ (weight[:, None] * values)
    return values - covariates @ (_inverse(covariance)[0] @ together)
