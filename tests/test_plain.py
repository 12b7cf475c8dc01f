"""What comes from outside is shown, and acts nowhere."""

import io
import string
import unicodedata
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.table import Table
from rich.text import Text

from sampler_bench.plain import file_name, in_markdown, in_spreadsheet, one_line, plain
from sampler_bench.report.console import PlainConsole
from sampler_bench.report.progress import Display

CODES = ["\x1b[31m", "\x9b2J", "\x1b]0;title\x07", "\x08\x08", "\r", "\x00", "\x7f"]
ACTING = [*CODES, "\u202e", "\u2066", "\u200f", "\u2028"]
MARKUP = ["[/b]", "[red]x[/red]", "[low, high]", "sampler-bench[vllm]", ":smile:", "[link=http://x]y[/link]"]


def sent(*renderables: object, encoding: str = "utf-8", width: int = 80) -> str:
    """What a terminal gets of what is printed."""
    console = PlainConsole(width=width)
    console.file = io.TextIOWrapper(io.BytesIO(), encoding, newline="")
    console.print(*renderables)
    console.file.flush()
    return console.file.buffer.getvalue().decode(encoding)


def tables(cell: str | Text) -> Table:
    table = Table(title=cell if isinstance(cell, str) else None)
    table.add_column(cell)
    table.add_row(cell)
    return table


@pytest.mark.parametrize("code", ACTING)
@pytest.mark.parametrize("form", [str, Text, tables, lambda text: tables(Text(text))])
def test_the_terminal_gets_no_character_that_acts(code, form):
    shown = sent(form(f"before{code}after"))
    assert not {unicodedata.category(c) for c in shown if c != "\n"} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert "before" in shown
    assert "after" in shown


@pytest.mark.parametrize("text", MARKUP)
@pytest.mark.parametrize("form", [str, tables])
def test_square_brackets_are_square_brackets(text, form):
    assert text in sent(form(text))


def test_progress_says_names_as_they_are(capsys):
    with Display() as display:
        display.begin("[/b]\x1b[31mmodel", 0, 1)
        display.advance("[task]", "samples", 1)
        display.say("install sampler-bench[vllm]")
    said = capsys.readouterr().err
    assert "[/b][31mmodel: 1 units\n" in said
    assert "([task], " in said
    assert "install sampler-bench[vllm]\n" in said
    assert "\x1b" not in said


@given(st.text(st.characters()))
def test_any_text_at_all_can_be_printed_in_any_encoding(text):
    for encoding in ("ascii", "latin-1", "utf-8"):
        sent(text, tables(text), encoding=encoding, width=20)


@given(st.text(st.characters()))
def test_plain_text_is_printable_but_for_line_ends_and_stays_so(text):
    unprintable = [c for c in plain(text) if not c.isprintable()]
    assert {unicodedata.category(c) for c in unprintable if c != "\n"} <= {"Cn", "Zs"}
    assert plain(plain(text)) == plain(text)
    assert one_line(text).count("\n") == 0


def test_an_ascii_terminal_gets_a_character_as_wide():
    table = Table(box=None)
    table.add_row("█–≈†✓→", "日本", "end")
    plainly, in_ascii = (sent(table, encoding=encoding) for encoding in ("utf-8", "ascii"))
    assert in_ascii.split() == ["#-~++>", "????", "end"]
    assert in_ascii.index("end") == plainly.index("end") + 2  # two characters for each of two wide ones


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1", "'=1", "''=1"])
def test_a_formula_gets_an_apostrophe_and_one_less_gives_it_back(text):
    assert in_spreadsheet(text) == f"'{text}"


@given(st.text("=+-@'a\t"), st.text("=+-@'a\t"))
def test_no_cell_is_a_formula_and_no_two_texts_become_one(one, other):
    assert in_spreadsheet(one)[:1] not in ("=", "+", "-", "@", "\t")
    assert (in_spreadsheet(one) == in_spreadsheet(other)) == (one == other)


@pytest.mark.parametrize(
    "text", ["a|b", "<img src=x>", "[x](http://y)", "*a* _b_ `c`", "a\nb", "# a", "~~a~~", "&lt;"]
)
def test_markdown_shows_a_name_as_it_is(text):
    reader = MarkdownIt().enable(["table", "strikethrough"])
    html = reader.render(f"| a |\n| - |\n| {in_markdown(text)} |\n")
    cell = html.partition("<td>")[2].partition("</td>")[0]
    assert unescape(cell) == " ".join(text.split())
    assert "<" not in cell


@given(st.lists(st.text(), min_size=1, max_size=3), st.lists(st.text(), min_size=1, max_size=3))
def test_names_of_files_are_safe_short_and_different(one, other):
    for parts in (one, other):
        assert set(file_name(*parts)) <= {*string.ascii_letters, *string.digits, *"_.+=,-"}
        assert len(file_name(*parts)) < 100
    if "-".join(one) != "-".join(other):
        assert file_name(*one) != file_name(*other)
