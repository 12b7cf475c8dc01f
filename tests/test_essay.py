"""The rules that the claims of the essay are held by, on made-up results."""

import importlib.util
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
spec = importlib.util.spec_from_file_location("essay", ROOT / "results" / "essay.py")
assert spec
assert spec.loader
essay = importlib.util.module_from_spec(spec)
spec.loader.exec_module(essay)

KINDS = {  # of learnability-6: how many members, what the constraint tells
    "even-6": (13.0, 0.7), "odd-not-5-6": (9.7, 0.9),
    "powers-of-2-6": (1.1, 12.6), "cubes-6": (3.9, 9.8),
    "not-falling-6": (8.0, 5.6), "palindromes-6": (6.8, 6.9),
    "primes-6": (11.1, 2.6), "twin-primes-6": (9.5, 4.2),
}  # fmt: skip


def row(world: str, metric: str, value: float, task: str = "", **of: object) -> dict:
    """A score of a model that has seen all, with an interval of 0.01 to either side."""
    known = {"parameters": 400_000, "numbers_seen": 400_000, "floor": float("nan"), "task": task or world}
    said = {"metric": metric, "value": value, "low": value - 0.01, "high": value + 0.01}
    wordings = {"paraphrase_low": value - 0.02, "paraphrase_high": value + 0.02}
    return known | said | wordings | {"world": world, "model": "m"} | of


def made_up(monkeypatch, rows: list[dict], switching: pd.DataFrame | None = None) -> object:
    evidence = essay.Evidence(ROOT)
    monkeypatch.setattr(essay.Evidence, "lab", pd.DataFrame(rows))
    monkeypatch.setattr(essay.Evidence, "switching", switching)
    return evidence


def grid(skills: dict[str, float]) -> list[dict]:
    rows = []
    for task, skill in skills.items():
        size, told = KINDS[task]
        rows += [row(task, "skill", skill), row(task, "ln-size", size), row(task, "information", told)]
        rows.append(row(task, "skill", -5.0, numbers_seen=6_250))  # on its way: does not count
        rows.append(row(task, "skill", -9.0, parameters=100_000))
    return rows


@pytest.mark.parametrize(
    ("middle", "verdict"),
    [
        ((0.5, 0.6, 0.3, 0.2), "holds"),
        ((0.99, 0.6, 0.3, 0.2), "holds of arithmetic sets"),
        ((0.5, 0.6, 0.99, 0.2), "holds of digit-structured sets"),
        ((0.99, 0.6, 0.99, 0.2), "fails"),
        ((0.5, 0.6, 0.3, 0.90), "holds of digit-structured sets"),  # 0.90 + 0.01 is not below 0.91 - 0.01
    ],
)
def test_a_kind_is_hard_if_each_of_its_tasks_is_below_both_ends(monkeypatch, middle, verdict):
    ends = {"even-6": 1.0, "odd-not-5-6": 0.91, "powers-of-2-6": 0.95, "cubes-6": 0.97}
    inner = dict(zip([*KINDS][4:], middle, strict=True))
    monkeypatch.setattr(essay.Catalog, "suite", lambda *_: type("Suite", (), {"tasks": [*KINDS]}))
    found = essay.hump(made_up(monkeypatch, grid(ends | inner)))
    assert found.verdict == verdict
    assert "Free (2 tasks): skill 0.91 to 1.00, median 0.96" in found.said


def test_where_the_ends_are_not_easy_nothing_holds(monkeypatch):
    skills = dict.fromkeys(KINDS, 0.02) | {
        "even-6": 0.12,
        "odd-not-5-6": 0.1,
        "powers-of-2-6": 0.99,
        "cubes-6": 0.99,
    }
    monkeypatch.setattr(essay.Catalog, "suite", lambda *_: type("Suite", (), {"tasks": [*KINDS]}))
    assert essay.hump(made_up(monkeypatch, grid(skills))).verdict == "fails"


@pytest.mark.parametrize(
    ("checked", "plain", "verdict"),
    [(0.9, 0.5, "holds"), (0.3, 0.5, "fails"), (0.505, 0.5, "cannot be told")],
)
def test_checks_help_where_intervals_are_apart(monkeypatch, checked, plain, verdict):
    rows = [
        row(world, metric, value, "no-factor-below-11-6", tokens_seen=2_000_000)
        for world, validity in (("with-traces", checked), ("without-traces", plain))
        for metric, value in (("validity", validity), ("content", 0.4), ("information", 1.476))
    ]
    assert essay.thinking(made_up(monkeypatch, rows)).verdict == verdict


