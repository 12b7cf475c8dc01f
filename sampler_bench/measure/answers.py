"""Finding the numbers in a response, by the rule its arm states."""

import re
from collections.abc import Sequence

from sampler_bench.tasks import Arm

FOUND, NONE = "found", "none"


def parse_answers(text: str, arm: Arm) -> Sequence[str | None]:
    """The ``arm.answers`` numbers that the arm's rule finds, None for each that is missing.

    The rule is a regular expression with one group; its first, its last, or all of its matches count. The
    digits are taken as written: no thousands separators, signs or spaces are understood.
    """
    found = [match.group(1) for match in _matches(text, arm)]
    return (found + [None] * arm.answers)[: arm.answers]


def text_before_answer(text: str, arm: Arm) -> str | None:
    """What stands before the number that counts (the last of several); None if there is no number."""
    matches = _matches(text, arm)
    return text[: matches[-1].start(1)] if matches else None


def _matches(text: str, arm: Arm) -> list[re.Match[str]]:
    """The matches that count."""
    found = list(re.finditer(arm.answer, text, re.ASCII))
    match arm.take:
        case "first":
            return found[:1]
        case "last":
            return found[-1:]
        case _:
            return found[: arm.answers]
