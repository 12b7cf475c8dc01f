"""A ceiling on what requests may cost, in tokens."""

from sampler_bench.errors import SamplerBenchError

LETTERS_A_TOKEN = 3  # of English, at the least; a prompt is charged by them until the server has counted it
TOKENS_A_MESSAGE = 8  # that a chat template puts around one


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
    requests : int
        How many were answered that may have cost something.
    """

    def __init__(self, most: int | None = None):
        self.most, self.spent, self.reserved, self.requests = most, 0, 0, 0

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


def may_cost(body: dict) -> int:
    """Tokens that a request may cost: its prompt, estimated where it is no list of tokens, and its answer."""
    most = max(body.get(name) or 0 for name in ("max_tokens", "max_completion_tokens"))
    if not most:
        return 0  # nothing is written
    if "messages" in body:
        letters = sum(len(message["content"]) for message in body["messages"])
        return most + letters // LETTERS_A_TOKEN + TOKENS_A_MESSAGE * len(body["messages"])
    return most + len(body.get("prompt", []))
