"""What a model reads in training, in order: groups of answers to one prompt.

Every group is drawn by its place and the seed alone, so that training goes on after a stop with what it would
have read. Nothing is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from sampler_bench.lab.alphabet import END
from sampler_bench.lab.documents import Kind
from sampler_bench.models.model import Prompt
from sampler_bench.tasks import World

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast

GROUP = 32  # answers to one prompt
MOST_GROUPS, TOKENS = 8, 2304  # a step: groups at most, and tokens of answers that they have about
BLOCK = 4096  # answers of a kind that are drawn together
ORDER, NUMBERS = 1, 2  # streams of random numbers: of which documents come, of what they answer
IGNORED = -100  # label of what is not to be learnt


@dataclass(frozen=True)
class Lesson:
    """A prompt and answers to it, as tokens; each answer with the token that ends it."""

    prompt: list[int]
    answers: list[list[int]]


class Lessons:
    """The groups of one training, by their place: a dataset for ``transformers.Trainer``.

    Parameters
    ----------
    world, kinds
        What is learnt from.
    tokenizer
        Of the model.
    numbers : int
        Answers in all; the last group is filled up.
    seed : int
    """

    def __init__(
        self,
        world: World,
        kinds: Sequence[Kind],
        tokenizer: "PreTrainedTokenizerFast",
        numbers: int,
        seed: int,
    ):
        self._kinds, self._tokenizer, self._seed = kinds, tokenizer, seed
        self._ids = tokenizer.get_vocab()
        rng = np.random.default_rng([seed, 0, 0, ORDER])
        weights = np.array([document.weight for document in world.documents])
        self._kind_at = rng.choice(len(kinds), size=-(-numbers // GROUP), p=weights / weights.sum())
        self._wording_at = rng.random(len(self._kind_at))
        places = np.zeros(len(self._kind_at), int)
        for kind in range(len(kinds)):
            mine = self._kind_at == kind
            places[mine] = np.arange(mine.sum())
        self._place = places  # of a group among those of its kind
        self._prompts = [[self._tokens(prompt) for prompt in kind.prompts] for kind in kinds]
        self._block = lru_cache(maxsize=2 * len(kinds))(self._draw_block)

    def __len__(self) -> int:
        return len(self._kind_at)

    def __getitem__(self, index: int) -> Lesson:
        kind = int(self._kind_at[index])
        prompts = self._prompts[kind]
        block, start = divmod(int(self._place[index]) * GROUP, BLOCK)
        answers = self._block(kind, block)[start : start + GROUP]
        return Lesson(prompts[int(self._wording_at[index] * len(prompts))], answers)

    @property
    def seen(self) -> list[int]:
        """How many answers of each kind there are."""
        return (GROUP * np.bincount(self._kind_at, minlength=len(self._kinds))).tolist()

    def _draw_block(self, kind: int, block: int) -> list[list[int]]:
        drawn = self._kinds[kind].answers(BLOCK, np.random.default_rng([self._seed, kind, block, NUMBERS]))
        return [[*self._spelt(answer), self._ids[END]] for answer in drawn]

    def _tokens(self, prompt: Prompt) -> list[int]:
        text = prompt.text or self._tokenizer.apply_chat_template(
            prompt.messages, add_generation_prompt=True, tokenize=False
        )
        return self._spelt(str(text))

    def _spelt(self, text: str) -> list[int]:
        """As the tokenizer does it: each character is a token."""
        return [self._ids[character] for character in text]


def groups_a_step(length: float) -> int:
    """How many groups are read in a step, where answers have so many tokens on average.

    As many tokens, so that worlds of long documents take as many steps for as much text.
    """
    return min(MOST_GROUPS, max(1, round(TOKENS / (GROUP * length))))


def together(lessons: Sequence[Lesson], padding: int) -> "dict[str, torch.Tensor]":
    """A step's lessons as arrays.

    Returns
    -------
    dict of Tensor of int64
        ``prompt``, shape (groups, longest prompt), filled up at the left; ``answers``, shape (groups * 32,
        longest answer), filled up at the right; ``labels``, the answers with -100 where filled up.
    """
    import torch

    prompts = [lesson.prompt for lesson in lessons]
    answers = [answer for lesson in lessons for answer in lesson.answers]
    wide, long = max(map(len, prompts)), max(map(len, answers))
    return {
        "prompt": torch.tensor([[padding] * (wide - len(ids)) + ids for ids in prompts]),
        "answers": torch.tensor([ids + [padding] * (long - len(ids)) for ids in answers]),
        "labels": torch.tensor([ids + [IGNORED] * (long - len(ids)) for ids in answers]),
    }
