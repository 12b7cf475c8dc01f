"""Finding the number in a response, by the rule its arm states."""

import re

from sampler_bench.tasks import Arm

FOUND, NONE = "found", "none"


def parse_answer(text: str, arm: Arm) -> str | None:
    """The digits that the arm's rule finds, or None.

    The rule is a regular expression with one group; the first or the last match counts. The digits are
    taken as written: no thousands separators, signs or spaces are understood.
    """
    matches = [match.group(1) for match in re.finditer(arm.answer, text, re.ASCII)]
    if not matches:
        return None
    return matches[0 if arm.take == "first" else -1]
