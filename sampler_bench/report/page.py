"""The leaderboard as one HTML page that needs nothing else: no network, no other file."""

import json
import math
from collections.abc import Hashable, Mapping, Sequence
from importlib import metadata, resources
from types import MappingProxyType
from typing import SupportsFloat

import jinja2
import numpy as np
import pandas as pd

from sampler_bench.integers import shown as shown_number
from sampler_bench.plain import one_line
from sampler_bench.report.leaderboard import KEYS, hardly_opens, mostly_forced, natural_order
from sampler_bench.report.responses import Response, excerpt
from sampler_bench.score.metrics import shown
from sampler_bench.score.scores import OVERALL

COLUMNS = ["value", "low", "high", "n", "like_oracle"]
PROFILE = ("entropy", "content")
MOST_TEXT, AROUND, MOST_REASON = 240, 40, 120  # characters of a response on the page
DIGITS = 4  # significant, of numbers on the page


def page(
    scores: pd.DataFrame,
    curves: pd.DataFrame,
    references: frozenset[str],
    answers: Mapping[tuple[Hashable, ...], Sequence[Response]] = MappingProxyType({}),
) -> str:
    """The page.

    Parameters
    ----------
    scores, curves : DataFrame
        Of one or more runs, with a column ``run`` beside the SCORES and CURVES schema.
    references : frozenset of str
        Models that are set apart.
    answers : mapping
        A few responses of a row, by what KEYS say of it.
    """
    metrics = shown("page", pd.unique(scores["metric"]))
    data = {
        "suites": _suites(scores),
        "metrics": {name: {"unit": row.unit, "about": row.about} for name, row in metrics.items()},
        "rows": _rows(scores[scores["metric"].isin([*metrics])], curves, references, answers),
    }
    # What a browser would take for markup cannot stand in a script element.
    text = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("<", r"\u003c")
    assets = {"style": _asset("page.css"), "script": _asset("page.js"), "data": text}
    return jinja2.Template(_asset("page.html")).render(assets, version=metadata.version("sampler-bench"))


def _asset(name: str) -> str:
    return (resources.files("sampler_bench.report") / "assets" / name).read_text(encoding="utf-8")


def _suites(scores: pd.DataFrame) -> list[dict]:
    """Each suite with its tasks, in their order."""
    suites = []
    for name, rows in scores.groupby("suite", sort=False):
        tasks = [task for task in pd.unique(rows["task"]) if task != OVERALL]
        suites.append({"name": name, "tasks": tasks})
    return suites


def _rows(
    scores: pd.DataFrame,
    curves: pd.DataFrame,
    references: frozenset[str],
    answers: Mapping[tuple[Hashable, ...], Sequence[Response]],
) -> list[dict]:
    profiles = dict(iter(_profiles(curves).groupby(KEYS)))
    rows = []
    for key, by_task in _values(scores).items():
        row = dict(zip(KEYS, key, strict=True))
        answered = [found["answered"][0] for found in by_task.values() if "answered" in found]
        forced = [found["forced"][0] for found in by_task.values() if "forced" in found]
        opening = [found["opening"][0] for found in by_task.values() if "opening" in found]
        rows.append(
            row
            | {
                "id": len(rows),
                "reference": row["model"] in references,
                "unanswered": bool(answered) and not any(answered),
                "forced": mostly_forced(forced),
                "unopened": hardly_opens(opening),
                "scores": by_task,
                "curves": _by_task(profiles.get(key)),
                "answers": [*map(_response, answers.get(key, ()))],
            }
        )
    rows.sort(key=lambda row: natural_order(row["model"]))
    return rows


def _response(response: Response) -> dict:
    """A response cut short; ``text`` has its pieces, each with the kind of element that it is in."""
    pieces = []
    for piece in excerpt(response.text, response.spans, MOST_TEXT, AROUND):
        if piece.left_out:
            pieces.append(["i", f" … {piece.left_out:,} characters left out … "])
        if piece.text:
            pieces.append(["mark" if piece.marked else "span", piece.text])
    return {"task": response.row[0], "text": pieces, "verdict": _verdict(response)}


def _verdict(response: Response) -> str:
    """Whether what it answers is valid, and of the first answer that is not why."""
    found = [answer for answer in response.answers if answer.number is not None]
    valid, several = sum(answer.valid for answer in found), len(response.answers) > 1
    wrong = next((answer for answer in found if not answer.valid and answer.reason), None)
    reason = one_line(wrong.reason) if wrong else ""
    if len(reason) > MOST_REASON:
        reason = f"{reason[:MOST_REASON]}…"
    if several:
        said = f"; {shown_number(wrong.number or '')}: {reason}" if wrong else ""
        return f"{valid} of {len(response.answers)} valid{said}"
    said = f": {reason}" if reason else ""
    return "valid" if valid else f"not valid{said}" if found else "no answer found"


def _values(scores: pd.DataFrame) -> dict[tuple[Hashable, ...], dict[Hashable, dict[str, list]]]:
    """COLUMNS of each metric, by row and task; in one pass, for a group in pandas costs a millisecond."""
    found = {}
    for *key, task, metric, cells in zip(
        *(scores[name] for name in (*KEYS, "task", "metric")),
        scores[COLUMNS].itertuples(index=False, name=None),
        strict=True,
    ):
        found.setdefault(tuple(key), {}).setdefault(task, {})[metric] = [*map(_number, cells)]
    return found


def _profiles(curves: pd.DataFrame) -> pd.DataFrame:
    """What a row's picture shows: entropy and content by position."""
    return curves[(curves["axis"] == "position") & curves["metric"].isin(PROFILE)].sort_values("at")


def _by_task(curves: pd.DataFrame | None) -> dict[Hashable, dict[str, list]]:
    if curves is None:
        return {}
    by_task = {}
    for task, rows in curves.groupby("task", sort=False):
        points = rows.pivot(index="at", columns="metric", values="value")
        written = points.index <= points.index[points.any(axis=1)].max()  # not past the last digit
        by_task[task] = {metric: [*map(_number, points[metric][written])] for metric in PROFILE}
    return by_task


def _number(value: SupportsFloat | None) -> object:
    """As it stands in JSON: rounded; null where it is not known, a sign where it is infinite."""
    if value is None or isinstance(value, bool | np.bool_):
        return value if value is None else bool(value)
    number = float(value)
    if math.isnan(number):
        return None
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    return float(f"{number:.{DIGITS}g}")
