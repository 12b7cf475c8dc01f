"""The leaderboard in its three forms."""

import math

import pandas as pd
import pytest
from rich.console import Console

from sampler_bench.report.leaderboard import leaderboard, markdown, terminal_tables
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
    assert BOARD[["run", "model", "arm"]].to_numpy().tolist() == [
        ["other", "bad", "direct"],
        ["r", "better", "direct"],
        ["r", "good|model", "direct"],
        ["r", "good|model", "cot"],
    ]


def test_columns_hold_overall_and_task_skill_with_its_interval():
    row = BOARD.iloc[2]
    assert row[["skill", "skill_low", "skill_high"]].tolist() == pytest.approx([0.5, 0.4, 0.6])
    assert row[["skill_paraphrase_low", "skill_paraphrase_high"]].tolist() == pytest.approx([0.3, 0.8])
    assert (row["even-6"], row["validity"], row["even-6 validity"]) == (0.5, 0.25, 0.25)
    assert math.isnan(BOARD.iloc[3]["skill"])


def test_markdown_has_a_line_a_row_and_escapes_names():
    text = markdown(BOARD)
    assert r"| good\|model | direct | 0.50 · 25% | 0.50 · 25% |" in text
    assert r"| good\|model | cot | – · 100% | – · 100% |" in text
    assert "| better | direct | 0.75 · – | 1.00≈ · – |" in text
    assert "| bad | direct † | -12 · – | -12 · – |" in text


def test_the_terminal_table_of_eight_tasks_fits_80_columns():
    tasks = [f"twin-primes-{n}" for n in range(4)] + [f"powers-of-{n}-100" for n in range(4)]
    rows = [("r", task, "propose-and-check-64", "direct", "skill", -99.99) for task in [*tasks, OVERALL]]
    rows += [("r", task, "propose-and-check-64", "direct", "validity", 1.0) for task in [*tasks, OVERALL]]
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    (table,) = terminal_tables(leaderboard(scores(*rows)))
    console.print(table)
    console.file.close()
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(line.count("-100") for line in lines) == 9
    assert sum(line.count("100%") for line in lines) == 9
    assert not any("…" in line for line in lines)


def test_many_tasks_stand_below_one_another_with_all_models_and_no_name_cut():
    tasks = [f"not-falling-digits-{n}" for n in range(20)]
    models = ["propose-and-check-64", "feasible-uniform", *(f"smollm2-{n}m" for n in range(5))]
    rows = [("r", task, model, "direct", metric, 0.5) for task in [*tasks, OVERALL] for model in models
            for metric in ("skill", "validity")]  # fmt: skip
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    tables = terminal_tables(leaderboard(scores(*rows)))
    for table in tables:
        console.print(table)
    console.file.close()
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("50%") == len(models) * 21
    assert "…" not in text
    assert all(name in text for name in ("propose-", "feasible-", "smollm2-4m"))
