"""The leaderboard in its three forms."""

import io
import math
from itertools import product

import pandas as pd
import pytest

from sampler_bench.report.console import PlainConsole
from sampler_bench.report.leaderboard import KEYS, flat, leaderboard, markdown, terminal_tables
from sampler_bench.score.scores import OVERALL


def scores(*rows) -> pd.DataFrame:
    """Scores from (run, task, model, arm, metric, value)."""
    columns = ["run", "task", "model", "arm", "metric", "value"]
    table = pd.DataFrame(rows, columns=columns).assign(suite="s", decoder="ancestral", unit="", n=1)
    table["like_oracle"] = (table["metric"] == "skill") & (table["value"] == 1)
    table = table.assign(paraphrase_low=table["value"] - 0.2, paraphrase_high=table["value"] + 0.3)
    return table.assign(low=table["value"] - 0.1, high=table["value"] + 0.1)


BOARD = leaderboard(
    scores(
        ("r", "even-6", "good|model", "direct", "skill", 0.5),
        ("r", "even-6", "good|model", "direct", "validity", 0.25),
        ("r", "even-6", "good|model", "direct", "content", 9.0),
        ("r", OVERALL, "good|model", "direct", "skill", 0.5),
        ("r", OVERALL, "good|model", "direct", "validity", 0.25),
        ("r", "even-6", "better", "direct", "skill", 1.0),
        ("r", OVERALL, "better", "direct", "skill", 0.75),
        ("r", "even-6", "good|model", "cot", "validity", 1.0),
        ("r", OVERALL, "good|model", "cot", "validity", 1.0),
        ("r", OVERALL, "good|model", "cot", "answered", 1.0),
        ("other", "even-6", "bad", "direct", "skill", -12.4),
        ("other", OVERALL, "bad", "direct", "skill", -12.4),
        ("other", OVERALL, "bad", "direct", "answered", 0.0),
    )
)


def test_one_row_a_model_and_arm_best_skill_first_and_runs_apart():
    assert BOARD.index.tolist() == [
        ("other", "s", "bad", "direct", "ancestral"),
        ("r", "s", "better", "direct", "ancestral"),
        ("r", "s", "good|model", "direct", "ancestral"),
        ("r", "s", "good|model", "cot", "ancestral"),
    ]


def test_columns_hold_overall_and_task_skill_with_its_interval():
    row = BOARD.iloc[2]
    overall = [f"skill{end}" for end in ("", "_low", "_high", "_paraphrase_low", "_paraphrase_high")]
    assert row[OVERALL][overall].tolist() == pytest.approx([0.5, 0.4, 0.6, 0.3, 0.8])
    assert (row["even-6", "skill"], row["even-6", "validity"], row[OVERALL, "validity"]) == (0.5, 0.25, 0.25)
    assert math.isnan(BOARD.iloc[3][OVERALL, "skill"])


def test_like_oracle_is_false_only_where_a_skill_was_measured():
    assert BOARD["even-6", "like_oracle"].tolist() == [False, True, False, pd.NA]
    empty = flat(BOARD)["even-6 like oracle"].to_csv(index=False, header=False)
    assert empty.splitlines() == ["False", "True", "False", '""']


OWN_NAMES = [*KEYS, "skill", "skill_low", "validity", "answered", "rank", "rank_kept", "like_oracle"]


@pytest.mark.parametrize("task", [*OWN_NAMES, "a validity", "a like oracle", "task:a", "overall", "a b"])
def test_a_task_of_any_name_takes_over_no_column(task):
    """A task `a` stands beside it, whose columns a careless name could be; each figure has its own value."""
    values = dict(zip(product([task, "a", OVERALL], ["skill", "validity"]), range(6), strict=True))
    board = leaderboard(scores(*[("r", of, "m", "direct", metric, n) for (of, metric), n in values.items()]))
    assert {key: board[key].item() for key in values} == values
    table = flat(board)
    assert table.columns.is_unique
    assert (table["skill"].item(), table["validity"].item()) == (4, 5)
    assert (table["a"].item(), table["a validity"].item()) == (2, 3)
    assert (table["run"].item(), table["model"].item()) == ("r", "m")
    others = table.select_dtypes("number").drop(columns=["skill", "validity", "a", "a validity"])
    assert sorted(value for value in others.iloc[0] if value < 2) == [0, 1]


def test_ordinary_tasks_have_the_columns_that_they_always_had():
    assert flat(BOARD).columns.tolist() == [
        *["run", "suite", "model", "arm", "decoder", "skill", "skill_low", "skill_high"],
        *[
            "skill_paraphrase_low",
            "skill_paraphrase_high",
            "skill_median",
            "rank",
            "rank_kept",
            "even-6",
            "validity",
            "answered",
            "forced",
            "opening",
        ],
        *["even-6 validity", "like_oracle", "even-6 like oracle"],
    ]


def test_markdown_has_a_line_a_row_and_escapes_names():
    text = markdown(BOARD)
    assert r"| good\|model | direct | 0.50 · 25% | 0.50 · 25% |" in text
    assert r"| good\|model | cot | – · 100% | – · 100% |" in text
    assert "| better | direct | 0.75 · – | 1.00≈ · – |" in text
    assert "| bad | direct † | -12 · – | -12 · – |" in text


def printed(board: pd.DataFrame, width: int, encoding: str = "utf-8") -> str:
    """What a terminal of a width and an encoding is sent."""
    output = io.TextIOWrapper(io.BytesIO(), encoding)
    console = PlainConsole(width=width)
    console.file = output
    console.print(*terminal_tables(board, width))
    output.flush()
    return output.buffer.getvalue().decode(encoding)


def filled(tasks: list[str], models: list[str], skill: float) -> pd.DataFrame:
    """A leaderboard with every cell measured."""
    metrics = {"skill": skill, "validity": 0.5}.items()
    rows = product([*tasks, OVERALL], models, metrics)
    return leaderboard(scores(*[("r", task, model, "direct", *cell) for task, model, cell in rows]))


def test_the_terminal_table_of_eight_tasks_fits_80_columns():
    tasks = [f"twin-primes-{n}" for n in range(4)] + [f"powers-of-{n}-100" for n in range(4)]
    shown = printed(filled(tasks, ["propose-and-check-64"], -99.99), 80)
    assert max(map(len, shown.splitlines())) <= 80
    assert shown.count("suite s") == 1  # one table
    assert shown.count("-100") == shown.count("50%") == 9
    assert "…" not in shown


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
@pytest.mark.parametrize("number", [3, 20])
def test_at_any_width_every_figure_of_every_task_stands_whole(width, number):
    tasks = [f"not-falling-digits-{n}" for n in range(number)]
    models = ["propose-and-check-64", "feasible-uniform", *(f"smollm2-{n}m" for n in range(5))]
    shown = printed(filled(tasks, models, -9.87), width)
    assert max(map(len, shown.splitlines())) <= width
    assert shown.count("-9.87") == shown.count("50%") == len(models) * (number + 1)
    assert "…" not in shown
    assert all(part in shown for part in ("propose-", "feasible-", "smollm2-"))


def test_an_ascii_terminal_gets_substitutes():
    shown = printed(leaderboard(scores(("r", OVERALL, "modèle", "direct", "skill", 1.0))), 80, "ascii")
    assert "1.00~" in shown
    assert "mod?le" in shown
