"""The leaderboard page, driven in a real headless Chromium."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from sampler_bench.report.page import page
from sampler_bench.score.scores import OVERALL

HOSTILE = "<img src=x onerror=alert(1)></script><b>m"
TASKS = ["even-6", "twin-primes-3"]


def scores(rows: list[tuple]) -> pd.DataFrame:
    """From (run, suite, task, model, arm, metric, value)."""
    columns = ["run", "suite", "task", "model", "arm", "metric", "value"]
    table = pd.DataFrame(rows, columns=columns).assign(decoder="ancestral", n=16)
    table["like_oracle"] = (table["metric"] == "skill") & (table["value"] == 1)
    return table.assign(low=table["value"] - 0.1, high=table["value"] + 0.1)


def rows_of(
    model: str, skill: float, arm: str = "direct", run: str = "r", suite: str = "quick"
) -> list[tuple]:
    return [
        (run, suite, task, model, arm, metric, value)
        for task in (*TASKS, OVERALL)
        for metric, value in (("skill", skill), ("validity", 0.25), ("answered", 1.0), ("tokens", math.inf))
    ]


def curves(model: str) -> pd.DataFrame:
    rows = [
        (task, metric, at, value)
        for task in TASKS
        for metric, values in (("entropy", [2.2, 1.0, 0.0]), ("content", [0.1, 0.5, 0.0]))
        for at, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["task", "metric", "at", "value"]).assign(
        run="r", suite="quick", model=model, arm="direct", decoder="ancestral", axis="position"
    )


BOARD = scores(
    [
        *rows_of("good", 0.9),
        *rows_of("bad", -12.3),
        *rows_of("good", 0.5, arm="cot"),
        *rows_of(HOSTILE, 0.1),
        *rows_of("oracle", 1.0),
        *rows_of("elsewhere", 0.3, suite="essay"),
    ]
)


def data_of(text: str) -> dict:
    start = text.index('id="data">') + len('id="data">')
    return json.loads(text[start : text.index("</script>", start)])


def test_numbers_are_rounded_and_what_is_not_finite_is_valid_json():
    (row,) = [
        row for row in data_of(page(BOARD, curves("good"), frozenset()))["rows"] if row["model"] == "bad"
    ]
    assert row["scores"]["even-6"]["skill"] == [-12.3, -12.4, -12.2, 16, False]
    assert row["scores"]["even-6"]["tokens"][0] == "∞"


def test_a_profile_ends_with_the_last_digit():
    (row, *_) = [row for row in data_of(page(BOARD, curves("good"), frozenset()))["rows"] if row["curves"]]
    assert row["curves"]["even-6"] == {"entropy": [2.2, 1.0], "content": [0.1, 0.5]}


def models(tab) -> list[str]:
    return tab.locator("#models th[scope=row] button").all_inner_texts()


def test_rows_stand_best_first_and_references_apart(opened):
    tab = opened(BOARD, curves("good"))
    assert models(tab) == ["good", "good", HOSTILE, "bad"]
    assert tab.locator("#references th[scope=row] button").all_inner_texts() == ["oracle"]
    assert tab.locator("#count").inner_text() == "4 rows, 1 reference samplers"
    assert tab.locator("#references td").nth(1).inner_text().split() == ["1.00≈", "25%", "valid"]


def test_any_column_sorts_both_ways_by_keyboard_too(opened):
    tab = opened(BOARD, curves("good"))
    tab.locator("th[data-key=even-6] button").click()
    tab.locator("th[data-key=even-6] button").click()
    assert models(tab) == ["bad", HOSTILE, "good", "good"]
    assert tab.locator("th[data-key=even-6]").get_attribute("aria-sort") == "ascending"
    assert tab.locator("th[aria-sort]").count() == 1
    tab.locator("th[data-key=model] button").focus()
    tab.keyboard.press("Enter")
    assert models(tab) == [HOSTILE, "bad", "good", "good"]
    assert tab.evaluate("document.activeElement.textContent") == "model"  # the focus stays


def test_suite_arm_and_model_filter(opened):
    tab = opened(BOARD, curves("good"))
    tab.select_option("#arm", "cot")
    assert models(tab) == ["good"]
    tab.select_option("#arm", "")
    tab.fill("#model", "BA")
    assert models(tab) == ["bad"]
    tab.fill("#model", "")
    tab.select_option("#suite", "essay")
    assert models(tab) == ["elsewhere"]


def test_a_row_opens_to_its_digits_and_closes(opened):
    tab = opened(BOARD, curves("good"))
    button = tab.locator("#models th[scope=row] button").first
    assert button.get_attribute("aria-expanded") == "false"
    button.focus()
    tab.keyboard.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    cards = tab.locator(".details .card")
    assert cards.locator("h2").all_inner_texts() == ["overall", *TASKS]
    assert cards.locator("svg").count() == 2
    assert cards.nth(1).locator("tbody tr").first.inner_text().split() == [
        "skill",
        "0.90",
        "0.80",
        "to",
        "1.00",
        "16",
    ]
    tab.locator("th[data-key=arm] button").click()
    assert tab.locator(".details").count() == 1  # stays open when sorted
    tab.locator("button[aria-expanded=true]").click()
    assert tab.locator(".details").count() == 0


def test_a_cell_says_its_interval_to_all(opened):
    cell = opened(BOARD, curves("good")).locator("#models tr").first.locator("td").nth(3)
    words = "skill 0.90, 95% interval 0.80 to 1.00, n = 16; valid 25%, 95% interval 15% to 35%, n = 16"
    assert cell.get_attribute("title") == words
    assert cell.get_attribute("aria-label") == f"even-6: {words}"
    assert cell.get_attribute("tabindex") == "0"


def test_markup_in_a_model_name_is_text(opened):
    tab = opened(BOARD, curves(HOSTILE))
    tab.locator("#models th[scope=row] button").nth(2).click()
    assert tab.locator("img").count() == 0
    assert HOSTILE in models(tab)


OWN_NAMES = [
    "model",
    "arm",
    "validity",
    "overall",
    "constructor",
    "__proto__",
    "toString",
    HOSTILE,
    "a b",
    "ä",
]


def test_tasks_of_any_name_have_columns_of_their_own(opened):
    """Each of two models has its own skill at each task; every column shows and sorts by its own."""
    rows = [
        ("r", "s", task, model, "direct", "skill", sign * place / 10)
        for place, task in enumerate([OVERALL, *OWN_NAMES])
        for model, sign in (("a", 1), ("b", -1))
    ]
    tab = opened(scores(rows), curves("none"))
    heads = tab.locator("#head th button")
    assert heads.all_inner_texts() == ["model", "arm", "skill", "uptake", *OWN_NAMES, "valid"]
    cells = tab.locator("#models tr").first.locator("td").all_inner_texts()[1:]
    skills = [cells[0], *cells[2:-1]]
    assert [cell.split()[0].rstrip("≈") for cell in skills] == [
        f"{n / 10:.2f}" for n in range(len(OWN_NAMES) + 1)
    ]
    for place in range(4, 4 + len(OWN_NAMES)):
        heads.nth(place).click()
        assert models(tab) == ["a", "b"]
        assert tab.locator("#head th").nth(place).get_attribute("aria-sort") == "descending"
        assert tab.locator("#head th[aria-sort]").count() == 1
        heads.nth(place).click()
        assert models(tab) == ["b", "a"]
    tab.locator("#models th[scope=row] button").first.click()
    assert tab.locator(".card h2").all_inner_texts() == ["overall", *OWN_NAMES]
    assert tab.locator("img").count() == 0


def test_a_row_without_a_task_named_as_what_every_object_has_opens(opened):
    rows = [*rows_of("good", 0.9), ("r", "quick", "constructor", "other", "direct", "skill", 0.5)]
    tab = opened(scores(rows), curves("good"))
    tab.locator("#models th[scope=row] button").first.click()
    assert tab.locator(".card h2").all_inner_texts() == ["overall", *TASKS]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_scrolls_the_table_and_not_the_page(opened, scheme):
    tab = opened(BOARD, curves("good"), viewport={"width": 400, "height": 800}, color_scheme=scheme)
    tab.locator("#models th[scope=row] button").first.click()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 400
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 29)"}[scheme]


def test_ten_thousand_rows_are_all_reached(opened):
    skill = np.random.default_rng(0).permutation(10_000) / 100
    rows = [("r", "quick", OVERALL, f"m{i}", "direct", "skill", value) for i, value in enumerate(skill)]
    tab = opened(scores(rows), curves("none"))
    assert tab.locator("#count").inner_text() == "10000 rows, 0 reference samplers"
    assert models(tab)[0] == f"m{np.argmax(skill)}"
    before = len(models(tab))
    tab.locator("#more").scroll_into_view_if_needed()
    tab.locator("#models tr").nth(before).wait_for()
    order = [f"m{i}" for i in np.argsort(-skill, kind="stable")]
    assert models(tab)[:300] == order[:300]
    tab.locator(f"th[data-key='{OVERALL}'] button").click()
    assert models(tab)[0] == f"m{np.argmin(skill)}"


def test_numbers_of_any_size_stay_inside_their_card(opened):
    sizes = [
        ("r", "quick", "even-6", "good", "direct", name, 3.3e99) for name in ("level", "level-of-validity")
    ]
    tab = opened(scores([*rows_of("good", 0.9), *sizes]), curves("good"))
    tab.locator("#models th[scope=row] button").first.click()
    cards = tab.locator(".details .card")
    assert cards.count() == 3
    for card in cards.all():
        table = card.locator("table").bounding_box()
        assert table["x"] + table["width"] <= card.bounding_box()["x"] + card.bounding_box()["width"]
    assert "3.3e+99" in cards.nth(1).inner_text()
