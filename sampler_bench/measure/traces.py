"""Conditionals after a chain of thought, averaged over what the model wrote (docs/method.md)."""

from dataclasses import dataclass

import numpy as np

from sampler_bench.measure.parsing import text_before_answer
from sampler_bench.tasks import Arm


@dataclass(frozen=True)
class Trace:
    """What stands between the prompt and the answer.

    ``forced``: the response came to no answer, so the arm's lead was put after it.
    """

    text: str
    forced: bool


def trace_of(thinking: str, text: str, arm: Arm) -> Trace:
    """The trace of a response: up to its answer, or all of it and the arm's lead."""
    before = text_before_answer(text, arm)
    if before is not None:
        return Trace(thinking + before, forced=False)
    return forced_trace(thinking, text, arm)


def forced_trace(thinking: str, text: str, arm: Arm) -> Trace:
    """A response without its answer, if it came to one, and the arm's lead."""
    if thinking:
        return Trace(thinking.partition(arm.thinking_end)[0].rstrip() + arm.lead, forced=True)
    before = text_before_answer(text, arm)
    return Trace((text if before is None else before).rstrip() + arm.lead, forced=True)


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