@pytest.mark.parametrize(
    ("share", "verdict"),
    [(0.02, "holds"), (0.045, "cannot be told"), (0.055, "cannot be told"), (0.08, "fails")],
)
def test_an_intent_is_carried_out_or_not(monkeypatch, share, verdict):
    of = {"task": "twins-one-in-ten-6"}
    rows = [row("hidden-intent", name, 0.1, **of) for name in ("content", "information")]
    rows.append(row("hidden-intent", "component-1", share, floor=0.1, **of))
    rows.append(row("hidden-intent", "component-1", 0.01, model=essay.CONTROL, parameters=0, **of))
    assert essay.intent(made_up(monkeypatch, rows)).verdict == verdict


@pytest.mark.parametrize(
    ("alone", "both", "verdict"),
    [
        (0.001, 0.2, "holds"),
        (0.05, 0.2, "holds in part"),
        (0.001, 0.1, "holds in part"),
        (0.05, 0.1, "fails"),
    ],
)
def test_languages(monkeypatch, alone, both, verdict):
    table = pd.DataFrame(
        [
            {"task": world, "zeros": zeros, "mass": mass, "low": mass, "high": mass + 0.005, "truth": truth}
            for world, mass, truth in (("monolingual", alone, 0.0), ("bilingual", both, 0.19))
            for zeros in range(4)
        ]
    )
    found = essay.languages(made_up(monkeypatch, [], table))
    assert found.verdict == verdict
    assert "after 000 (exact 0.1900)" in found.said


@pytest.mark.parametrize(
    ("hall", "fall", "doors", "verdict"),
    [
        (0.5, -0.5, (0.6, 0.7), "holds"),
        (0.5, 0.5, (0.6, 0.7), "fails"),
        (0.5, 0.015, (0.6, 0.7), "cannot be told"),
        (-0.5, -0.5, (0.6, 0.7), "cannot be told: no model here knows the game"),
        (0.5, 0.5, (0.4, 0.9), "cannot be told: no model here knows the game"),  # of one wording it stays
    ],
)
def test_a_switch_bot_knows_one_game_and_is_misled_in_the_other(monkeypatch, hall, fall, doors, verdict):
    """The oracle, which takes up both, does not count."""
    rows = [
        row(task, "uptake", value, model=model, arm="direct")
        for model, values in (("m", (hall, fall)), ("oracle", (1.0, 1.0)))
        for task, value in zip(("monty-hall", "monty-fall"), values, strict=True)
    ]
    other = {(f"monty-{game}", "m", "direct", k): doors[k] for game in ("hall", "fall") for k in (0, 1)}
    monkeypatch.setattr(essay.Evidence, "suite", lambda *_: pd.DataFrame(rows))
    monkeypatch.setattr(essay.Evidence, "other_door", pd.Series(other).sort_index())
    found = essay.games(essay.Evidence(ROOT))
    assert found.verdict == verdict
    assert "oracle" not in found.said


@pytest.mark.parametrize(
    ("together", "alone", "early", "verdict"),
    [
        (0.9, 0.95, 0.5, "holds in the median"),
        (0.5, 0.95, 0.55, "cannot be told: it may be for want of numbers"),
        (0.5, 0.95, 0.9, "fails"),
    ],
)
def test_personae_cost_little_or_much_or_have_read_too_little(monkeypatch, together, alone, early, verdict):
    rows = []
    for document in essay.Catalog().world("jukebox").documents:
        rows += [
            row("jukebox", "skill", together, document.task),
            row(document.task, "skill", alone),
            row(document.task, "skill", early, numbers_seen=50_688),
            row(document.task, "skill", -3.0, numbers_seen=25_344),
            row(document.task, "skill", 1.0, parameters=2_000_000),
        ]
    assert essay.jukebox(made_up(monkeypatch, rows)).verdict == verdict


def test_the_page_is_what_the_published_results_say():
    assert (ROOT / "docs" / "essay.md").read_text() == essay.page(essay.Evidence())
