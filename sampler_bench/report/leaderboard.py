"""The leaderboard: one row a model, arm and decoder; a column a task and metric, and the overall ones."""

import math
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

import numpy as np
import pandas as pd
from rich.table import Table
from rich.text import Text

from sampler_bench.plain import in_markdown, one_line, plain
from sampler_bench.report.columns import Column, fitted
from sampler_bench.runs.records import LITTLE
from sampler_bench.score.metrics import Metric, in_words, shown
from sampler_bench.score.scores import OVERALL, ROW

KEYS = ["run", "suite", *ROW]
MISSING = "–"
UNANSWERED = "†"
FORCED = "‡"
UNOPENED = "§"
LIKE_ORACLE = "≈"
OF_ROWS = (
    "answered",
    "forced",
    "opening",
    "rank",
    "rank-kept",
    "skill-median",
)  # metrics that rows have besides
MOST_FORCED = 0.5  # share of traces, above which a row is marked
WIDEST_NAME = 17  # characters of a model's name before it is broken
NARROW_NAME = 11  # where models stand side by side, or the terminal has fewer columns than
NARROW = 60
MOST_ACROSS = 9  # tasks beside one another; where there are more, models are


def leaderboard(scores: pd.DataFrame) -> pd.DataFrame:
    """Wide table of skill, validity, and what else the table of metrics has shown here.

    Parameters
    ----------
    scores : DataFrame
        Scores of one or more runs, with a column ``run`` beside the SCORES schema.

    Returns
    -------
    DataFrame
        Index: run, suite, model, arm, decoder. Columns: pairs of a task, or OVERALL, and a metric. Each has
        those shown here, and ``like_oracle``: whether the skill cannot be told from a perfect sampler's, None
        where it was not measured. OVERALL has, too, ``skill_low``, ``skill_high``,
        ``skill_paraphrase_low``, ``skill_paraphrase_high``, ``skill_median``, ``rank``, ``rank_kept``,
        ``answered``, ``forced`` and ``opening``, the latter two the mean over tasks.
        Best skill first within a run; rows without one (no conditionals, or not for all tasks) by validity.
    """
    cells = shown("leaderboard", ["skill", "validity", *pd.unique(scores["metric"])])
    wanted = scores[scores["metric"].isin([*cells, *OF_ROWS])]
    by_metric = {
        (task, metric): rows.set_index(KEYS)
        for (task, metric), rows in wanted.groupby(["task", "metric"], sort=False)
    }
    rows = pd.MultiIndex.from_frame(wanted[KEYS].drop_duplicates())
    tasks = [task for task in pd.unique(scores["task"]) if task != OVERALL]

    def column(task: str, metric: str, part: str = "value") -> pd.Series:
        found = by_metric.get((task, metric))
        return pd.Series(np.nan, rows) if found is None else found[part].reindex(rows)

    def like_oracle(task: str) -> pd.Series:
        return column(task, "skill", "like_oracle").astype("boolean").where(column(task, "skill").notna())

    def mean(metric: str) -> pd.Series:
        return pd.concat([column(task, metric) for task in (OVERALL, *tasks)], axis=1).mean(axis=1)

    around = ["low", "high", "paraphrase_low", "paraphrase_high"]
    columns = {
        (OVERALL, "skill"): column(OVERALL, "skill"),
        **{(OVERALL, f"skill_{end}"): column(OVERALL, "skill", end) for end in around},
        (OVERALL, "skill_median"): column(OVERALL, "skill-median"),
        (OVERALL, "rank"): column(OVERALL, "rank"),
        (OVERALL, "rank_kept"): column(OVERALL, "rank-kept"),
        **{(task, "skill"): column(task, "skill") for task in tasks},
        (OVERALL, "validity"): column(OVERALL, "validity"),
        (OVERALL, "answered"): column(OVERALL, "answered"),
        (OVERALL, "forced"): mean("forced"),
        (OVERALL, "opening"): mean("opening"),
        **{(task, "validity"): column(task, "validity") for task in tasks},
        **{(task, cell): column(task, cell) for cell in cells for task in (OVERALL, *tasks)},
        **{(task, "like_oracle"): like_oracle(task) for task in (OVERALL, *tasks)},
    }
    board = pd.DataFrame(columns, index=rows)
    board.columns.names = ["task", "metric"]
    order = board.index.to_frame(index=False).map(natural_order)
    order["skill"], order["validity"] = (-board[OVERALL, name].to_numpy() for name in ("skill", "validity"))
    order = order.sort_values(["run", "skill", "validity", *ROW], kind="stable")
    return board.iloc[order.index]


