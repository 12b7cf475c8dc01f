"""KL(P || Q), digit by digit, and where it comes from (docs/method.md, "Divergence")."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from sampler_bench.targets import END


@dataclass(frozen=True)
class Profile:
    """Divergences of one model on one task: a row a number, a column a position (digits written).

    Attributes
    ----------
    weight : ndarray, shape (numbers,)
        Summing to 1.
    content, stopping, entropy : ndarray, shape (numbers, positions)
        nats. ``content``: P(digit) KL(p~ || q~), p~ and q~ renormalised over digits. ``stopping``: KL of
        (stop, go on). ``entropy``: P(digit) H(p~), of the truth.
    uniform : ndarray, shape (numbers, positions)
        nats. ``content`` of uniform digits in the model's place: 1..9 first, 0..9 where the truth allows a 0.
    bound : ndarray, shape (numbers, positions)
        nats. What the error of the truth's method can add to the divergence; 0 where it is exact.
    may_end : ndarray of bool, shape (numbers, positions)
        Where the truth may stop: where a number is complete, if all have one length.
    """

    weight: np.ndarray
    content: np.ndarray
    stopping: np.ndarray
    entropy: np.ndarray
    uniform: np.ndarray
    bound: np.ndarray
    may_end: np.ndarray


def profile(records: pd.DataFrame) -> Profile:
    """The profile of the ``conditionals`` records of one model, arm and task; the mean over paraphrases."""
    return mean_profile(list(profiles_by_paraphrase(records).values()))


def profiles_by_paraphrase(records: pd.DataFrame) -> dict[str, Profile]:
    """A profile for each paraphrase, all along the same numbers."""
    return {name: _profile(rows) for name, rows in records.groupby("paraphrase")}


def _profile(records: pd.DataFrame) -> Profile:
    p, q = np.stack(records["p"]), np.stack(records["q"])
    position = records["position"].to_numpy()
    uniform_digits = np.ones((len(p), END))
    uniform_digits[:, 0] = (position > 0) | (p[:, 0] > 0)
    go_on = p[:, :END].sum(axis=1)
    truth = _normalised(p[:, :END])
    number = records["number_id"].astype("category").cat.codes.to_numpy()

    def table(values: np.ndarray) -> np.ndarray:
        filled = np.zeros((number.max() + 1, position.max() + 1), values.dtype)
        filled[number, position] = values
        return filled

    return Profile(
        weight=records.groupby("number_id")["weight"].first().to_numpy(),
        content=table(go_on * _kl(truth, _normalised(q[:, :END]))),
        stopping=table(_kl(_stop_or_go(p), _stop_or_go(q))),
        entropy=table(go_on * _entropy(truth)),
        uniform=table(go_on * _kl(truth, _normalised(uniform_digits))),
        bound=table(records["bound"].to_numpy()),
        may_end=table(p[:, END] > 0),
    )


def mean_profile(profiles: Sequence[Profile]) -> Profile:
    """The mean over profiles along the same numbers."""
    arrays = {
        field.name: np.mean([getattr(one, field.name) for one in profiles], axis=0)
        for field in fields(Profile)
    }
    return Profile(**arrays | {"may_end": profiles[0].may_end})


def _normalised(weights: np.ndarray) -> np.ndarray:
    """Rows summing to 1; a row of zeros (a complete number, a model that writes no digit) stays zero."""
    total = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, total, out=np.zeros_like(weights, dtype=float), where=total > 0)


def _stop_or_go(law: np.ndarray) -> np.ndarray:
    return np.stack([law[:, END], law[:, :END].sum(axis=1)], axis=1)


def _kl(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """KL(p || q) of each row, nats; infinite where q misses something that p has."""
    with np.errstate(divide="ignore"):
        ratio = np.log(p, out=np.zeros_like(p), where=p > 0) - np.log(q, out=np.zeros_like(q), where=p > 0)
    return np.sum(p * ratio, axis=1)


def _entropy(p: np.ndarray) -> np.ndarray:
    """Entropy of each row, nats."""
    return -np.sum(p * np.log(p, out=np.zeros_like(p), where=p > 0), axis=1)
