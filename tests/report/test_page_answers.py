"""What models wrote, in the opened rows of the leaderboard page."""

import pytest

from sampler_bench import run
from sampler_bench.publish import write_leaderboard
from sampler_bench.report.responses import Answer, Response
from sampler_bench.rules import Span
from sampler_bench.runs import read
from tests.report.test_page import BOARD, HOSTILE, curves, data_of


def response(text: str, *numbers: str | None, task: str = "even-6", reason: str = "") -> Response:
    """One whose answers stand where they come first in the text."""
    answers = []
    for number in numbers:
        span = None if number is None else Span(text.index(number), text.index(number) + len(number))
        answers.append(Answer(number, number is not None and not reason, span, reason))
    return Response((task, "good", "direct", "ancestral"), "wording plain, response 0", "", text, answers)


GOOD = ("r", "quick", "good", "direct", "ancestral")
SHORT = "it has 2 digits; members have 6"
WRITTEN = [
    response("It is 123456.\nSurely.", "123456"),
    response(f"{HOSTILE}\x1b[31m {'x' * 1000} 77 {'y' * 1000}", "77", reason=SHORT),
    response("nothing", None, task="twin-primes-3"),
    response("58\n31", "58", "31", None, task="twin-primes-3"),
    response("58\n31", "58", "31", reason=SHORT),
    response("", None),
]


def test_an_opened_row_shows_what_was_written_as_text_with_its_answers_marked(opened):
    tab = opened(BOARD, curves("good"), {GOOD: WRITTEN})
    tab.locator("#models th[scope=row] button").first.click()
    assert tab.locator(".details .card h2").all_inner_texts()[-1] == "some of what it wrote"
    answers = tab.locator(".answers")
    assert answers.locator("mark").all_inner_texts() == ["[123456]", "[77]", *["[58]", "[31]"] * 2]
    assert answers.locator("dd small").all_inner_texts() == [
        "valid",
        f"not valid: {SHORT}",
        "no answer found",
        "2 of 3 valid",
        f"0 of 2 valid; 58: {SHORT}",
        "no answer found",
    ]
    tasks = answers.locator("dt").all_inner_texts()
    assert tasks == [*["even-6"] * 2, *["twin-primes-3"] * 2, *["even-6"] * 2]
    first, second, *_, last = answers.locator("dd").all_inner_texts()
    assert first.startswith("It is [123456]. ¶ Surely.")
    assert second.startswith(f"{HOSTILE}[31m x")
    assert len(second) < 600
    assert [text.split()[2:] for text in answers.locator("dd i").all_inner_texts()[:2]] == [
        ["characters", "left", "out", "…"]
    ] * 2
    assert last.startswith("nothing")
    assert tab.locator("img").count() == 0
    tab.locator("button[aria-expanded=true]").click()
    tab.locator("#models th[scope=row] button").nth(1).click()
    assert tab.locator(".details").count() == 1
    assert tab.locator(".answers").count() == 0  # of another arm


@pytest.mark.parametrize("width", [400, 1200])
def test_what_was_written_stays_inside_its_card(opened, width):
    tab = opened(BOARD, curves("good"), {GOOD: WRITTEN}, viewport={"width": width, "height": 800})
    tab.locator("#models th[scope=row] button").first.click()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    card = tab.locator(".answers").bounding_box()
    for part in tab.locator(".answers dd").all():
        assert part.bounding_box()["x"] + part.bounding_box()["width"] <= card["x"] + card["width"]


def test_the_page_of_a_run_has_a_handful_of_its_answers_a_row(tmp_path):
    run("dice", ["oracle", "uniform-digits"], out=tmp_path / "run", numbers=2, samples=4)
    write_leaderboard([tmp_path / "run"], tmp_path / "out")
    rows = data_of((tmp_path / "out" / "leaderboard.html").read_text(encoding="utf-8"))["rows"]
    records = read(tmp_path / "run").samples
    for row in rows:
        assert len({answer["task"] for answer in row["answers"]}) == len(row["answers"]) == 6
        mine = records[records["model"] == row["model"]]
        for answer in row["answers"]:
            (first,) = mine[(mine["task"] == answer["task"]) & (mine["sample_id"] == 0)].itertuples()
            assert answer["text"] == [["mark", f"[{first.answer}]"]]
            assert answer["verdict"].startswith("valid" if first.valid else "not valid: ")


def test_samples_that_cannot_be_read_are_left_out_of_the_page_with_a_line(tmp_path):
    run("even-6", ["oracle"], out=tmp_path / "run", numbers=2, samples=4)
    (tmp_path / "run" / "samples.parquet").write_bytes(b"no")
    said: list[str] = []
    write_leaderboard([tmp_path / "run"], tmp_path / "out", said.append)
    assert [line.partition(": ")[0] for line in said] == ["answers left out of the page"]
    (row,) = data_of((tmp_path / "out" / "leaderboard.html").read_text(encoding="utf-8"))["rows"]
    assert row["answers"] == []
