"""A ceiling on what requests may cost, in tokens."""

from collections.abc import Mapping
from typing import Any

from sampler_bench.errors import SamplerBenchError
from sampler_bench.models.engines.protocol import Usage

LETTERS_A_TOKEN = 3  # of English, at the least; a prompt is charged by them until the server has counted it
TOKENS_A_MESSAGE = 8  # that a chat template puts around one
ANSWER_LENGTHS = ("max_tokens", "max_completion_tokens")  # fields that say how long an answer may be


class SpentError(SamplerBenchError):
    """A ceiling does not allow another request."""


class Spending:
    """Tokens spent, and those that requests under way may still cost.

    Parameters
    ----------
    most : int, optional
        Tokens in and out, of all models of a command; without a ceiling if not given.

    Attributes
    ----------
    spent : int
        As servers count them; where none did, as many as might have been.
    requests : int
        How many were answered that may have cost something.
    """

    def __init__(self, most: int | None = None):
        self.most, self.spent, self.reserved, self.requests = most, 0, 0, 0
        self._excess = 0  # the most that an answer cost beyond what it might

    def may_cost(self, body: Mapping[str, Any]) -> int:
        """Tokens that a request may cost, at a server that exceeds what it is allowed as it did before."""
        return may_cost(body) and may_cost(body) + self._excess

    def answered(self, body: Mapping[str, Any], usage: Usage | None) -> None:
        """Charge a request with what its answer says that it cost, or else with what it might."""
        most = may_cost(body)
        cost = (usage.total if usage else 0) or most
        self.spent += cost
        self.requests += most > 0
        self._excess = max(self._excess, cost - most) if most else self._excess

    def lost(self, tokens: int) -> None:
        """Charge a request whose answer was lost, or cannot be read: it may have been written."""
        self.spent += tokens

    def fits(self, tokens: int) -> bool:
        """Whether a request that may cost so much can be sent."""
        return self.most is None or self.spent + self.reserved + tokens <= self.most

    def check(self, tokens: int) -> None:
        """Raise SpentError if a request that may cost so much cannot be sent."""
        if not self.fits(tokens):
            raise SpentError(
                f"the ceiling of {self.most} tokens is reached: {self.spent} were spent, and the next "
                f"request may cost {tokens}; a higher --max-tokens-total lets the command go on"
            )


def answer_tokens(body: Mapping[str, Any]) -> int:
    """How long the answer to a request may be; 0 where nothing is written."""
    asked = body.get("sampling_params", body)
    return max(asked.get(name) or 0 for name in ANSWER_LENGTHS)


def may_cost(body: Mapping[str, Any]) -> int:
    """Tokens that a request may cost: its prompt, estimated where it is no list of tokens, and its answer."""
    most = answer_tokens(body)
    if not most:
        return 0
    if "messages" in body:
        letters = sum(len(message["content"]) for message in body["messages"])
        return most + letters // LETTERS_A_TOKEN + TOKENS_A_MESSAGE * len(body["messages"])
    return most + len(body.get("prompt") or body.get("token_ids", []))
