"""What measuring will cost, before it does: requests, and tokens in and out."""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from types import MappingProxyType

from sampler_bench.measure.plan import CHUNK, Unit, Units, numbers_along
from sampler_bench.measure.truth_along import prefixes_of
from sampler_bench.models.engines.digit_laws import requests_for
from sampler_bench.models.engines.spending import answer_tokens
from sampler_bench.models.model import Prompt
from sampler_bench.runs.done import Done

PIECES = re.compile(r"\d|[^\W\d_]+|[^\w\s]|_|\n")  # about what a tokenizer makes of English and digits
FEW = 16  # units of one prompt whose numbers are drawn to know what all of them cost
AROUND_A_MESSAGE = 5  # tokens that a chat template puts around one


@dataclass(frozen=True)
class Forecast:
    """Of all units that are not done.

    ``requests``: those that return laws or answers; beside them stand a few for each unit, which look whether
    a server is still what it was. ``tokens_in``: of prompts, about. ``tokens_out``: at most.
    """

    units: int = 0
    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0

    def __add__(self, other: "Forecast") -> "Forecast":
        return Forecast(*(getattr(self, name) + getattr(other, name) for name in vars(self)))

    def price(self, price_in: float, price_out: float) -> float:
        """What it costs at most, given what a million tokens cost."""
        return (self.tokens_in * price_in + self.tokens_out * price_out) / 1e6


def forecast(
    units: Units,
    done: Done | Set[str] = frozenset(),
    extra_body: Mapping[str, object] = MappingProxyType({}),
    forces: bool = False,
) -> Forecast:
    """Of the units that are not done, where each digit is a token.

    Units that differ by their numbers alone cost about the same: a few of them stand for all.

    Parameters
    ----------
    extra_body : mapping
        Further fields of requests, some of which may say how long an answer may be.
    forces : bool
        Whether answers can be forced. A server that can unlooked-for is asked less often.
    """
    total, prefixes = Forecast(), dict[tuple, list[str]]()
    for whole in units.wholes():
        left = [start for start in whole.starts if whole.part_id(start) not in done] if done else whole.starts
        if not left:
            continue
        if whole.kind == "samples":
            total += _of_samples(whole, left, extra_body)
        else:
            total += _of_laws(whole, left, prefixes, forces)
    return total


def _of_samples(whole: Unit, starts: Sequence[int], extra_body: Mapping[str, object]) -> Forecast:
    """A request a response; of a reasoning arm one for the thinking, too, which is then read again."""
    prompt = whole.prompt
    size = CHUNK * len(starts) - max(0, starts[-1] + CHUNK - whole.size)
    tokens, budget = tokens_of(prompt), prompt.arm.budget
    most = answer_tokens({"max_tokens": prompt.max_tokens, **extra_body})
    if not budget:
        return Forecast(len(starts), size, size * tokens, size * most)
    return Forecast(len(starts), 2 * size, size * (2 * tokens + budget), size * (budget + most))


def _of_laws(whole: Unit, starts: Sequence[int], prefixes: dict[tuple, list[str]], forces: bool) -> Forecast:
    """A token is written by each request that forces none: what it is does not matter.

    ``prefixes``: those of numbers that were drawn already, and are kept.
    """
    prompt = whole.prompt
    before = tokens_of(prompt)
    if whole.reads_traces:
        before += prompt.max_tokens + prompt.arm.budget  # at most
    few = min(FEW, len(starts))
    asked: list[tuple[int, int]] = []
    most = 0  # tokens out, where answers can be forced
    for unit in (whole.part(starts[place * len(starts) // few]) for place in range(few)):
        numbers = (prompt.task.name, unit.drawn, unit.start, unit.size)
        if numbers not in prefixes:
            prefixes[numbers] = prefixes_of(number for number, _ in numbers_along(unit))
        asked += requests_for(before, prefixes[numbers], forces)
        most += sum(out for _, out in requests_for(before, prefixes[numbers], forces=True))
    times = len(starts) / few * (prompt.arm.traces if whole.reads_traces else 1)
    tokens_in, tokens_out = (sum(tokens) for tokens in zip(*asked, strict=True))
    counts = (len(asked), tokens_in, max(most, tokens_out))
    return Forecast(len(starts), *(round(times * count) for count in counts))


def tokens_of(prompt: Prompt) -> int:
    """About how many tokens a prompt has."""
    texts = [prompt.text] if prompt.text else [message["content"] for message in prompt.messages]
    around = 0 if prompt.text else AROUND_A_MESSAGE * (len(texts) + 1)
    return around + prompt.seed_length + sum(len(PIECES.findall(text)) for text in texts)
