"""Prompts as the tokens of a model: texts, and chats as its template writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sampler_bench.errors import ModelError
from sampler_bench.models.engines.endpoint import Say
from sampler_bench.models.engines.engine import Engine, NoTemplateError
from sampler_bench.models.engines.exchange import RefusedError
from sampler_bench.models.engines.tokens import DigitVocabulary
from sampler_bench.models.model import Prompt

# By which templates turn a model's thinking on and off: Qwen3, GLM and SmolLM3; DeepSeek and Granite.
SWITCHES = ("enable_thinking", "thinking")


@dataclass(frozen=True)
class Switch:
    """Of a template that lets a model think or not; without a name where there is none, or a user set it."""

    name: str = ""

    def turned(self, prompt: Prompt) -> dict[str, object]:
        """What the template is told: to think in arms that give room for it, and nowhere else."""
        return {self.name: bool(prompt.arm.budget)} if self.name else {}

    @property
    def said(self) -> str:
        """For the manifest."""
        return f"{self.name}: true in arms with a budget, false in others" if self.name else ""


class PromptTokens:
    """Renders prompts and texts for a model.

    Parameters
    ----------
    engine : Engine
        Where it is asked.
    model : str
        Its name.
    template_kwargs : mapping
        Given to the chat template.
    say : callable
        Told what a person should know.

    Attributes
    ----------
    start : list of int
        Tokens that its tokenizer puts before a text, such as a mark of its beginning.
    switch : Switch
        Of its template's thinking.
    """

    def __init__(self, engine: Engine, model: str, template_kwargs: Mapping[str, object], say: Say):
        self.start: list[int] = []
        self.switch = Switch()
        self._engine, self._model, self._say = engine, model, say
        self._template_kwargs = dict(template_kwargs)
        self._vocabulary = DigitVocabulary([], [])  # until it is learnt
        self._known: dict[tuple[str, bool], list[int]] = {}
        self._warned = False

    async def learn(self, vocabulary: DigitVocabulary) -> None:
        """Learn how texts begin, and whether the template has a switch."""
        self._vocabulary = vocabulary
        alone, marked = await self._engine.tokenize("7"), await self._engine.tokenize("7", special=True)
        self.start = marked[: _place(alone, marked)]
        if not set(SWITCHES) & set(self._template_kwargs):
            self.switch = await self._find_switch()

    async def ids(self, prompt: Prompt) -> list[int]:
        """The prompt rendered once; digits are appended to it as tokens, never as text."""
        if prompt.seed:
            return await self._written(prompt)  # it is asked once
        key = (prompt.hash, bool(prompt.arm.budget))  # by which the switch is turned
        if key not in self._known:
            self._known[key] = await self._written(prompt)
        return self._known[key]

    def arguments(self, prompt: Prompt) -> dict[str, object]:
        """What the template is told for a prompt, besides the chat."""
        return {**self._template_kwargs, **self.switch.turned(prompt)}

    async def before_a_digit(self, text: str) -> list[int]:
        """The tokens of a text that a number follows. Raises ModelError if there is no such boundary."""
        tokens = await self._engine.tokenize(text + "7")
        if tokens[-1] != self._vocabulary.ids[self._vocabulary.texts.index("7")]:
            raise ModelError(
                f"the tokenizer of {self._model} joins a digit with what stands before it in {text[-12:]!r}; "
                "the text must end so that digits start a token of their own"
            )
        return tokens[:-1]

    async def _find_switch(self) -> Switch:
        """Found by rendering a chat both ways."""
        chat = [{"role": "user", "content": "7"}]
        for name in SWITCHES:
            try:
                on, off = [await self._rendered(chat, {name: value}) for value in (True, False)]
            except (NoTemplateError, RefusedError):
                return Switch()  # there is no template, or it says in time what it lacks
            if on != off:
                return Switch(name)
        return Switch()

    async def _written(self, prompt: Prompt) -> list[int]:
        if prompt.text:
            return self.start + await self.before_a_digit(prompt.text)
        try:
            ids = await self._engine.render(prompt.messages, self.arguments(prompt))
        except NoTemplateError as error:
            raise ModelError(
                f"{self._model} has no chat template, so arm {prompt.arm.name!r} cannot be asked; "
                "an arm of plain text can, such as few-shot"
            ) from error
        if ids[: len(self.start)] != self.start and not self._warned:
            self._warned = True
            self._say(
                f"{self._model}: its chat template begins otherwise than its tokenizer begins a text (tokens "
                f"{self.start}); if the folder was converted, its mark of the beginning may be lost"
            )
        return ids

    async def _rendered(self, messages: Sequence[dict], turned: Mapping[str, object]) -> list[int]:
        return await self._engine.render(messages, {**self._template_kwargs, **turned})


def _place(part: Sequence[int], whole: Sequence[int]) -> int:
    """Where a run of tokens stands in another; 0 where it does not."""
    places = range(len(whole) - len(part) + 1)
    return next((place for place in places if whole[place : place + len(part)] == part), 0)
