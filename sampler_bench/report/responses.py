"""What models wrote: the text with its answers marked, and why an answer is no member."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from sampler_bench.integers import shown
from sampler_bench.plain import one_line, plain
from sampler_bench.rules import Span

MOST_TEXT = 1200  # characters of a text that are shown
AROUND = 120  # of them before and after each answer, where it lies further on
MOST_ANSWERS = 8  # of a response
MOST_DIGITS = 200  # of an answer that stands in full
LINE_ENDS, SPACES = re.compile(r"\s*\n\s*"), re.compile(r"\s+")


@dataclass(frozen=True)
class Answer:
    """A number that was found in a response, None if none was; where it stands; why it is no member."""

    number: str | None
    valid: bool
    span: Span | None = None
    reason: str = ""


@dataclass(frozen=True)
class Response:
    """What was written at one time. ``row``: task, model, arm and decoder; ``label``: which of theirs."""

    row: tuple[str, ...]
    label: str
    thinking: str
    text: str
    answers: Sequence[Answer]

    @property
    def spans(self) -> list[Span]:
        """Where in the text its answers stand."""
        return [answer.span for answer in self.answers if answer.span]


@dataclass(frozen=True)
class Piece:
    """A stretch of a text, marked where it is an answer; ``left_out`` characters before it are not shown."""

    text: str
    marked: bool = False
    left_out: int = 0


def answers_page(responses: Sequence[Response], first: int, total: int, following: int | None) -> Group:
    """Responses, below one another, and how many there are.

    Parameters
    ----------
    first : int
        The place of the first of them, from 1, among ``total``.
    following : int, optional
        The page that shows the next; None after the last.
    """
    parts: list[RenderableType] = []
    row = None
    for response in responses:
        if response.row != row:
            row = response.row
            parts += [Text(one_line(", ".join(row)), style="bold"), ""]
        parts += [*_response(response), ""]
    more = f"; --page {following} shows the next" if following else ""
    return Group(*parts, f"responses {first} to {first + len(responses) - 1} of {total}{more}")


def _response(response: Response) -> Iterator[RenderableType]:
    yield one_line(response.label)
    for name, text, spans in (
        ("thinking", response.thinking, []),
        ("text", response.text, response.spans),
    ):
        if text or name == "text":
            yield _indented(_text(name, excerpt(text, spans) or [Piece("(nothing)")]))
    found = [answer for answer in response.answers if answer.number is not None]
    for answer in found[:MOST_ANSWERS]:
        yield _indented(_verdict(answer.number or "", answer.valid, answer.reason))
    if len(found) > MOST_ANSWERS:
        yield _indented(Text(f"and {len(found) - MOST_ANSWERS} answers more"))
    if len(found) < len(response.answers):
        yield _indented(Text(_missing(len(response.answers) - len(found), len(response.answers)), "yellow"))


def _missing(missing: int, asked: int) -> str:
    return "no answer found" if asked == 1 else f"{missing} of {asked} answers not found"


def _text(name: str, pieces: Sequence[Piece]) -> Text:
    line = Text.assemble((f"{name}: ", "dim"))
    for piece in pieces:
        if piece.left_out:
            line.append(f" ({piece.left_out:,} characters left out) ", style="dim")
        line.append(piece.text, style="bold reverse" if piece.marked else "")
    return line


def _verdict(number: str, valid: bool, reason: str) -> Text:
    if valid:
        return Text(f"{_in_full(number)}: valid", style="green")
    return Text(f"{_in_full(number)}: not valid" + (f", {one_line(reason)}" if reason else ""), style="red")


def _indented(text: Text) -> Padding:
    text.overflow = "fold"
    return Padding(text, (0, 0, 0, 2), expand=False)


def excerpt(text: str, spans: Sequence[Span], most: int = MOST_TEXT, around: int = AROUND) -> list[Piece]:
    """A text on one line, answers in brackets; of a long one the beginning, and what is around its answers.

    Parameters
    ----------
    spans : sequence of Span
        Where answers stand, from left to right; the first few are looked at.
    most : int
        Characters of the text that may be shown, the answers and what is around them apart.
    """
    marks = spans[:MOST_ANSWERS]
    kept = [(0, len(text) if len(text) <= most else most - around)]
    kept += [(span.start - around, span.end + around) for span in marks] or [(len(text) - around, len(text))]
    pieces: list[Piece] = []
    at = 0
    for start, end in kept:
        start, end = start if start - at > around else at, min(end, len(text))
        if start >= end:
            continue
        pieces += _marked(text, start, end, marks, start - at)
        at = end
    if at < len(text):
        pieces.append(Piece("", left_out=len(text) - at))
    return pieces


def _marked(text: str, start: int, end: int, marks: Sequence[Span], left_out: int) -> Iterator[Piece]:
    """A stretch of a text, cut at the answers in it."""
    for mark in marks:
        first, last = max(mark.start, start), min(mark.end, end)
        if first < last:
            yield Piece(_flat(text[start:first]), left_out=left_out)
            yield Piece(f"[{_in_full(text[first:last])}]", marked=True)
            start, left_out = last, 0
    yield Piece(_flat(text[start:end]), left_out=left_out)


def _in_full(number: str) -> str:
    return number if len(number) <= MOST_DIGITS else shown(number)


def _flat(text: str) -> str:
    """On one line; where lines end is seen."""
    return SPACES.sub(" ", LINE_ENDS.sub(" ¶ ", plain(text)))
