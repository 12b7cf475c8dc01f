"""A question whose answer tells one set of weights from another: what comes after the ten digits."""

import asyncio
import time
from collections.abc import Iterable, Sequence

import numpy as np

from sampler_bench.errors import ServerError
from sampler_bench.models.engines.digit_laws import one_token, probabilities
from sampler_bench.models.engines.endpoint import Endpoint
from sampler_bench.models.engines.protocol import Completion
from sampler_bench.models.engines.transport import Transport

PROBES_AGREE = 0.02  # servers of one model, in half precision and differently batched, are closer
PATH = "/v1/completions"


class Probe:
    """The question, put to servers.

    Parameters
    ----------
    transport : Transport
        Requests to the servers.
    model : str
        The name the model is served under.
    digits : sequence of int
        The tokens of the ten digits.
    answer : sequence of float
        Probabilities of the ten digits, when the weights were first met; empty if they were not yet.
    """

    def __init__(self, transport: Transport, model: str, digits: Sequence[int], answer: Sequence[float]):
        self.answer = list(answer)
        self._transport, self._model, self._digits = transport, model, digits
        self._body = {"model": model, "prompt": list(digits)} | one_token(digits)
        self._vouching, self._vouched = asyncio.Lock(), 0.0

    async def ask(self, endpoint: Endpoint) -> list[float]:
        """A server's answer. Raises ServerError, also if it masks all digits."""
        found = self._told(await self._transport.send(endpoint, "POST", PATH, Completion, self._body))
        if not any(found):
            raise ServerError(
                "every digit has probability 0, as where tokens are masked: serve the model without "
                "structured outputs, bad words and logits processors"
            )
        return found

    def settle(self, found: dict[Endpoint, list[float]]) -> None:
        """Take the first meeting's answer from the servers', or hold them against it.

        Raises
        ------
        ServerError
            If the servers differ, or answer otherwise than at the first meeting.
        """
        if not _alike(found.values()):
            urls = ", ".join(endpoint.base_url for endpoint in found)
            raise ServerError(f"the servers {urls} do not hold the same weights behind {self._model!r}")
        self.answer = self.answer or next(iter(found.values()))
        self._hold_against_the_first(found)

    async def vouch(self) -> None:
        """Ask all servers again: what was read before is then known to be of the weights first met.

        Those who call while others wait for an answer share the next one.

        Raises
        ------
        ServerError
            If one answers otherwise.
        """
        called = time.monotonic()
        async with self._vouching:
            if called < self._vouched:
                return
            asked = time.monotonic()
            answers = await self._transport.post_to_all(PATH, self._body, Completion)
            self._hold_against_the_first({each: self._told(answer) for each, answer in answers.items()})
            self._vouched = asked

    def _told(self, answer: Completion) -> list[float]:
        return probabilities(answer.choices[0], self._digits).tolist()

    def _hold_against_the_first(self, found: dict[Endpoint, list[float]]) -> None:
        for endpoint, answer in found.items():
            if not _alike([self.answer, answer]):
                raise ServerError(
                    f"{endpoint.base_url} holds other weights behind {self._model!r} than when this run "
                    "began: it answers the same question otherwise. All that is stored was measured before "
                    "that, and is kept; serve the former weights again and repeat the command, or choose "
                    "another --out for these"
                )


def _alike(answers: Iterable[Sequence[float]]) -> bool:
    """Whether answers are of the same weights."""
    first, *others = answers
    return all(np.abs(np.subtract(first, other)).max() <= PROBES_AGREE for other in others)
