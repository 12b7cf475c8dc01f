"""The leaderboard: one row a model, arm and decoder; a column a task, and the overall skill."""

import math
import re
import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from rich.table import Table
from rich.text import Text

from sampler_bench.score.scores import OVERALL, ROW

KEYS = ["run", "suite", *ROW]
MISSING = "–"
UNANSWERED = "†"
LIKE_ORACLE = "≈"
WIDEST_NAME = 17  # characters of a model's name before it is broken
NARROW_NAME = 11  # where models stand side by side
MOST_ACROSS = 9  # tasks that fit beside one another in 80 columns
MODELS_ACROSS = 5


def leaderboard(scores: pd.DataFrame) -> pd.DataFrame:
    """Wide table of skill and validity.

    Parameters
    ----------
    scores : DataFrame
        Scores of one or more runs, with a column ``run`` beside the SCORES schema.

    Returns
    -------
    DataFrame
        Columns run, suite, model, arm, decoder; ``skill`` (overall), ``skill_low``, ``skill_high``,
        ``skill_paraphrase_low``, ``skill_paraphrase_high``; ``rank`` and ``rank_kept``; a column a task with
        its skill; ``validity`` and ``answered`` (overall) and ``TASK validity`` for each task;
        ``like_oracle`` and ``TASK like oracle``: whether the skill cannot be told from a perfect sampler's.
        Best skill first within a run; rows without one (no conditionals, or not for all tasks) by validity.
    """
    wanted = scores[scores["metric"].isin(["skill", "validity", "answered", "rank", "rank-kept"])]
    overall = wanted[(wanted["task"] == OVERALL) & (wanted["metric"] == "skill")].set_index(KEYS)
    wide = wanted.pivot(index=KEYS, columns=["metric", "task"], values="value")
    alike = wanted[wanted["metric"] == "skill"].pivot(index=KEYS, columns="task", values="like_oracle")
    tasks = [task for task in pd.unique(scores["task"]) if task != OVERALL]

    def column(metric: str, task: str) -> pd.Series:
        return wide.get((metric, task), pd.Series(np.nan, index=wide.index))

    def like_oracle(task: str) -> pd.Series:
        return alike.get(task, pd.Series(index=alike.index)).reindex(wide.index).eq(True)

    around = ["low", "high", "paraphrase_low", "paraphrase_high"]
    columns = {
        "skill": column("skill", OVERALL),
        **{f"skill_{end}": overall[end].reindex(wide.index) for end in around},
        "rank": column("rank", OVERALL),
        "rank_kept": column("rank-kept", OVERALL),
        **{task: column("skill", task) for task in tasks},
        "validity": column("validity", OVERALL),
        "answered": column("answered", OVERALL),
        **{f"{task} validity": column("validity", task) for task in tasks},
        "like_oracle": like_oracle(OVERALL),
        **{f"{task} like oracle": like_oracle(task) for task in tasks},
    }
    order = ["run", "skill", "validity", *ROW]
    return (
        pd.DataFrame(columns, index=wide.index)
        .reset_index()
        .sort_values(
            order,
            key=lambda column: column.map(natural_order) if column.name in ROW else column,
            ascending=[True, False, False, True, True, True],
            ignore_index=True,
        )
    )


def natural_order(name: str) -> str:
    """A key that sorts sieve-5 before sieve-13."""
    return re.sub(r"\d+", lambda digits: digits[0].zfill(12), name)


def task_names(board: pd.DataFrame) -> list[str]:
    """The tasks that have columns in a leaderboard."""
    suffix = " validity"
    return [name.removesuffix(suffix) for name in board.columns if name.endswith(suffix)]


