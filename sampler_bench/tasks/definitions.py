"""What a TOML file of a task, an arm, a suite or a world may say."""

import hashlib
import math
from collections import Counter
from functools import cached_property
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from sampler_bench.integers import shown
from sampler_bench.rules import compile_rule
from sampler_bench.targets import Target
from sampler_bench.targets.registry import make_target

FEW, MOST_ASKED = 32, 10**6  # numbers or responses of a task, where nothing is said and at most
MOST_TOKENS = 10**6
MOST_ANSWERS = 1000  # in a response
MOST_TRACES = 16  # after which one law is read
STRICT = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)  # built on first use


class Definition(BaseModel):
    """A TOML file, checked: unknown keys and wrong types are errors."""

    model_config = STRICT
    beside: ClassVar[set[str]] = set()  # keys that change nothing of what is asked
    name: str  # the file's name without .toml
    title: str

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the content: two definitions with the same fingerprint ask the same."""
        return hashlib.sha256(self.model_dump_json(exclude=self.beside).encode()).hexdigest()[:16]


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("is blank, but is to complete 'a random ...'")
    return text


Phrase = Annotated[str, AfterValidator(_not_blank)]


class Task(Definition):
    """A target and the phrase that asks a model for a member of it.

    ``phrase`` completes "a random ...". ``control`` does, too, and is asked in its place to learn what it is
    worth: the same without the constraint; by default a number of as many digits, or a whole number.
    ``version`` is raised whenever a change alters results.
    """

    beside = {"control"}
    version: int = Field(ge=1)
    phrase: Phrase
    control: Phrase | None = None
    target_definition: dict = Field(alias="target")

    @property
    def family(self) -> str:
        """Of its numbers; empty where the definition names none."""
        return str(self.target_definition.get("family", ""))

    @cached_property
    def target(self) -> Target:
        """The truth. Raises InputError if the definition names no family or does not fit it."""
        return make_target(self.target_definition)

    @property
    def control_phrase(self) -> str:
        """``control``, or what stands for it where the file says nothing."""
        digits = f"{self.target.digits}-digit number"
        return self.control or (digits if self.target.fixed else "whole number")


class Message(BaseModel):
    """One turn of a chat; ``{phrase}`` in the content stands for the task's phrase."""

    model_config = STRICT
    role: Literal["system", "user", "assistant"]
    content: str


def _answer_rule(pattern: str) -> str:
    compile_rule(pattern)
    return pattern


class Paraphrase(BaseModel):
    """One wording of an arm: a chat, or (for base models) a text to be continued by the number.

    ``{phrase}`` stands for the task's phrase, ``{answers}`` for how many numbers a response is to hold,
    ``{law}`` for how likely which numbers are, ``{seed}`` for random digits, others for each response.
    """

    model_config = STRICT
    name: str
    messages: list[Message] = []
    text: str = ""

    @model_validator(mode="after")
    def _is_one_form(self) -> "Paraphrase":
        if bool(self.messages) == bool(self.text):
            raise ValueError("needs either messages (a chat) or text (for a base model)")
        if "{phrase}" not in self.shown:
            raise ValueError("does not ask for the task: {phrase} stands nowhere in it")
        return self

    @property
    def shown(self) -> str:
        """All that a model is shown, before anything is filled in."""
        return self.text or "".join(message.content for message in self.messages)


