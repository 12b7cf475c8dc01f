"""A language model in this process, by transformers: for checkpoints along a training, and without vLLM."""

import asyncio
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

import numpy as np
import torch
from jinja2 import TemplateError
from transformers import AutoModelForCausalLM, AutoTokenizer

from sampler_bench.errors import ModelError
from sampler_bench.models.engines.endpoint import Say
from sampler_bench.models.engines.engine import NoTemplateError
from sampler_bench.models.engines.language_model import LanguageModel
from sampler_bench.models.engines.protocol import Choice, Completion, LogProbabilities, Usage


class InProcessEngine:
    """Weights in this process as an ``Engine``; one request at a time.

    Parameters
    ----------
    model
        A causal language model of transformers.
    tokenizer
        Its tokenizer.
    """

    def __init__(self, model, tokenizer):
        self._model, self._tokenizer = model, tokenizer
        self._ends = _ends(model, tokenizer)
        self._busy = Lock()

    async def tokenize(self, text: str, special: bool = False) -> list[int]:
        return self._tokenizer(text, add_special_tokens=special)["input_ids"]

    async def text_of(self, token: int) -> str:
        return self._tokenizer.decode([token])

    async def render(self, messages: Sequence[dict], template_kwargs: Mapping[str, object]) -> list[int]:
        if not self._tokenizer.chat_template:
            raise NoTemplateError("the model has no chat template")
        try:
            text = self._tokenizer.apply_chat_template(
                list(messages), add_generation_prompt=True, tokenize=False, **template_kwargs
            )
        except (TemplateError, TypeError, ValueError) as error:
            raise ModelError(f"its chat template refuses a chat: {error}") from error
        return self._tokenizer(text, add_special_tokens=False)["input_ids"]

    async def complete(self, body: dict) -> Completion:
        return await asyncio.to_thread(self._completed, body)

    async def score(self, prompt: Sequence[int], start: int, ids: Sequence[int]) -> np.ndarray:
        return await asyncio.to_thread(self._scored, prompt, start, ids)

    def _scored(self, prompt: Sequence[int], start: int, ids: Sequence[int]) -> np.ndarray:
        with self._busy, torch.inference_mode():
            logits = self._model(self._tensor(prompt), logits_to_keep=len(prompt) - start + 1).logits[0]
            return torch.log_softmax(logits.double(), dim=-1)[:, list(ids)].cpu().numpy()

    def _completed(self, body: dict) -> Completion:
        with self._busy, torch.inference_mode():
            if "logprobs" in body or "logprob_token_ids" in body:
                choice, written = self._laws(body), 1
            else:
                choice, written = self._written(body)
        return Completion(
            choices=[choice], usage=Usage(prompt_tokens=len(body["prompt"]), completion_tokens=written)
        )

    def _laws(self, body: dict) -> Choice:
        """Log-probabilities after the prompt."""
        wanted = list(body.get("logprob_token_ids") or ())
        logits = self._model(self._tensor(body["prompt"]), logits_to_keep=1).logits[0, -1]
        last = torch.log_softmax(logits.double(), dim=-1)
        if not wanted:
            most = body["logprobs"] if body["logprobs"] >= 0 else len(last)
            wanted = last.topk(most).indices.tolist()
        named = body.get("return_tokens_as_token_ids", False)
        law = {f"token_id:{i}" if named else self._tokenizer.decode([i]): float(last[i]) for i in wanted}
        told = LogProbabilities(top_logprobs=[law])
        return Choice(text="", finish_reason="length", logprobs=told)

    def _written(self, body: dict) -> tuple[Choice, int]:
        """A response, drawn token by token, and how many tokens it has."""
        random = torch.Generator(self._model.device).manual_seed(body["seed"])
        given, known, written = self._tensor(body["prompt"]), None, []
        stops, reason = body.get("stop") or [], "length"
        while len(written) < body["max_tokens"]:
            answer = self._model(given, past_key_values=known, use_cache=True, logits_to_keep=1)
            law = drawn_from(answer.logits[0, -1].double(), body["temperature"], body["top_p"], body["top_k"])
            token = int(torch.multinomial(law, 1, generator=random))
            written.append(token)
            if token in self._ends:
                reason = "stop"
                break
            text = self._text(written)
            if stop := next((stop for stop in stops if stop in text), None):
                end = text.index(stop) + len(stop) * body.get("include_stop_str_in_output", False)
                return Choice(text=text[:end], finish_reason="stop"), len(written)
            given, known = self._tensor([token]), answer.past_key_values
        return Choice(text=self._text(written), finish_reason=reason), len(written)

    def _text(self, tokens: Sequence[int]) -> str:
        return self._tokenizer.decode(tokens, skip_special_tokens=True)

    def _tensor(self, tokens: Sequence[int]) -> torch.Tensor:
        return torch.tensor([tokens], device=self._model.device)


def drawn_from(logits: torch.Tensor, temperature: float, top_p: float, top_k: int) -> torch.Tensor:
    """The law that a token is drawn from, shape (tokens,), as vLLM makes it of logits.

    Temperature 0 takes the likeliest token. ``top_k`` (0: all) is applied before ``top_p``.
    """
    if temperature == 0:
        return torch.nn.functional.one_hot(logits.argmax(), len(logits)).double()
    law = torch.softmax(logits / temperature, dim=-1)
    ordered, places = law.sort(descending=True)
    if top_k > 0:
        ordered[top_k:] = 0
        ordered /= ordered.sum()
    ordered[ordered.cumsum(0) - ordered >= top_p] = 0
    return torch.zeros_like(law).scatter(0, places, ordered / ordered.sum())


class InProcessModel(LanguageModel):
    """Weights of a folder, or a Hugging Face id, in this process. Use as an async context manager."""

    def __init__(self, weights: str, name: str, template_kwargs: Mapping[str, object], say: Say):
        try:
            tokenizer = AutoTokenizer.from_pretrained(weights)
            model: Any = AutoModelForCausalLM.from_pretrained(weights, dtype="auto")
        except Exception as error:  # of whichever library reads the file
            raise ModelError(f"transformers cannot read {weights}: {error}") from error
        if torch.cuda.is_available():
            model = model.cuda()
        model.eval()
        super().__init__(InProcessEngine(model, tokenizer), name, template_kwargs, say)
        self.context = getattr(model.config.get_text_config(), "max_position_embeddings", self.context)

    async def __aenter__(self) -> "InProcessModel":
        await self.learn_digits()
        return self

    async def __aexit__(self, *_):
        pass

    async def vouch(self) -> None:
        """Nothing can have changed: the weights are in this process."""


def _ends(model, tokenizer) -> set[int]:
    """Tokens that end a response."""
    told = model.generation_config.eos_token_id if model.generation_config else None
    ends = told if isinstance(told, list) else [told]
    return {token for token in [*ends, tokenizer.eos_token_id] if token is not None}
