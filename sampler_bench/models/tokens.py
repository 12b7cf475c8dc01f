"""How a tokenizer writes digits."""

from collections.abc import Awaitable, Callable

from sampler_bench.errors import ModelError
from sampler_bench.targets import DIGITS

PROBES = ("649", "1000000", "27182818")  # would show a tokenizer that groups digits


async def digit_token_ids(tokenize: Callable[[str], Awaitable[list[int]]]) -> list[int]:
    """Token ids of the digits 0..9, for a tokenizer that writes every digit as a token of its own.

    Parameters
    ----------
    tokenize : coroutine function
        Text to token ids, without special tokens. A leading space marker is allowed for.

    Raises
    ------
    ModelError
        If the tokenizer groups digits or has no token for one.
    """
    ids = (await tokenize(DIGITS))[-len(DIGITS) :]
    if len(set(ids)) < len(DIGITS):
        raise ModelError(_reason(DIGITS, len(ids)))
    for probe in PROBES:
        expected = [ids[int(digit)] for digit in probe]
        found = await tokenize(probe)
        if found[-len(probe) :] != expected:
            raise ModelError(_reason(probe, len(found)))
    return ids


def _reason(probe: str, tokens: int) -> str:
    return (
        f"this model's tokenizer writes {probe!r} as {tokens} tokens; only tokenizers with one token "
        "a digit can be measured so far (SmolLM2, Qwen, Gemma, Mistral)"
    )
