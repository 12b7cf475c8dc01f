"""What stands between a language model and its digits: tokens in, log-probabilities and texts out."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from sampler_bench.errors import ModelError
from sampler_bench.models.engines.protocol import Completion


class NoTemplateError(ModelError):
    """The model has no chat template."""


class Engine(Protocol):
    """Where a model is asked: a vLLM server, or this process."""

    async def tokenize(self, text: str, special: bool = False) -> list[int]:
        """``special``: as a text of its own, with the tokens that the tokenizer puts before and after one."""
        ...

    async def text_of(self, token: int) -> str:
        """What a token reads."""
        ...

    async def render(self, messages: Sequence[dict], template_kwargs: Mapping[str, object]) -> list[int]:
        """A chat as the model's template writes it, up to where the answer begins.

        Raises
        ------
        NoTemplateError
            If there is none.
        ModelError, ServerError
            If the template refuses the chat, or its arguments.
        """
        ...

    async def complete(self, body: dict) -> Completion:
        """One response to a prompt, with the log-probabilities that are asked for.

        ``body`` is that of a request to ``/v1/completions`` of vLLM, without the model's name; its ``prompt``
        are tokens.
        """
        ...

    async def score(self, prompt: Sequence[int], start: int, ids: Sequence[int]) -> np.ndarray | None:
        """Log-probabilities of tokens after the prompt's first ``start`` tokens and after each further one.

        Shape (len(prompt) - start + 1, len(ids)); ``start`` is at least 1. None where this is not to be had:
        an engine that can at one time may not at another, when another server answers.
        """
        ...
