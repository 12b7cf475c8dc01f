"""Tables that fit a terminal of any width with every number whole."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

LEAST_TEXT = 16  # characters that a column of sentences is narrowed to
LEAST_KEYS = 12  # and what says what the numbers are of, where there is no room
SHARE_OF_KEYS = 1 / 3  # of the width, that it may have before it is narrowed


@dataclass(frozen=True)
class Column:
    """A heading and cells, each of one or more lines. ``sentences``: made narrower before anything else."""

    heading: str | Text
    cells: Sequence[str | Text]
    sentences: bool = False
    justify: JustifyMethod = "right"  # of numbers; keys stand left

    @property
    def width(self) -> int:
        """Of its longest line, and the space after it."""
        lines = (line for cell in (self.heading, *self.cells) for line in str(cell).split("\n"))
        return 1 + max(map(cell_len, lines), default=0)

    @property
    def least(self) -> int:
        return min(self.width, LEAST_TEXT) if self.sentences else self.width


def fitted(keys: Sequence[Column], numbers: Sequence[Column], width: int, title: str = "") -> list[Table]:
    """A table of keys and, right of them, numbers; or several, each with the keys and some of the numbers.

    Numbers are neither cut nor broken. Where keys and numbers have no room beside one another, the keys stand
    below one another in one column, and their lines are broken.
    """
    room = width + 1  # nothing comes after the last column
    beside = room - sum(column.width for column in numbers)
    if len(keys) > 1 and not fit(keys, numbers, width):
        keys = [_stacked(keys)]
    reserved = sum(key.least for key in keys)
    if len(keys) == 1:
        reserved = min(reserved, max(LEAST_KEYS, beside, int(width * SHARE_OF_KEYS)))
    return [_table(keys, part, room, title) for part in _parts(numbers, room - reserved)]


def fit(keys: Sequence[Column], numbers: Sequence[Column], width: int) -> bool:
    """Whether they have room beside one another."""
    return sum(key.least for key in keys) + sum(column.width for column in numbers) <= width + 1


def _stacked(keys: Sequence[Column]) -> Column:
    def joined(cells: Sequence[str | Text]) -> str | Text:
        texts = [cell for cell in cells if isinstance(cell, str)]
        if len(texts) == len(cells):
            return "\n".join(texts)
        return Text("\n").join(Text(cell) if isinstance(cell, str) else cell for cell in cells)

    rows = zip(*(key.cells for key in keys), strict=True)
    return Column(joined([key.heading for key in keys]), [joined(row) for row in rows])


def _parts(numbers: Sequence[Column], room: int) -> Iterator[list[Column]]:
    """As many columns at a time as there is room for; one at least."""
    part: list[Column] = []
    for column in numbers:
        if part and sum(each.width for each in [*part, column]) > room:
            yield part
            part = []
        part.append(column)
    yield part


def _table(keys: Sequence[Column], numbers: Sequence[Column], room: int, title: str) -> Table:
    table = Table(title=title or None, title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False)
    left = room - sum(column.width for column in numbers)
    lines = max(str(column.heading).count("\n") for column in (*keys, *numbers))
    rows = []
    for place, key in enumerate(keys):
        others = sum(other.least for other in keys[place + 1 :])
        broad = max(2, min(key.width, left - others))
        left -= broad
        table.add_column(_lowered(key.heading, lines), width=broad - 1, overflow="fold")
        rows.append([_broken(cell, broad - 1) for cell in key.cells])
    for column in numbers:
        heading = _lowered(column.heading, lines)
        table.add_column(heading, width=column.width - 1, justify=column.justify, no_wrap=True)
    for cells in zip(*rows, *(column.cells for column in numbers), strict=True):
        table.add_row(*cells)
    return table


def _broken(cell: str | Text, width: int) -> str | Text:
    """In lines of a width, broken at spaces and hyphens where there are any."""
    if isinstance(cell, Text):
        return cell
    return "\n".join(line for long in cell.split("\n") for line in textwrap.wrap(long, width) or [""])


def _lowered(heading: str | Text, lines: int) -> Text:
    """With line ends before it, so that all headings end on one line."""
    return Text("\n" * (lines - str(heading).count("\n"))).append(heading)
