"""The law of an answer, from its laws after each of several traces (docs/method.md, "Arms")."""

import numpy as np


def marginal_over_traces(q: np.ndarray, number: str) -> tuple[np.ndarray, np.ndarray]:
    """The law of the answer, whatever the trace: each counts by how well it foretold the digits so far.

        q(s | u) = sum_t q(u s | z_t) / sum_t q(u | z_t),    ESS(u) = (sum_t w_t)^2 / sum_t w_t^2

    with w_t = q(u | z_t), for the prefixes u of one number.

    Parameters
    ----------
    q : ndarray, shape (traces, positions, 11)
        q(next symbol | u, z_t); position k has k digits written, up to all.
    number : str
        Of positions - 1 digits.

    Returns
    -------
    law : ndarray, shape (positions, 11)
    ess : ndarray, shape (positions,)
        Effective number of traces, between 1 and their number.
    """
    digits = np.array([int(digit) for digit in number], int)
    with np.errstate(divide="ignore"):
        steps = np.log(q[:, np.arange(len(digits)), digits])
    log_weight = np.pad(np.cumsum(steps, axis=1), ((0, 0), (1, 0)))
    peak = log_weight.max(axis=0)
    log_weight[:, np.isneginf(peak)] = 0.0  # no trace allows the prefix: none counts more than another
    weight = np.exp(log_weight - log_weight.max(axis=0))
    total = weight.sum(axis=0)
    law = np.einsum("tk,tks->ks", weight, q) / total[:, None]
    return law, total**2 / (weight**2).sum(axis=0)
