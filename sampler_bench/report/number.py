"""One number, digit by digit: the truth, the model, and where it went wrong."""

import numpy as np
import pandas as pd
from rich.console import Group

from sampler_bench.errors import InputError
from sampler_bench.report.columns import Column, fitted
from sampler_bench.score.divergence import numbers_of, profile
from sampler_bench.targets import DIGITS, END

WORST = 3  # digits that are marked
BAR_WIDTH = 20
NARROW = 60  # columns of a terminal, below which headings are broken
NOTHING = 1e-9  # nats
LISTED = 5  # numbers named where another was asked for


def number_table(records: pd.DataFrame, number: str, width: int = 80) -> Group:
    """A row a digit: P and Q of it, the divergence there, and the mass on dead ends; the worst are marked.

    Parameters
    ----------
    records : DataFrame
        Conditionals of one task, model, arm and decoder; the mean over its paraphrases is shown.
    number : str
        One that was read along.
    width : int
        Of the terminal; bars take what the numbers leave.

    Raises
    ------
    InputError
        If it was not.
    """
    mine = _along(records, number)
    parts, laws = profile(mine), mine.groupby("position")[["p", "q"]].agg(_mean_law)
    content, dead_ends = parts.content[0], parts.dead_end[0]
    most = max(content[np.isfinite(content)], default=0.0) or NOTHING  # what is infinite has a full bar
    worst = np.argsort(-content, kind="stable")[:WORST]
    symbols = [*number, "END"]
    at = [END if symbol == "END" else DIGITS.index(symbol) for symbol in symbols]
    p, q = ([f"{law[symbol]:.4f}" for law, symbol in zip(laws[each], at, strict=True)] for each in ("p", "q"))
    numbers = [
        Column("P", p),
        Column("Q", q),
        Column("content", [f"{nats:.4f}" for nats in content]),
        Column("dead ends" if width >= NARROW else "dead\nends", [f"{mass:.4f}" for mass in dead_ends]),
    ]
    places = [f"{place} {symbol}" for place, symbol in enumerate(symbols, 1)]
    key = Column("digit", [*places[:-1], "END"])
    room = width - key.width - sum(column.width for column in numbers) - len("◀  ")
    bars = [round(max(0, min(BAR_WIDTH, room)) * min(nats / most, 1.0)) * "█" for nats in content]
    marks = ["◀" if place in worst and nats > 0 else " " for place, nats in enumerate(content)]
    marked = [f"{mark} {bar}".rstrip() for mark, bar in zip(marks, bars, strict=True)]
    tables = fitted([key], [*numbers, Column("", marked, justify="left")], width)
    where = f"content {content.sum():.4f} nats, stopping {parts.stopping[0].sum():.4f} nats along {number}"
    return Group(*tables, where, "P, Q: of this digit, by the truth and the model. ◀ where most is lost.")


def _along(records: pd.DataFrame, number: str) -> pd.DataFrame:
    first = records[records["paraphrase"] == records["paraphrase"].iloc[0]]
    numbers = numbers_of([first])
    if number not in numbers:
        known = ", ".join(numbers[:LISTED]) + (", ..." if len(numbers) > LISTED else "")
        raise InputError(f"{number} was not read along there; these were: {known}")
    number_id = np.unique(first["number_id"])[numbers.index(number)]
    return records[records["number_id"] == number_id]


def _mean_law(laws: pd.Series) -> np.ndarray:
    return np.mean(list(laws), axis=0)
