"""How tokenizers are read, and what several digits a token make of next-digit laws."""

import asyncio
import itertools

import numpy as np
import pytest

from sampler_bench.errors import ModelError
from sampler_bench.models.engines.tokens import DigitTokenizer, digit_conditionals


def token(piece: str) -> int:
    """A piece's id is made of its characters."""
    return int.from_bytes(piece.encode())


def tokenizer(split):
    """A tokenizer, given how it splits a run of digits into pieces; other characters stand alone."""

    async def tokenize(text: str) -> list[int]:
        runs = ["".join(run) for _, run in itertools.groupby(text, str.isdigit)]
        return [token(piece) for run in runs for piece in (split(run) if run.isdigit() else run)]

    return DigitTokenizer(tokenize)


def from_the_left(digits):
    return [digits[i : i + 2] for i in range(0, len(digits), 2)]


def from_the_right(digits):
    first = len(digits) % 2
    return [digits[:first]] * (first > 0) + from_the_left(digits[first:])


def merges_zeros(digits):
    return [
        "".join(run) for key, run in itertools.groupby(digits) for run in ([list(run)] if key == "0" else run)
    ]


PIECES = [str(i).zfill(width) for width in (1, 2) for i in range(10**width)]


def test_one_token_a_digit_is_found():
    vocabulary = asyncio.run(tokenizer(list).single_digits())
    assert vocabulary.ids == [ord(digit) for digit in "0123456789"]
    assert vocabulary.single
    assert vocabulary.description == "one token each"


@pytest.mark.parametrize("split", [from_the_left, from_the_right, merges_zeros])
def test_a_tokenizer_that_groups_digits_is_recognised(split):
    assert asyncio.run(tokenizer(split).single_digits()) is None


def test_the_vocabulary_holds_the_tokens_that_begin_with_a_digit():
    vocabulary = asyncio.run(tokenizer(from_the_left).vocabulary([*PIECES, "a", " 1", "1234", ""]))
    assert sorted(vocabulary.texts) == sorted(PIECES)
    assert vocabulary.description == "110 tokens of up to 2 digits"


def test_a_tokenizer_without_digits_is_refused():
    async def letters(text: str) -> list[int]:
        return [0 if character.isdigit() else ord(character) for character in text]

    reader = DigitTokenizer(letters)
    assert asyncio.run(reader.single_digits()) is None
    with pytest.raises(ModelError, match="no token for the digits 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"):
        asyncio.run(reader.vocabulary(["a", " b"]))


def test_a_tokenizer_that_joins_lines_is_refused():
    async def pairs(text: str) -> list[int]:
        return [token(text[i : i + 2]) for i in range(0, len(text), 2)]

    with pytest.raises(ModelError, match="joins digits with the line ends"):
        asyncio.run(DigitTokenizer(pairs).split(["12", "3"]))


def law_after(run) -> dict[str, float]:
    """Some law over pieces, other after every run of tokens; half a part in a hundred ends the text."""
    weights = np.random.default_rng([7, *run]).gamma(0.5, size=len(PIECES) + 1)
    return dict(zip([*PIECES, ""], weights / weights.sum(), strict=True))


@pytest.mark.parametrize("split", [from_the_left, from_the_right])
def test_next_digit_laws_are_sums_over_all_canonical_texts(split):
    """Every text of up to 5 digits is written out with its tokens and its probability."""
    reader = tokenizer(split)
    vocabulary = asyncio.run(reader.vocabulary(PIECES))

    async def laws(runs):
        return np.array([[law_after(run)[text] for text in vocabulary.texts] for run in runs])

    def mass(digits: str) -> float:
        """Texts whose tokens, up to the one that completes the digits, are canonical."""
        if not digits:
            return 1.0
        total = 0.0
        for extra in ("", *"0123456789"):
            pieces = split(digits + extra)
            if len("".join(pieces[:-1])) < len(digits):
                run = [token(piece) for piece in pieces]
                total += np.prod([law_after(run[:k])[piece] for k, piece in enumerate(pieces)])
        return total

    prefixes = ["", "6", "64", "649", "6492", "000", "90"]
    found = asyncio.run(digit_conditionals(prefixes, reader, vocabulary, laws))
    expected = [[mass(u + digit) / mass(u) for digit in "0123456789"] for u in prefixes]
    assert found[:, :10] == pytest.approx(np.array(expected), rel=1e-9)
    assert found.sum(axis=1) == pytest.approx(np.ones(len(prefixes)))


def test_a_prefix_that_the_model_rules_out_leaves_no_digit():
    reader = tokenizer(from_the_left)
    vocabulary = asyncio.run(reader.vocabulary(PIECES))

    async def never_a_six(runs):
        return np.array([[0.0 if text[0] == "6" else 0.01 for text in vocabulary.texts] for _ in runs])

    (row,) = asyncio.run(digit_conditionals(["64"], reader, vocabulary, never_a_six))
    assert row.tolist() == [0.0] * 10 + [1.0]