def natural_order(name: str) -> str:
    """A key that sorts sieve-5 before sieve-13."""
    return re.sub(r"[0-9]+", lambda digits: digits[0].zfill(12), name)


def tasks_of(board: pd.DataFrame) -> list[str]:
    """The tasks that have columns in a leaderboard."""
    return [task for task in board.columns.get_level_values("task").unique() if task != OVERALL]


def flat(board: pd.DataFrame) -> pd.DataFrame:
    """The leaderboard with its index as columns, and one name for each column.

    Overall columns have their own names. A task's are ``TASK``, its skill, ``TASK validity``, ``TASK like
    oracle`` and the like. Where that would be the name of another column (of a task named ``skill``, say),
    TASK is ``task:`` and the task's name, with what is odd in it as in a URL.
    """
    keys = board.index.to_frame(index=False)
    taken = {*KEYS, *board[OVERALL].columns}
    endings = tuple({_ending(metric) for task, metric in board.columns if task != OVERALL} - {""})
    values = board.reset_index(drop=True)
    values.columns = pd.Index([_flat_name(task, metric, taken, endings) for task, metric in board.columns])
    return pd.concat([keys, values], axis=1)


def _flat_name(task: str, metric: str, taken: set[str], endings: tuple[str, ...]) -> str:
    if task == OVERALL:
        return metric
    if task in taken or task.startswith("task:") or task.endswith(endings):
        task = "task:" + quote(task, safe="", errors="replace")
    return task + _ending(metric)


def _ending(metric: str) -> str:
    return "" if metric == "skill" else " " + metric.replace("_", " ")


def terminal_tables(board: pd.DataFrame, width: int) -> list[Table]:
    """Tables for a terminal of a width: in each cell skill above, what else is shown below.

    Many tasks stand below one another, with the models side by side; what has no room goes into further
    tables.
    """
    tables = []
    for (run, suite), rows in board.groupby(level=["run", "suite"], sort=False):
        title = f"{run} (suite {suite})" if run != suite else f"suite {suite}"
        measured = [task for task in tasks_of(board) if rows[task][[*_cells(board)]].notna().to_numpy().any()]
        key, numbers = _tasks_below(rows, measured)
        if len(measured) <= MOST_ACROSS:
            key, numbers = _tasks_across(rows, measured, WIDEST_NAME if width >= NARROW else NARROW_NAME)
        tables += fitted([key], numbers, width, one_line(title))
    return tables


Layout = tuple[Column, list[Column]]  # what the numbers are of, and the numbers


def _tasks_across(rows: pd.DataFrame, tasks: Sequence[str], widest: int) -> Layout:
    metrics = _cells(rows)
    headings = [("over\nall", OVERALL), *((one_line(task).replace("-", "\n"), task) for task in tasks)]
    samplers = [sampler(model, arm, widest) for model, arm in _models_and_arms(rows)]
    cells = [
        (heading, [_cell(row[task], metrics, "\n") for _, row in rows.iterrows()])
        for heading, task in headings
    ]
    return Column("model\narm", samplers), [Column(*column) for column in cells]


def _tasks_below(rows: pd.DataFrame, tasks: Sequence[str]) -> Layout:
    names, metrics = ["overall", *map(one_line, tasks)], _cells(rows)
    samplers = [
        Column(
            sampler(model, arm, NARROW_NAME),
            [_cell(row[task], metrics, "\n") for task in (OVERALL, *tasks)],
        )
        for (model, arm), (_, row) in zip(_models_and_arms(rows), rows.iterrows(), strict=True)
    ]
    return Column("task", names), samplers


