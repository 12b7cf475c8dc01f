"""How a tokenizer writes digits, and what that makes of next-token probabilities.

A token may hold several digits ("649"). The next-digit law is then a sum over tokens, along the canonical
tokenization, the one that the tokenizer itself gives a text. With T(h) the tokens of h, the mass of all
canonical texts that start with the digits u is

    Q(u) = sum over h, t of Q(T(h)) q(t | T(h))     h shorter than u, u a prefix of h t, T(h t) = T(h) t

for each such text has exactly one shortest run of tokens that covers u: T(h), then t. And
q(d | u) = Q(u d) / Q(u). (As in Vieira et al., "From language models over tokens to language models over
characters", 2024, restricted to canonical tokenizations.)

Whether t may follow T(h) is told by the last token of T(h) alone: the tokenizer is asked for the pair.
That is so for byte-pair encoding, where a run of tokens is canonical if every neighbouring pair is, and for
digits cut into groups of fixed length.
"""

import itertools
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sampler_bench.errors import ModelError
from sampler_bench.targets import DIGITS, END, SYMBOLS

PROBES = ("649", "1000000", "27182818", DIGITS)  # would show a tokenizer that groups digits
# The mass left after subtracting float32 probabilities is not known below this.
END_RESOLUTION = 1e-7

Tokens = tuple[int, ...]
Tokenize = Callable[[str], Awaitable[list[int]]]


@dataclass(frozen=True)
class DigitVocabulary:
    """The tokens that begin with a digit: ``texts[i]`` is what token ``ids[i]`` reads."""

    ids: list[int]
    texts: list[str]

    @property
    def single(self) -> bool:
        """Whether every digit is a token of its own, and nothing else begins with one."""
        return self.texts == list(DIGITS)

    @property
    def description(self) -> str:
        """For the manifest."""
        if self.single:
            return "one token each"
        longest = max(len(text) - len(text.lstrip(DIGITS)) for text in self.texts)
        return f"{len(self.ids)} tokens of up to {longest} digits"


class DigitTokenizer:
    """Splits digit strings, through a function that tokenizes text without special tokens."""

    def __init__(self, tokenize: Tokenize):
        self._tokenize = tokenize
        self._followers: dict[int, np.ndarray] = {}

    async def single_digits(self) -> DigitVocabulary | None:
        """The vocabulary of a tokenizer that writes every digit as a token of its own; None for another."""
        ids = (await self._tokenize(DIGITS))[-len(DIGITS) :]
        if len(set(ids)) < len(DIGITS):
            return None
        for probe in PROBES:
            if (await self._tokenize(probe))[-len(probe) :] != [ids[int(digit)] for digit in probe]:
                return None
        return DigitVocabulary(ids, list(DIGITS))

    async def vocabulary(self, texts: Sequence[str]) -> DigitVocabulary:
        """Those of the given token texts that begin with a digit and are what the tokenizer would write.

        Raises
        ------
        ModelError
            If some digit has no token.
        """
        candidates = sorted({text for text in texts if text[:1] and text[0] in DIGITS})
        split = await self.split(candidates) if candidates else []
        kept = [(tokens[0], text) for text, tokens in zip(candidates, split, strict=True) if len(tokens) == 1]
        missing = set(DIGITS) - {text for _, text in kept}
        if missing:
            raise ModelError(
                f"this model's tokenizer has no token for the digits {', '.join(sorted(missing))}; "
                "numbers cannot be read from it"
            )
        return DigitVocabulary([token for token, _ in kept], [text for _, text in kept])

    async def split(self, texts: Sequence[str]) -> list[Tokens]:
        """The canonical tokens of each text, none of them empty: sent as the lines of one.

        Raises
        ------
        ModelError
            If the tokenizer joins lines, so that they cannot be told apart.
        """
        newline = (await self._tokenize("1\n2\n3"))[-4::2]
        lines = _between(await self._tokenize("\n" + "\n".join(texts) + "\n"), newline[0])
        if len(set(newline)) > 1 or len(lines) != len(texts):
            raise ModelError("this model's tokenizer joins digits with the line ends around them")
        return lines

    async def followers(self, token: int, vocabulary: DigitVocabulary) -> np.ndarray:
        """Which tokens of the vocabulary may stand after a token of it; bool, shape (tokens,)."""
        if token not in self._followers:
            head = vocabulary.texts[vocabulary.ids.index(token)]
            pairs = await self.split([head + text for text in vocabulary.texts])
            expected = [(token, follower) for follower in vocabulary.ids]
            self._followers[token] = np.array([a == b for a, b in zip(pairs, expected, strict=True)])
        return self._followers[token]


def _between(tokens: Sequence[int], separator: int) -> list[Tokens]:
    """The runs of tokens between separators."""
    places = [place for place, token in enumerate(tokens) if token == separator]
    return [tuple(tokens[a + 1 : b]) for a, b in itertools.pairwise(places)]