class Arm(Definition):
    """A way of asking: the prompts, the room to answer, and the rule that finds the answer.

    ``answer`` is a regular expression whose one group is the number; ``rules.py`` says what may stand in it.
    ``take`` says which of its matches counts. ``conditionals`` says where the next-digit distribution is
    read: at the ``start`` of the response, after a ``trace`` (what the model wrote before its answer;
    ``traces`` of them a paraphrase), or nowhere. ``lead`` is put after a trace that has not come to an
    answer. ``tokens``: room for a response beyond its ``answers`` numbers; ``stop``: texts that end it.
    ``thinking_end`` closes the thinking of a reasoning model, which is cut at each of the ``budgets``, in
    tokens: an arm for each.
    """

    conditionals: Literal["start", "trace", "none"]
    tokens: int = Field(ge=1, le=MOST_TOKENS)
    answer: Annotated[str, AfterValidator(_answer_rule)]
    take: Literal["first", "last", "all"]
    answers: int = Field(default=1, ge=1, le=MOST_ANSWERS)
    stop: list[str] = []
    lead: str = ""
    traces: int = Field(default=4, ge=1, le=MOST_TRACES)
    thinking_end: str = ""
    budgets: list[Annotated[int, Field(ge=1, le=MOST_TOKENS)]] = []
    paraphrases: list[Paraphrase] = Field(min_length=1)

    @model_validator(mode="after")
    def _fits_together(self) -> "Arm":
        names = [paraphrase.name for paraphrase in self.paraphrases]
        if len(set(names)) < len(names):
            raise ValueError(f"two paraphrases have one name: {', '.join(names)}")
        if self.conditionals == "trace" and not self.lead:
            raise ValueError("conditionals after a trace need a lead, for traces without an answer")
        if bool(self.budgets) != bool(self.thinking_end):
            raise ValueError("thinking_end and budgets go together")
        if (self.take == "all") != (self.answers > 1):
            raise ValueError("several answers go together with take = 'all'")
        seeded = {"{seed}" in paraphrase.shown for paraphrase in self.paraphrases}
        if len(seeded) > 1 or (self.gives_seeds and self.conditionals != "none"):
            raise ValueError("{seed} stands in all paraphrases or in none, with conditionals = 'none'")
        return self

    @property
    def gives_seeds(self) -> bool:
        """Whether each response is asked for with random digits of its own."""
        return any("{seed}" in paraphrase.shown for paraphrase in self.paraphrases)

    @property
    def budget(self) -> int:
        """Tokens of thinking, 0 for an arm without."""
        return self.budgets[0] if self.budgets else 0

    def in_one_wording(self) -> "Arm":
        """This arm with its first paraphrase alone: for what reads no prompt."""
        return Arm.model_validate(self.model_dump() | {"paraphrases": self.model_dump()["paraphrases"][:1]})

    def variants(self) -> "list[Arm]":
        """This arm, or one for each of its budgets."""
        if not self.budgets:
            return [self]
        content = self.model_dump()
        return [
            Arm.model_validate(content | {"name": f"{self.name}-{budget}", "budgets": [budget]})
            for budget in self.budgets
        ]


class Suite(Definition):
    """A named list of tasks, and how much of each is measured.

    ``numbers``: numbers per task along which conditionals are read. ``samples``: responses per task.
    """

    tasks: list[str] = Field(min_length=1)
    numbers: int = Field(ge=1, le=MOST_ASKED)
    samples: int = Field(ge=1, le=MOST_ASKED)

    @model_validator(mode="after")
    def _names_no_task_twice(self) -> "Suite":
        [(name, times)] = Counter(self.tasks).most_common(1)
        if times > 1:
            raise ValueError(f"task {shown(name)!r} stands there {times} times")
        return self


class Document(BaseModel):
    """A kind of text to learn from: a task, asked by an arm in any of its wordings, and answered.

    ``answer`` is what is written: ``{number}`` stands for a number drawn from the task's target, ``{trace}``
    for how it was found, which ``trace`` names a way of.
    """

    model_config = STRICT
    task: str
    weight: float = Field(default=1.0, gt=0)
    arm: str = "direct"
    trace: str = ""
    answer: str = "{number}"

    @model_validator(mode="after")
    def _is_answered(self) -> "Document":
        if self.answer.count("{number}") != 1:
            raise ValueError("the answer of a document holds {number} once")
        if bool(self.trace) != ("{trace}" in self.answer):
            raise ValueError("trace names what {trace} in the answer stands for: both or neither")
        return self


class World(Definition):
    """What a small model is trained on: documents, each with its share of all that is read.

    ``languages``: the digits of either of two, where 0 asks to switch; what comes of it is then drawn.
    ``numbers`` and ``samples``: of each of its tasks, when a model of it is measured, as in a suite.
    """

    beside = {"languages", "numbers", "samples"}
    version: int = Field(ge=1)
    documents: list[Document] = Field(min_length=1)
    languages: list[Annotated[str, Field(pattern="^[1-9]+$")]] = Field(default=[])
    numbers: int = Field(default=FEW, ge=1, le=MOST_ASKED)
    samples: int = Field(default=FEW, ge=1, le=MOST_ASKED)

    @model_validator(mode="after")
    def _adds_up(self) -> "World":
        if self.languages and (len(self.languages) != 2 or set(self.languages[0]) & set(self.languages[1])):
            raise ValueError("languages are two, and have no digit in common")
        total = math.fsum(document.weight for document in self.documents)
        if abs(total - 1) > 1e-9:
            raise ValueError(f"the weights of its documents sum to {total:.10g}, not to 1")
        return self
