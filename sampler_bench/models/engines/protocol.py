"""What the answers of a server must be: one schema for each.

Fields that are not read are ignored. Checked (``reply.py``) with the body of the request as context: what was
asked for must be there.
"""

import base64
import io
import math
import reprlib
from collections.abc import Iterable, Sequence
from typing import Annotated, TypeVar

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    ValidationInfo,
    model_validator,
)

from sampler_bench.secrets import quoted, without_secrets

CERTAIN = 1e-3  # more than 1 by so much, a probability or a sum of some is half precision's doing
MOST_AT_A_POSITION = 1000  # tokens that are told of at one position of a prompt
ABANDONED = ("abort", "error")  # reasons to finish that leave a response cut anywhere


def _clean(text: object) -> object:
    """A text that can be stored: half a surrogate pair becomes U+FFFD. Without secrets that come back."""
    if not isinstance(text, str):
        return text
    return without_secrets(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _law(told: object) -> object:
    """Log-probabilities by token: minus infinity is one, NaN is none. Fails at the first that is none."""
    for name, value in told.items() if isinstance(told, dict) else ():
        if type(value) not in (int, float) or not value <= CERTAIN:
            raise ValueError(
                f"a log-probability of {quoted(name, 40)} should be a number, at most 0, and is "
                f"{quoted(reprlib.repr(value), 80)}"
            )
    return told


def _or_none(told: object) -> object:
    return [] if told is None else told


def _position(told: object) -> object:
    """What a position of a prompt tells, ``{token: {"logprob": x}}``, as a law."""
    if not isinstance(told, dict):
        return told
    if len(told) > MOST_AT_A_POSITION:
        raise ValueError(f"{len(told)} tokens at one position, far more than were asked for")
    try:
        law = {token: entry["logprob"] for token, entry in told.items()}
    except (KeyError, TypeError) as error:
        raise ValueError("every token should have a field 'logprob'") from error
    return _law(law)


Text = Annotated[str, BeforeValidator(_clean)]
Count = Annotated[int, Field(ge=0, lt=2**31)]
Law = Annotated[dict[str, float], BeforeValidator(_law)]


class Answer(BaseModel):
    """An answer, or a part of one."""

    model_config = ConfigDict(strict=True, frozen=True)


class Version(Answer):
    """Of ``/version``."""

    version: Text


class ServedModel(Answer):
    """``max_model_len``: tokens that prompt and response may have together, if it is told."""

    id: str
    max_model_len: Annotated[int, Field(ge=1, lt=2**31)] | None = None


class Models(Answer):
    """Of ``/v1/models``."""

    data: Annotated[list[ServedModel], Field(min_length=1), FailFast()]


class Tokens(Answer):
    """Of ``/tokenize``."""

    tokens: Annotated[list[Count], Field(min_length=1), FailFast()]


class Detokenized(Answer):
    """Of ``/detokenize``."""

    prompt: Text


class LogProbabilities(Answer):
    """By position of the response, of tokens named ``token_id:N``. ``tokens``: those written, if told."""

    top_logprobs: Annotated[list[Law], Field(min_length=1), FailFast()]
    tokens: Annotated[list[Text], FailFast(), BeforeValidator(_or_none)] = []


Position = Annotated[dict[str, float], BeforeValidator(_position)]


class Choice(Answer):
    """A response. ``prompt_logprobs``: by position of the prompt, those of the likeliest tokens, by id; empty
    where the server tells none."""

    text: Text
    finish_reason: Text
    logprobs: LogProbabilities | None = None
    prompt_logprobs: Annotated[list[Position | None], FailFast(), BeforeValidator(_or_none)] = []

    @model_validator(mode="after")
    def _holds_what_was_asked_for(self, info: ValidationInfo) -> "Choice":
        body = info.context or {}
        if self.finish_reason in ABANDONED:
            raise ValueError(f"the server gave a response up ({self.finish_reason!r})")
        if wanted := body.get("logprob_token_ids"):
            _check_law(self.logprobs, [f"token_id:{token}" for token in wanted])
        elif "logprobs" in body and self.logprobs is None:
            raise ValueError("the server does not return the log-probabilities asked for with 'logprobs'")
        if "prompt_logprobs" in body and self.prompt_logprobs:
            _check_prompt(self.prompt_logprobs, len(body["prompt"]))
        return self

    @property
    def laws(self) -> list[dict[str, float]]:
        """The log-probabilities of each token, of a response for which they were asked."""
        assert self.logprobs is not None  # it would not have been taken
        return self.logprobs.top_logprobs

    def wrote(self, tokens: Sequence[int]) -> bool:
        """Whether these are the response's tokens, each with its law."""
        told = self.logprobs
        named = [f"token_id:{token}" for token in tokens]
        return told is not None and told.tokens == named and len(told.top_logprobs) == len(named)


class Usage(Answer):
    """Tokens of a request; in ``total_tokens`` some servers count thinking that the others leave out."""

    prompt_tokens: Count
    completion_tokens: Count
    total_tokens: Count | None = None

    @property
    def total(self) -> int:
        return max(self.prompt_tokens + self.completion_tokens, self.total_tokens or 0)


class Completion(Answer):
    """Of ``/v1/completions``."""

    choices: Annotated[list[Choice], Field(min_length=1, max_length=1)]
    usage: Usage


def _array(told: object) -> object:
    """An array that was sent as the base64 of a ``.npy`` file."""
    if not isinstance(told, str):
        return told
    try:
        return np.lib.format.read_array(io.BytesIO(base64.b64decode(told, validate=True)), allow_pickle=False)
    except Exception as error:  # numpy raises whatever the bytes lead it into
        raise ValueError(f"no array: {quoted(str(error), 120)}") from error


class Scores(Answer):
    """Of ``/inference/v1/generate``, asked for ``prompt_logprob_token_ids``; None of a server without."""

    model_config = ConfigDict(strict=True, frozen=True, arbitrary_types_allowed=True)

    prompt_token_id_logprobs: Annotated[np.ndarray, BeforeValidator(_array)] | None = None
    usage: Usage | None = None

    @model_validator(mode="after")
    def _holds_what_was_asked_for(self, info: ValidationInfo) -> "Scores":
        told = self.prompt_token_id_logprobs
        if told is None or info.context is None:
            return self
        rows = info.context["sampling_params"]["prompt_logprob_token_ids"]
        if told.shape != (len(rows), len(rows[0])) or told.dtype.kind != "f":
            raise ValueError(
                f"'prompt_token_id_logprobs' should be floats of shape {len(rows)} x {len(rows[0])}, and has "
                f"{told.dtype} of shape {told.shape}"
            )
        if not (told <= CERTAIN).all():
            raise ValueError("a log-probability should be a number, at most 0: prompt_token_id_logprobs")
        for row in told.tolist():
            _check_sum(row)
        return self


Kind = TypeVar("Kind", bound=Answer)


class ChatMessage(Answer):
    """What a model wrote, and what it thought where the server tells that, by either name."""

    content: Text | None = None
    reasoning_content: Text | None = None
    reasoning: Text | None = None


class ChatChoice(Answer):
    """A response; some servers do not say why it ended."""

    message: ChatMessage
    finish_reason: Text | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "ChatChoice":
        if self.finish_reason in ABANDONED:
            raise ValueError(f"the server gave a response up ({self.finish_reason!r})")
        return self


class ChatCompletion(Answer):
    """Of ``/v1/chat/completions``."""

    choices: Annotated[list[ChatChoice], Field(min_length=1, max_length=1)]
    usage: Usage | None = None


def _check_law(told: LogProbabilities | None, names: list[str]) -> None:
    if told is None or not all(name in law for law in told.top_logprobs for name in names):
        raise ValueError(
            "the server does not return the log-probabilities asked for with 'logprob_token_ids'; "
            "a vLLM of 0.32 or later does"
        )
    for law in told.top_logprobs:
        _check_sum([law[name] for name in names])


def _check_prompt(told: list[dict[str, float] | None], tokens: int) -> None:
    if len(told) != tokens:
        raise ValueError(f"'prompt_logprobs' has {len(told)} positions, and the prompt has {tokens} tokens")
    for law in filter(None, told):
        _check_sum(law.values())


def _check_sum(logprobs: Iterable[float]) -> None:
    total = math.fsum(map(math.exp, logprobs))
    if total > 1 + CERTAIN:
        raise ValueError(
            f"the server returned probabilities that are none: those of different tokens sum to {total:.6g}; "
            "the model's weights or their precision are not right"
        )
