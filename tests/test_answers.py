"""`show --answers`: what models wrote, page by page, marked by the rule of the arm, and harmless."""

import io
import re
import shutil
from itertools import count
from pathlib import Path

import pytest

from sampler_bench import Response, run, runs
from sampler_bench.cli import answer, options
from sampler_bench.report.console import PlainConsole
from sampler_bench.report.responses import excerpt
from sampler_bench.rules import Span
from sampler_bench.sealed import read_json, write_json
from tests.models.own_models import Both

HOSTILE = "[red]x[/red] \x1b[31m\x9b2J\x1b]0;t\x07 \u202e <b> Answer: 12"
TEXTS = [
    "Answer: 123456 or Answer: 123457",
    "It is 222222.\n\nanswer = 222222!",
    "nothing of the kind",
    HOSTILE,
    "word " * 2000 + "Answer: 424242" + " more" * 2000,
    "",
]
RUN = re.compile(r"responses (\d+) to (\d+) of (\d+)(?:; --page (\d+) shows the next)?$")
NUMBERED = re.compile(r"<(\d+)>")


class Writer(Both):
    """Writes the texts one after the other, each with a number of its own; the control's say so."""

    name = "writer"
    identity = "texts"

    def __init__(self):
        self.written_so_far = count()

    def written(self, prompt, _):
        place = next(self.written_so_far)
        what = "control" if prompt.blind else TEXTS[place % len(TEXTS)]
        return Response(f"<{place}> {what}" if what else "")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("answers") / "run"
    arms = ["cot", "batch"]
    run("even-6", [Writer(), "oracle"], arms, out=folder, numbers=2, samples=36, control=True)
    return folder


@pytest.fixture
def said(capsys, monkeypatch):
    def say(*words: object, width: int = 200) -> tuple[int, str, str]:
        monkeypatch.setattr(options.console, "width", width)
        code = answer([*map(str, words)])
        return code, *capsys.readouterr()

    return say


def pages(said, *words: object, width: int = 200) -> list[str]:
    """All pages, each by the option that the one before it names."""
    out, page = [], "1"
    while page:
        code, shown, err = said("show", *words, "--answers", "--page", page, width=width)
        assert (code, err) == (0, "")
        out.append(shown)
        first, last, total, page = RUN.search(" ".join(shown.split())).groups()
        assert int(last) - int(first) == shown.count("wording ") - 1 <= 9
    assert last == total
    return out


def test_every_response_stands_on_one_page_and_those_of_controls_on_none(said, folder):
    records = runs.read(folder).samples.query("model == 'writer'")
    assert records["blind"].any()
    wanted = sorted(NUMBERED.findall(" ".join(records[~records["blind"]].drop_duplicates("text")["text"])))
    shown = "".join(pages(said, folder, "--model", "writer"))
    assert sorted(NUMBERED.findall(shown)) == wanted
    assert "> control" not in shown


def test_the_number_that_the_rule_takes_is_marked_and_judged(said, folder):
    shown = "".join(pages(said, folder, "--arm", "cot"))
    assert (
        "Answer: 123456 or Answer: [123457]\n  123457: not valid, divided by 2 it leaves 1, not 0\n" in shown
    )
    assert "It is 222222. ¶ answer = [222222]!\n  222222: valid\n" in shown
    assert re.search(r"<\d+> nothing of the kind\n  no answer found\n", shown)
    assert "  text: (nothing)\n  no answer found\n" in shown


def test_a_response_of_many_answers_says_how_many_are_missing(said, tmp_path):
    class Lines(Both):
        def written(self, *_):
            return Response("100000\n 7 \nand\n100002")

    run("even-6", [Lines()], ["batch"], out=tmp_path / "run", numbers=2, samples=8)
    shown = "".join(pages(said, tmp_path / "run"))
    assert "text: [100000] ¶ [7] ¶ and ¶ [100002]\n  100000: valid\n  7: not valid, it has 1 digit" in shown
    assert "  100002: valid\n  5 of 8 answers not found\n" in shown