def terminal_tables(board: pd.DataFrame) -> list[Table]:
    """Tables for the terminal, readable at 80 columns: skill above, validity below.

    Many tasks stand below one another, with the models side by side, a few to a table.
    """
    tables = []
    for (run, suite), rows in board.groupby(["run", "suite"], sort=False):
        title = f"{run} (suite {suite})" if run != suite else f"suite {suite}"
        tasks = [
            task for task in task_names(board) if rows[[task, f"{task} validity"]].notna().any(axis=None)
        ]
        across = len(tasks) <= MOST_ACROSS
        step = len(rows) if across else MODELS_ACROSS
        for start in range(0, len(rows), step):
            table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
            part = rows.iloc[start : start + step]
            (_add_tasks_across if across else _add_tasks_below)(table, part, tasks)
            tables.append(table)
    return tables


def _add_tasks_across(table: Table, rows: pd.DataFrame, tasks: Sequence[str]) -> None:
    table.add_column("model\narm", no_wrap=True)
    for name in ["over-all", *tasks]:
        table.add_column(name.replace("-", "\n"), justify="right", vertical="bottom")
    for _, row in rows.iterrows():
        table.add_row(_heading(row), *[_cell(row, task, "\n") for task in (OVERALL, *tasks)])


def _add_tasks_below(table: Table, rows: pd.DataFrame, tasks: Sequence[str]) -> None:
    table.add_column("task", no_wrap=True, vertical="bottom")
    for _, row in rows.iterrows():
        table.add_column(_heading(row, NARROW_NAME), justify="right", vertical="bottom", no_wrap=True)
    for name, task in [("overall", OVERALL), *((task, task) for task in tasks)]:
        table.add_row(name, *[_cell(row, task, "\n") for _, row in rows.iterrows()])


def _heading(row: pd.Series, widest: int = WIDEST_NAME) -> Text:
    name, arm = ("\n".join(textwrap.wrap(text, widest)) for text in (row["model"], _arm(row)))
    return Text(name, style="bold").append(f"\n{arm}", style="not bold")


def markdown(board: pd.DataFrame) -> str:
    """The leaderboard as Markdown: skill · validity in each cell."""
    blocks = []
    for (run, suite), rows in board.groupby(["run", "suite"], sort=False):
        tasks: Sequence[str] = task_names(board)
        lines = [f"## {run}" + (f" (suite {suite})" if run != suite else ""), ""]
        lines += [
            _line(["model", "arm", "overall", *tasks]),
            _line(["---", "---", *["---:"] * (1 + len(tasks))]),
        ]
        for _, row in rows.iterrows():
            cells = [_cell(row, task, " · ") for task in (OVERALL, *tasks)]
            lines.append(_line([_escaped(row["model"]), _escaped(_arm(row)), *cells]))
        blocks.append("\n".join(lines))
    return "\n\n".join([*blocks, caption()]) + "\n"


def caption() -> str:
    """What the cells mean, in a sentence."""
    return (
        "Skill (1: exact, 0: uniform digits) · share of valid answers. "
        f"{LIKE_ORACLE}: not to be told from a perfect sampler's skill with as many numbers. "
        f"{MISSING}: not measured. {UNANSWERED}: no answer was found in any response."
    )


def _arm(row: pd.Series) -> str:
    arm = row["arm"] if row["decoder"] == "ancestral" else f"{row['arm']}, {row['decoder']}"
    return f"{arm} {UNANSWERED}" if row["answered"] == 0 else arm


def _cell(row: pd.Series, task: str, between: str) -> str:
    names = ("skill", "validity", "like_oracle")
    if task != OVERALL:
        names = (task, f"{task} validity", f"{task} like oracle")
    skill, share, like_oracle = row[list(names)]
    mark = LIKE_ORACLE if like_oracle else ""
    return _skill(skill) + mark + between + (MISSING if math.isnan(share) else f"{share:.0%}")


def _skill(value: float) -> str:
    if math.isnan(value):
        return MISSING
    if abs(value) >= 9.995:
        return f"{value:.0f}"
    return f"{value + 0.0:.2f}".replace("-0.00", "0.00")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _escaped(text: str) -> str:
    """Text from outside, safe in a Markdown cell."""
    return "".join("\\" + c if c in r"\`*_[]<>|#" else c for c in text.replace("\n", " "))
