"""What of a response stands between the prompt and the answer, and is gone on from (docs/method.md)."""

from dataclasses import dataclass

from sampler_bench.measure.parsing import text_before_answer
from sampler_bench.tasks import Arm


@dataclass(frozen=True)
class Trace:
    """What stands between the prompt and the answer.

    ``forced``: the response came to no answer, so the arm's lead was put after it.
    """

    text: str
    forced: bool


def trace_of(thinking: str, text: str, arm: Arm) -> Trace:
    """The trace of a response: up to its answer, or all of it and the arm's lead."""
    before = text_before_answer(text, arm)
    if before is not None:
        return Trace(thinking + before, forced=False)
    return forced_trace(thinking, text, arm)


def forced_trace(thinking: str, text: str, arm: Arm) -> Trace:
    """A response without its answer, if it came to one, and the arm's lead."""
    if thinking:
        return Trace(thinking.partition(arm.thinking_end)[0].rstrip() + arm.lead, forced=True)
    before = text_before_answer(text, arm)
    return Trace((text if before is None else before).rstrip() + arm.lead, forced=True)
