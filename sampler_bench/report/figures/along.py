"""Where along the number the information of a constraint lies, and what samplers lack of it."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sampler_bench.plain import one_line
from sampler_bench.report.figures.kinds import by_kind
from sampler_bench.report.figures.material import Drawing, Material
from sampler_bench.report.figures.style import (
    FAINT,
    INK,
    Row,
    draw_line,
    lines_of,
    mark_beyond,
    of_row,
    sheet,
    whole_digits,
)

UNIFORM = "uniform-digits"
HIGHEST = 1.75 * math.log(10)  # nats: ln 10 is what uniform digits may have, above it is room for words
LAST = 3  # digits of which it is said what they hold
LONG = 2 * LAST  # digits of a number that has many others
MOST = 0.9
TITLE = 34  # characters
SHADE = "0.84"
GREYS = ({"color": INK, "ls": "--"}, {"color": FAINT, "ls": ":"}, {"color": FAINT, "ls": "-."})


def drawings(material: Material) -> Iterator[Drawing]:
    rows = [*material.few_models, *material.guides]
    of_rows = [of_row(material.curves, row) for row in rows]
    tasks = material.tasks_with(pd.concat(of_rows), "content") if rows else []
    if tasks:
        kinds = by_kind(tasks, material.scores, material.families)
        yield "along", partial(along, material.curves, kinds, material.few_models, material.guides)


def along(
    curves: pd.DataFrame, kinds: Mapping[str, Sequence[str]], rows: Sequence[Row], guides: Sequence[Row] = ()
) -> Figure:
    """Content digit by digit, one panel a task, before the information of the constraint there.

    Parameters
    ----------
    curves : DataFrame
        Of the CURVES schema. The information is the content of uniform digits.
    kinds : mapping of str to sequence of str
        Panels, in order, by kind.
    rows, guides : sequence of (model, arm, decoder)
        Lines, in order; those of the guides in grey.
    """
    content = curves[curves["metric"] == "content"]
    of = [(task, kind) for kind, tasks in kinds.items() for task in tasks]
    shares = {task: _last_digits(content[content["task"] == task]) for task, _ in of}
    greys = zip(lines_of(guides), GREYS, strict=False)
    looks = [*lines_of(rows), *((row, {**look, **grey}) for (row, look), grey in greys)]
    titles = [""] * len(of)
    with sheet(_message(shares), titles, "digit", "content, nats per digit", wide=2.6, high=1.75) as (
        figure,
        axes,
    ):
        for panel, (task, kind) in zip(axes, of, strict=True):
            mine = content[(content["task"] == task) & (content["axis"] == "position")]
            _draw(panel, mine, looks)
            panel.set_title(one_line(task), loc="left")
            if len(task) + len(kind) < TITLE:
                panel.set_title(kind, loc="right", color=FAINT, fontsize=9)
            digits, share = shares[task]
            if digits > LAST:
                said = f"{100 * share:.0f} % in the last {LAST} of {digits}"
                panel.text(0.03, 0.96, said, transform=panel.transAxes, va="top")
    return figure


def _last_digits(content: pd.DataFrame) -> tuple[int, float]:
    """How many digits the numbers have, and the share of the information in the last.

    0 if it was not measured, or along numbers that tell no interval: they may have missed what is rare.
    """
    uniform = content[(content["model"] == UNIFORM) & (content["axis"] == "digits-left")].set_index("at")
    total = uniform["value"].sum()
    if not total > 0 or uniform["low"].isna().any():
        return 0, 0.0
    return int(uniform.index.max()), uniform["value"][uniform.index <= LAST].sum() / total


def _message(shares: Mapping[str, tuple[int, float]]) -> str:
    long = [share for digits, share in shares.values() if digits >= LONG]
    claim = "Content sits where the constraint bites"
    if not long:
        return claim
    at_the_end = sum(share > MOST for share in long)
    return (
        f"{claim}: at {at_the_end} of {len(long)} tasks, "
        f"over {100 * MOST:.0f} % of the information is in the last {LAST} digits"
    )


def _draw(panel: Axes, content: pd.DataFrame, looks: Iterable[tuple[Row, dict[str, Any]]]) -> None:
    digits = content["at"][content["value"] != 0].max()  # not past the last digit
    content = content[content["at"] <= digits]
    information = content[content["model"] == UNIFORM]
    panel.bar(
        information["at"] + 1,
        information["value"],
        width=1.0,
        color=SHADE,
        label="information of the constraint",
    )
    for row, look in looks:
        mine = of_row(content, row).set_index("at")["value"]
        draw_line(panel, mine.where(mine <= HIGHEST), lw=1.3, **look)
        mark_beyond(panel, mine.index + 1, mine, look["color"], (0.0, HIGHEST))
    panel.set_ylim(0, HIGHEST)
    if digits >= 0:
        panel.set_xlim(0.4, digits + 1.6)
        whole_digits(panel, int(digits) + 1)