async def digit_conditionals(
    prefixes: Sequence[str],
    tokenizer: DigitTokenizer,
    vocabulary: DigitVocabulary,
    laws: Callable[[Sequence[Tokens]], Awaitable[Sequence[np.ndarray] | np.ndarray]],
) -> np.ndarray:
    """q(next symbol | prefix) for each prefix, where tokens hold several digits.

    Parameters
    ----------
    prefixes : sequence of str
        Digits already written.
    tokenizer, vocabulary
        How digits are written.
    laws : coroutine function
        For runs of tokens written so far, the probability of each token of the vocabulary to come next;
        shape (runs, tokens).

    Returns
    -------
    ndarray of float64, shape (len(prefixes), 11)
        The digits 0..9, then the mass on all else: texts that end, and texts no longer canonical.

    Raises
    ------
    ModelError
        If the tokenizer writes digits otherwise than its vocabulary says.
    """
    heads = sorted({u[:i] for u in prefixes for i in _cuts(u, vocabulary)} - {""})
    tokens_of = {"": (), **dict(zip(heads, await tokenizer.split(heads) if heads else [], strict=True))}
    if unknown := {*itertools.chain(*tokens_of.values())} - {*vocabulary.ids}:
        raise ModelError(f"this model's tokenizer writes digits with tokens {unknown} that begin with none")
    runs = sorted({tokens[:k] for tokens in tokens_of.values() for k in range(len(tokens) + 1)}, key=len)
    follows = {run: await tokenizer.followers(run[-1], vocabulary) for run in runs if run}
    follows[()] = np.ones(len(vocabulary.ids), bool)
    open_runs = [run for run in runs if follows[run].any()]
    law_of = dict(zip(open_runs, await laws(open_runs), strict=True))
    log_mass = _log_masses(runs, law_of, vocabulary)
    canonical = {run: law * follows[run] for run, law in law_of.items()}
    table = _NextDigits(vocabulary)
    q = np.zeros((len(prefixes), SYMBOLS))
    for row, u in zip(q, prefixes, strict=True):
        covers = [(u[i:], tokens_of[u[:i]]) for i in _cuts(u, vocabulary)]
        parts = [(rest, log_mass[run], canonical[run]) for rest, run in covers if run in canonical]
        row[:END] = _next_digit_law(u, parts, table)
    q[:, END] = np.maximum(1 - q[:, :END].sum(axis=1), END_RESOLUTION)
    return q


def _cuts(u: str, vocabulary: DigitVocabulary) -> range:
    """Where the token that completes u may begin; at its end, if that token goes on from u."""
    return range(max(0, len(u) - max(map(len, vocabulary.texts))), len(u) + 1)


def _log_masses(
    runs: Sequence[Tokens], law_of: Mapping[Tokens, np.ndarray], vocabulary: DigitVocabulary
) -> dict[Tokens, float]:
    """ln of the probability of each run of tokens; runs come after those that they go on from."""
    place = {token: i for i, token in enumerate(vocabulary.ids)}
    log_mass: dict[Tokens, float] = {(): 0.0}
    with np.errstate(divide="ignore"):
        for run in runs[1:]:
            log_mass[run] = log_mass[run[:-1]] + float(np.log(law_of[run[:-1]][place[run[-1]]]))
    return log_mass


def _next_digit_law(
    u: str, parts: Sequence[tuple[str, float, np.ndarray]], table: "_NextDigits"
) -> np.ndarray:
    """q(digit | u), shape (10,), by the ways to cover u: the digits left to one token, ln of the mass of
    what stands before it, and its law."""
    peak = max(log_mass for _, log_mass, _ in parts)
    if peak == -math.inf:  # the model rules u out
        return np.zeros(END)
    own, longer = float(not u), np.zeros(END)  # Q(u) and Q(u d), over the greatest mass
    for rest, log_mass, law in parts:
        starting, digit = table.after(rest)
        mass = np.exp(log_mass - peak) * law[starting]
        own += mass.sum() if rest else 0.0
        longer += np.bincount(digit, mass, minlength=SYMBOLS)[:END]
    return longer / own if own > 0 else longer


class _NextDigits:
    """The tokens that start with given digits, and the digit that each goes on with (END if none)."""

    def __init__(self, vocabulary: DigitVocabulary):
        self._texts = vocabulary.texts
        self._known: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def after(self, rest: str) -> tuple[np.ndarray, np.ndarray]:
        if rest not in self._known:
            starting = [i for i, text in enumerate(self._texts) if text.startswith(rest)]
            coming = [self._texts[i][len(rest) : len(rest) + 1] for i in starting]
            digit = [int(c) if c and c in DIGITS else END for c in coming]
            self._known[rest] = np.array(starting, int), np.array(digit, int)
        return self._known[rest]
