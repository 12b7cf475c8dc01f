"""Which tokenizers can be measured."""

import asyncio

import pytest

from sampler_bench.errors import ModelError
from sampler_bench.models.tokens import digit_token_ids


def tokenizer(split):
    """A tokenizer, given how it splits text into pieces; a piece's id is made of its characters."""

    async def tokenize(text: str) -> list[int]:
        return [int.from_bytes(piece.encode()) for piece in split(text)]

    return tokenize


def test_one_token_a_digit_is_found_also_behind_a_leading_space_marker():
    expected = [ord(digit) for digit in "0123456789"]
    assert asyncio.run(digit_token_ids(tokenizer(list))) == expected
    assert asyncio.run(digit_token_ids(tokenizer(lambda text: ["▁", *text]))) == expected


def groups_of_three(text):
    return [text[i : i + 3] for i in range(0, len(text), 3)]


def merges_zeros(text):
    return list(text.replace("000000", "0"))


@pytest.mark.parametrize(
    ("split", "reason"),
    [(groups_of_three, "'0123456789' as 4 tokens"), (merges_zeros, "'1000000' as 2 tokens")],
)
def test_a_tokenizer_that_groups_digits_is_refused(split, reason):
    with pytest.raises(ModelError, match=reason):
        asyncio.run(digit_token_ids(tokenizer(split)))