def sampler(model: str, arm: str, widest: int = WIDEST_NAME) -> Text:
    """A model and how it was asked, below one another, in lines of so many characters at most."""
    model, arm = ("\n".join(textwrap.wrap(plain(text), widest)) for text in (model, arm))
    return Text(model, style="bold").append(f"\n{arm}", style="not bold")


def markdown(board: pd.DataFrame) -> str:
    """The leaderboard as Markdown: skill · validity, and what else is shown, in each cell."""
    tasks, metrics = tasks_of(board), _cells(board)
    blocks = []
    for (run, suite), rows in board.groupby(level=["run", "suite"], sort=False):
        title = in_markdown(str(run)) + (f" (suite {in_markdown(str(suite))})" if run != suite else "")
        lines = [
            f"## {title}",
            "",
            _line(["model", "arm", "overall", *map(in_markdown, tasks)]),
            _line(["---", "---", *["---:"] * (1 + len(tasks))]),
        ]
        for names, (_, row) in zip(_models_and_arms(rows), rows.iterrows(), strict=True):
            cells = [_cell(row[task], metrics, " · ") for task in (OVERALL, *tasks)]
            lines.append(_line([*map(in_markdown, names), *cells]))
        blocks.append("\n".join(lines))
    return "\n\n".join([*blocks, caption(board)]) + "\n"


def caption(board: pd.DataFrame) -> str:
    """What the cells mean, in a sentence."""
    labels = " · ".join(map(in_words, _cells(board)))
    return (
        f"{labels[0].upper()}{labels[1:]}. "
        f"{LIKE_ORACLE}: not to be told from a perfect sampler's skill with as many numbers. "
        f"{MISSING}: not measured. {UNANSWERED}: no answer was found in any response. "
        f"{FORCED}: most traces were cut short, so that the law is not the model's own. "
        f"{UNOPENED}: a digit hardly ever stands where the number is to begin."
    )


def _models_and_arms(board: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Of each row."""
    marks = board[[(OVERALL, "answered"), (OVERALL, "forced"), (OVERALL, "opening")]]
    for (_, _, model, arm, decoder), row in zip(board.index, marks.itertuples(index=False), strict=True):
        answered, forced, opening = row
        marked = f" {UNANSWERED}" * (answered == 0) + f" {FORCED}" * mostly_forced([forced])
        yield model, way(arm, decoder) + marked + f" {UNOPENED}" * hardly_opens([opening])


def hardly_opens(masses: Sequence[float]) -> bool:
    """Whether a digit hardly ever stands where a row's numbers are to begin, by the masses at its tasks."""
    known = [mass for mass in masses if not math.isnan(mass)]
    return bool(known) and sum(known) / len(known) < LITTLE


def mostly_forced(shares: Sequence[float]) -> bool:
    """Whether most traces of a row were, by the shares at its tasks."""
    known = [share for share in shares if not math.isnan(share)]
    return bool(known) and sum(known) / len(known) > MOST_FORCED


def way(arm: str, decoder: str) -> str:
    """The arm, and the decoder where that is not the ordinary one."""
    return arm if decoder == "ancestral" else f"{arm}, {decoder}"


def _cells(board: pd.DataFrame) -> dict[str, Metric]:
    """What stands in the cell of a task."""
    return shown("leaderboard", pd.unique(board.columns.get_level_values("metric")))


def _cell(values: pd.Series, metrics: Mapping[str, Metric], between: str) -> str:
    texts = {name: _number(values[name], metric.unit) for name, metric in metrics.items()}
    if values["like_oracle"] is True:
        texts["skill"] += LIKE_ORACLE
    return between.join(texts.values())


def _number(value: float, unit: str) -> str:
    if math.isnan(value):
        return MISSING
    if unit == "share":
        return f"{value:.0%}"
    if abs(value) >= 9.995:
        return f"{value:.0f}"
    return f"{value + 0.0:.2f}".replace("-0.00", "0.00")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
