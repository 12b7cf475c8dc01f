"""KL(P || Q), digit by digit, and where it comes from (docs/method.md, "Divergence")."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from sampler_bench.runs.laws_in_arrow import stacked
from sampler_bench.score.laws_in_pieces import Laws
from sampler_bench.targets import END

FREE = 0.01  # nats: a truth that is closer to uniform digits leaves the digit free
AT_ONCE = 2**16  # records whose laws are compared at a time: more would only take memory
COLUMNS = ["paraphrase", "number_id", "position", "prefix", "weight", "p", "q", "bound"]


@dataclass(frozen=True)
class Profile:
    """Divergences of one model on one task: a row a number, a column a position (digits written).

    p~ and q~ are the truth and the model renormalised over digits.

    Attributes
    ----------
    weight : ndarray, shape (numbers,)
        Summing to 1.
    present, may_end : ndarray of bool, shape (numbers, positions)
        Whether the number goes so far; where the truth may stop (where a number is complete, if all have one
        length).
    content, stopping, entropy : ndarray, shape (numbers, positions)
        nats. ``content``: P(digit) KL(p~ || q~). ``stopping``: KL of (stop, go on). ``entropy``: P(digit)
        H(p~), of the truth.
    uniform : ndarray, shape (numbers, positions)
        nats. ``content`` of uniform digits in the model's place: 1..9 first, 0..9 where the truth allows a 0.
    surprise : ndarray, shape (numbers, positions)
        nats. ln(p~ / q~) of the digit that comes next in the number, 0 at its end: ``content`` is its
        expectation given the prefix.
    asked, free : ndarray, shape (numbers, positions)
        nats. ``content`` in two: where p~ is further than 0.01 nats from uniform digits, so that something is
        asked of the model, and where it is not.
    free_uniform : ndarray, shape (numbers, positions)
        nats. ``uniform`` where nothing is asked, else 0.
    jsd, variation : ndarray, shape (numbers, positions)
        P(digit) times the Jensen-Shannon divergence (nats) and the total variation distance of p~ and q~.
    dead_end : ndarray, shape (numbers, positions)
        Mass of q~ on digits that the truth excludes, where any digit may stand.
    left : ndarray, shape (numbers, positions)
        nats. -ln P(the rest of the number | the prefix): ln N(u) where P is uniform over its members.
    bound : ndarray, shape (numbers, positions)
        nats. What the error of the truth's method can add to the divergence; 0 where it is exact.
    """

    weight: np.ndarray
    present: np.ndarray
    may_end: np.ndarray
    content: np.ndarray
    stopping: np.ndarray
    entropy: np.ndarray
    uniform: np.ndarray
    surprise: np.ndarray
    asked: np.ndarray
    free: np.ndarray
    free_uniform: np.ndarray
    jsd: np.ndarray
    variation: np.ndarray
    dead_end: np.ndarray
    left: np.ndarray
    bound: np.ndarray


def profile(records: pd.DataFrame) -> Profile:
    """The profile of the ``conditionals`` records of one model, arm and task; the mean over paraphrases."""
    return mean_profile(list(profiles_by_paraphrase(Laws([records])).values()))


def profiles_by_paraphrase(laws: Laws) -> dict[str, Profile]:
    """A profile for each paraphrase, all along the same numbers."""
    tables = _empty_tables(laws)
    for piece in laws.pieces(COLUMNS):
        for name, records in piece.groupby("paraphrase"):
            tables[str(name)].fill(records.sort_values(["number_id", "position"]))
    return {name: table.profile() for name, table in tables.items()}


def mean_profile(profiles: Sequence[Profile]) -> Profile:
    """The mean over profiles along the same numbers."""
    if len(profiles) == 1:
        return profiles[0]
    arrays = {field.name: [getattr(one, field.name) for one in profiles] for field in fields(Profile)}
    means = {name: np.mean(stack, axis=0) for name, stack in arrays.items() if stack[0].dtype != bool}
    return Profile(**means, present=profiles[0].present, may_end=profiles[0].may_end)


def numbers_of(pieces: Iterable[pd.DataFrame]) -> list[str]:
    """The numbers that one paraphrase's conditionals were read along, in the order of a profile's rows."""
    ordered = (records.sort_values(["number_id", "position"]) for records in pieces)
    return pd.concat([rows.groupby("number_id")["prefix"].last() for rows in ordered]).sort_index().tolist()


def _empty_tables(laws: Laws) -> dict[str, "_Tables"]:
    """By paraphrase."""
    places = pd.concat(laws.pieces(["paraphrase", "number_id", "position"]))
    return {
        str(name): _Tables(np.unique(rows["number_id"]), rows["position"].max() + 1)
        for name, rows in places.groupby("paraphrase")
    }


class _Tables:
    """The arrays of a profile, along the numbers of these ids, to be filled."""

    def __init__(self, ids: np.ndarray, positions: int):
        self._ids, self._shape = ids, (len(ids), positions)
        self._weight = np.zeros(len(ids))
        self._tables: dict[str, np.ndarray] = {}

    def fill(self, records: pd.DataFrame) -> None:
        """Those of some numbers, sorted by number and position."""
        ids, position = records["number_id"].to_numpy(), records["position"].to_numpy()
        number, following = np.searchsorted(self._ids, ids), _following(records["prefix"].to_numpy(), ids)
        self._weight[number] = records["weight"]
        for start in range(0, len(records), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            for name, values in _of_records(records.iloc[some], following[some]).items():
                if name not in self._tables:
                    self._tables[name] = np.zeros(self._shape, values.dtype)
                self._tables[name][number[some], position[some]] = values

    def profile(self) -> Profile:
        steps = self._tables.pop("step")
        left = np.maximum(-np.cumsum(steps[:, ::-1], axis=1)[:, ::-1], 0.0)
        return Profile(weight=self._weight, left=left, **self._tables)


def _of_records(records: pd.DataFrame, following: np.ndarray) -> dict[str, np.ndarray]:
    """What a profile has of each record; ``step``: ln P of what comes next."""
    p, q = stacked(records["p"]), stacked(records["q"])
    every = np.arange(len(p))
    go_on = p[:, :END].sum(axis=1)
    truth, model = _normalised(p[:, :END]), _normalised(q[:, :END])
    uniform_digits = np.ones((len(p), END))
    uniform_digits[:, 0] = (records["position"].to_numpy() > 0) | (p[:, 0] > 0)
    from_uniform = _kl(truth, _normalised(uniform_digits))
    content, is_free = go_on * _kl(truth, model), from_uniform <= FREE
    written = np.where(following < END, truth[every, following % END], 1.0)
    said = np.where(following < END, model[every, following % END], 1.0)
    with np.errstate(divide="ignore"):
        surprise = np.log(written) - np.log(said)
        step = np.log(written * np.where(following < END, go_on, p[:, END]))
    return {
        "step": step,
        "present": np.ones(len(p), bool),
        "may_end": p[:, END] > 0,
        "content": content,
        "stopping": _kl(_stop_or_go(p), _stop_or_go(q)),
        "entropy": go_on * _entropy(truth),
        "uniform": go_on * from_uniform,
        "surprise": surprise,
        "asked": np.where(is_free, 0.0, content),
        "free": np.where(is_free, content, 0.0),
        "free_uniform": np.where(is_free, go_on * from_uniform, 0.0),
        "jsd": go_on * _jensen_shannon(truth, model),
        "variation": go_on * _total_variation(truth, model),
        "dead_end": np.where((truth == 0) & (go_on[:, None] > 0), model, 0.0).sum(axis=1),
        "bound": records["bound"].to_numpy(),
    }


def _following(prefixes: np.ndarray, number: np.ndarray) -> np.ndarray:
    """The symbol after each prefix: the last digit of the next record of the same number, or END."""
    last = np.array([prefix[-1:] or "0" for prefix in prefixes]).astype(np.int64)
    goes_on = np.append(number[1:] == number[:-1], False)
    return np.where(goes_on, np.roll(last, -1), END)


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


def _jensen_shannon(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Of each row, nats; ln 2, its greatest value, where q has no digit at all."""
    middle = (p + q) / 2
    found = (_kl(p, middle) + _kl(q, middle)) / 2
    return np.where(q.any(axis=1), found, np.log(2))


def _total_variation(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Of each row; 1, its greatest value, where q has no digit at all."""
    return np.where(q.any(axis=1), np.abs(p - q).sum(axis=1) / 2, 1.0)
