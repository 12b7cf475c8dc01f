"""Finding the numbers in a response, by the rule its arm states."""

from collections import deque
from collections.abc import Sequence
from itertools import islice

from sampler_bench.rules import Span, find_numbers
from sampler_bench.tasks import Arm

FOUND, NONE = "found", "none"


def parse_answers(text: str, arm: Arm) -> Sequence[str | None]:
    """The ``arm.answers`` numbers that the arm's rule finds, None for each that is missing.

    The rule is a regular expression with one group; its first, its last, or all of its matches count. The
    digits are taken as written: no thousands separators, signs or spaces are understood.
    """
    return [span and text[span.start : span.end] for span in answer_spans(text, arm)]


def answer_spans(text: str, arm: Arm) -> Sequence[Span | None]:
    """Where in the text the ``arm.answers`` numbers stand, None for each that is missing."""
    return (_matches(text, arm) + [None] * arm.answers)[: arm.answers]


def text_before_answer(text: str, arm: Arm) -> str | None:
    """What stands before the number that counts (the last of several); None if there is no number."""
    spans = _matches(text, arm)
    return text[: spans[-1].start] if spans and spans[-1] else None


def _matches(text: str, arm: Arm) -> list[Span | None]:
    """Where the numbers stand that count."""
    found = find_numbers(arm.answer, text)
    match arm.take:
        case "first":
            return list(islice(found, 1))
        case "last":
            return list(deque(found, maxlen=1))
        case _:
            return list(islice(found, arm.answers))