def test_valid_and_invalid_share_out_the_answers(said, folder):
    records = runs.read(folder).samples.query("arm == 'cot' and not blind")
    for option, valid in (("--valid", True), ("--invalid", False)):
        shown = pages(said, folder, "--arm", "cot", option)
        assert sum(page.count("wording ") for page in shown) == (records["valid"] == valid).sum()
        assert ("222222" in "".join(shown)) == valid
    code, out, _ = said("show", folder, "--answers", "--model", "oracle", "--invalid")
    assert (code, out) == (0, "of 36 responses there, none has an answer that is not valid\n")


@pytest.mark.parametrize("width", [40, 80])
def test_what_a_model_wrote_is_folded_cut_and_obeyed_nowhere(said, folder, width):
    shown = "".join(pages(said, folder, "--arm", "cot", width=width))
    assert max(map(len, shown.splitlines())) <= width
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown)
    flat = " ".join(shown.split())
    assert "[red]x[/red] [31m2J]0;t <b> Answer: [12]" in flat
    assert "characters left out" in flat
    assert "[424242]" in flat
    assert len(shown) < 36 * 2000


def test_a_terminal_without_unicode_has_the_marks(folder, monkeypatch):
    console = PlainConsole(width=60)
    console.file = io.TextIOWrapper(io.BytesIO(), "ascii", newline="")
    monkeypatch.setattr("sampler_bench.cli.reports.console", console)
    assert answer(["show", str(folder), "--answers", "--arm", "cot", "--valid"]) == 0
    console.file.flush()
    shown = console.file.buffer.getvalue().decode("ascii")
    assert "It is 222222. / answer = [222222]!" in " ".join(shown.split())
    assert "\x1b" not in shown


def test_a_run_of_an_older_schema_is_read(said, folder, tmp_path):
    """Its manifest may not say by which rule answers were found, nor of what: they are shown, unmarked."""
    shutil.copytree(folder, tmp_path / "run")
    path = tmp_path / "run" / "manifest.json"
    write_json(path, read_json(path)[0] | {"schema_version": 3, "arms": {}, "tasks": {}})
    shown = "".join(pages(said, tmp_path / "run", "--arm", "cot"))
    assert "It is 222222. ¶ answer = 222222!\n  222222: valid\n" in shown
    assert "  123457: not valid\n" in shown


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("", "show needs either --number X, one number digit by digit, or --answers, what models wrote"),
        ("--answers --number 5", "show needs either --number X"),
        ("--number 5 --valid", "--valid, --invalid and --page go with --answers, not with --number"),
        ("--number 5 --page 2", "--valid, --invalid and --page go with --answers, not with --number"),
        ("--answers --page 99", "--page 99: there are "),
        ("--answers --page 0", "Invalid value for '--page'"),
        ("--answers --arm x", "no arm 'x' in this run; there are batch, cot, direct"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(said, folder, words, reason):
    code, out, err = said("show", folder, *words.split())
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {reason}")
    assert err.count("\n") == 1


@pytest.mark.parametrize("length", [0, 10, 99, 100, 101, 500])
@pytest.mark.parametrize("places", [[], [0], [50], [95], [300, 302], [10, 490]])
def test_an_excerpt_and_what_it_leaves_out_are_the_text(length, places):
    text = "".join(chr(ord("a") + i % 26) for i in range(length))
    spans = [Span(place, place + 2) for place in places if place + 2 <= length]
    pieces = excerpt(text, spans, most=100, around=5)
    at, marked = 0, []
    for piece in pieces:
        at += piece.left_out
        bare = piece.text[1:-1] if piece.marked else piece.text
        assert text[at : at + len(bare)] == bare
        if piece.marked:
            marked.append(Span(at, at + len(bare)))
        at += len(bare)
    assert at == length
    assert marked == spans
    assert sum(len(piece.text) for piece in pieces) <= 100 + (5 + 4 + 3 * 5) * len(spans) + 2 * 5
