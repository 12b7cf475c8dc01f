"""One number, digit by digit: the truth, the model, and where it went wrong."""

import numpy as np
import pandas as pd
from rich.console import Group
from rich.table import Table

from sampler_bench.errors import InputError
from sampler_bench.score.divergence import numbers_of, profile
from sampler_bench.targets import DIGITS, END

WORST = 3  # digits that are marked
BAR_WIDTH = 20
NOTHING = 1e-9  # nats
LISTED = 5  # numbers named where another was asked for


def number_table(records: pd.DataFrame, number: str) -> Group:
    """A row a digit: P and Q of it, the divergence there, and the mass on dead ends; the worst are marked.

    Parameters
    ----------
    records : DataFrame
        Conditionals of one task, model, arm and decoder; the mean over its paraphrases is shown.
    number : str
        One that was read along.

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
    table = Table(box=None)
    for heading in ("digit", "", "P", "Q", "content", "dead ends", "", ""):
        table.add_column(heading, justify="right" if heading else "left")
    for position, symbol in enumerate([*number, "END"]):
        index = END if symbol == "END" else DIGITS.index(symbol)
        table.add_row(
            str(position + 1) if symbol != "END" else "",
            symbol,
            *(f"{laws[law][position][index]:.4f}" for law in ("p", "q")),
            f"{content[position]:.4f}",
            f"{dead_ends[position]:.4f}",
            "◀" if position in worst and content[position] > 0 else "",
            "█" * round(BAR_WIDTH * min(content[position] / most, 1.0)),
        )
    where = f"content {content.sum():.4f} nats, stopping {parts.stopping[0].sum():.4f} nats along {number}"
    return Group(table, where, "P, Q: of this digit, by the truth and the model. ◀ where most is lost.")


def _along(records: pd.DataFrame, number: str) -> pd.DataFrame:
    first = records[records["paraphrase"] == records["paraphrase"].iloc[0]]
    numbers = numbers_of(first)
    if number not in numbers:
        known = ", ".join(numbers[:LISTED]) + (", ..." if len(numbers) > LISTED else "")
        raise InputError(f"{number} was not read along there; these were: {known}")
    number_id = np.unique(first["number_id"])[numbers.index(number)]
    return records[records["number_id"] == number_id]


def _mean_law(laws: pd.Series) -> np.ndarray:
    return np.mean(list(laws), axis=0)
