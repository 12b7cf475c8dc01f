"""A model behind a chat API such as OpenAI's, of which answers can be had and no laws."""

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from typing import NoReturn

from sampler_bench.errors import ModelError, ServerError
from sampler_bench.models.engines.exchange import RefusedError
from sampler_bench.models.engines.protocol import ChatCompletion
from sampler_bench.models.engines.transport import Transport
from sampler_bench.models.model import NATURAL, SAMPLES, Prompt, Response, SamplingOptions, child_seeds
from sampler_bench.tasks import Arm

PATH = "/v1/chat/completions"
THINKING_BEGINS, THINKING_ENDS = "<think>", "</think>"
SEEDS = 2**31  # some servers take no larger ones
# What a server may refuse, and what is sent in its place: nothing, or the same by another name.
OTHERWISE = {"seed": None, "temperature": None, "top_p": None, "max_tokens": "max_completion_tokens"}


class ChatModel:
    """A served model that is asked as people ask it. Use as an async context manager.

    Parameters
    ----------
    transport : Transport
        Requests to its servers.
    name : str
        The name the model is served under.
    extra_body : mapping
        Further fields of each request, as ``reasoning_effort``; they take the place of ours.
    refused : sequence of str
        Fields that the servers are known to refuse.

    Attributes
    ----------
    refused : list of str
        Those, and the ones met since.
    """

    can = frozenset({SAMPLES})

    def __init__(
        self,
        transport: Transport,
        name: str,
        extra_body: Mapping[str, object] | None = None,
        refused: Sequence[str] = (),
    ):
        self.name = name
        self._transport = transport
        self._extra_body = dict(extra_body or {})
        self.refused = list(refused)

    async def __aenter__(self) -> "ChatModel":
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *_):
        await self._transport.__aexit__()

    async def conditionals(self, *_: object, **__: object) -> NoReturn:
        """Raise ModelError: there is no law to be had."""
        raise ModelError(f"{self.name} gives answers alone, so no law can be read")

    async def sample(
        self, prompt: Prompt, size: int, seed: int, options: SamplingOptions = NATURAL
    ) -> list[Response]:
        """Responses, each from a request of its own; whether its seed decides it is up to the server.

        Raises
        ------
        ModelError
            If the prompt is no chat, or the server does not take what shapes its law.
        ServerError
            If no server can be reached, or one refuses or answers otherwise than it must.
        """
        if not suits_chat(prompt.arm):
            raise ModelError(f"{self.name} is asked by chats, and arm {prompt.arm.name!r} is none")
        return await asyncio.gather(
            *(self._respond(prompt, child % SEEDS, options) for child in child_seeds(seed, size))
        )

    async def vouch(self) -> None:
        """Nothing can be asked that would tell one set of weights from another."""

    def describe(self) -> dict:
        """What the manifest says; ``refused`` are fields that the server did not take."""
        return {
            "kind": "chat",
            "identity": self.name,
            "refused": sorted(self.refused),
            "seeds": "sent, not promised to decide" if "seed" not in self.refused else "refused",
        }

    async def _respond(self, prompt: Prompt, seed: int, options: SamplingOptions) -> Response:
        started = time.monotonic()
        answer = await self._ask(prompt, seed, options)
        choice, usage = answer.choices[0], answer.usage
        tokens = usage.completion_tokens if usage else 0
        thinking, text = without_thinking(choice.message.content or "")
        return Response(
            text=text,
            seed=seed,
            finish_reason=choice.finish_reason or "stop",
            prompt_tokens=usage.prompt_tokens if usage else 0,
            completion_tokens=tokens,
            seconds=time.monotonic() - started,
            thinking=choice.message.reasoning_content or choice.message.reasoning or thinking,
            forward_passes=tokens,
        )

    async def _ask(self, prompt: Prompt, seed: int, options: SamplingOptions) -> ChatCompletion:
        """The answer, to the request without what the server refuses."""
        while True:
            refused = tuple(self.refused)
            try:
                body = self._body(prompt, seed, options)
                return await self._transport.post(PATH, body, ChatCompletion)
            except RefusedError as error:
                if refused == tuple(self.refused) and not self._learnt_from(error):
                    raise

    def _learnt_from(self, error: ServerError) -> bool:
        """Whether a refusal names a field that can be done without, which is left out from now on."""
        said = str(error)
        for name in OTHERWISE:
            if name not in self.refused and re.search(rf"\b{name}\b", said):
                self.refused.append(name)
                self._transport.say(f"{self.name} takes no {name}; it is left out: {said}")
                return True
        return False

    def _body(self, prompt: Prompt, seed: int, options: SamplingOptions) -> dict:
        wanted = {
            "max_tokens": prompt.max_tokens,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "seed": seed,
        }
        for name in self.refused:
            if getattr(options, name, None) != getattr(NATURAL, name, None):
                raise ModelError(f"{self.name} takes no {name}, so answers cannot be drawn as was asked")
        taken = {OTHERWISE[name] if name in self.refused else name: value for name, value in wanted.items()}
        taken.pop(None, None)
        if options.top_k:
            taken["top_k"] = options.top_k
        if prompt.arm.stop:
            taken["stop"] = prompt.arm.stop
        return {"model": self.name, "messages": prompt.messages, **taken, **self._extra_body}


def without_thinking(content: str) -> tuple[str, str]:
    """The thinking that a server has left in what was written, and the answer after it.

    As vLLM's parsers of reasoning take it: up to ``</think>``, whether or not ``<think>`` opens it (many
    templates open it in the prompt); all that follows where it is opened and does not end.
    """
    before, opened, after = content.partition(THINKING_BEGINS)
    thinking, closed, answer = (after if opened else before).partition(THINKING_ENDS)
    return (thinking, answer) if opened or closed else ("", content)


def suits_chat(arm: Arm) -> bool:
    """Whether an arm can be asked where only whole chats are answered: none that continues a text, or cuts
    the thinking at a budget."""
    return not arm.budgets and all(paraphrase.messages for paraphrase in arm.paraphrases)
