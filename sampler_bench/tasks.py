"""Tasks, arms and suites: TOML files that say what is asked, how, and in which company.

A folder of tasks holds ``NAME.toml`` a task, ``suites/NAME.toml`` a suite and ``arms/NAME.toml`` an arm.
The built-in folder is shipped with the package; a user's own folders add to it.
"""

import difflib
import hashlib
import re
import tomllib
from collections.abc import Sequence
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from sampler_bench.errors import InputError
from sampler_bench.targets import Target
from sampler_bench.targets.definitions import explain, make_target


class _Definition(BaseModel):
    """A TOML file, checked: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    name: str  # the file's name without .toml
    title: str

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the content: two definitions with the same fingerprint ask the same."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


class Task(_Definition):
    """A target and the phrase that asks a model for a member of it.

    ``phrase`` completes "a random ...". ``version`` is raised whenever a change alters results.
    """

    version: int = Field(ge=1)
    phrase: str
    target_definition: dict = Field(alias="target")

    @cached_property
    def target(self) -> Target:
        """The truth. Raises InputError if the definition names no family or does not fit it."""
        return make_target(self.target_definition)


class Message(BaseModel):
    """One turn of a chat; ``{phrase}`` in the content stands for the task's phrase."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    role: Literal["system", "user", "assistant"]
    content: str


def _one_group(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    if groups != 1:
        raise ValueError(f"needs exactly one (group) around the number, has {groups}")
    return pattern


class Paraphrase(BaseModel):
    """One wording of an arm: a chat, or (for base models) a text to be continued by the number.

    ``{phrase}`` stands for the task's phrase, ``{answers}`` for how many numbers a response is to hold.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    name: str
    messages: list[Message] = []
    text: str = ""

    @model_validator(mode="after")
    def _is_one_form(self) -> "Paraphrase":
        if bool(self.messages) == bool(self.text):
            raise ValueError("needs either messages (a chat) or text (for a base model)")
        shown = self.text or "".join(message.content for message in self.messages)
        if "{phrase}" not in shown:
            raise ValueError("does not ask for the task: {phrase} stands nowhere in it")
        return self


class Arm(_Definition):
    """A way of asking: the prompts, the room to answer, and the rule that finds the answer.

    ``answer`` is a regular expression whose one group is the number; ``take`` says which of its
    matches counts. ``conditionals`` says where the next-digit distribution is read: at the ``start`` of the
    response, after a ``trace`` (what the model wrote before its answer; ``traces`` of them a paraphrase), or
    nowhere. ``lead`` is put after a trace that has not come to an answer. ``tokens``: room for a response
    beyond its ``answers`` numbers; ``stop``: texts that end it. ``thinking_end`` closes the thinking of a
    reasoning model, which is cut at each of the ``budgets``, in tokens: an arm for each.
    """

    conditionals: Literal["start", "trace", "none"]
    tokens: int = Field(ge=1)
    answer: Annotated[str, AfterValidator(_one_group)]
    take: Literal["first", "last", "all"]
    answers: int = Field(default=1, ge=1)
    stop: list[str] = []
    lead: str = ""
    traces: int = Field(default=4, ge=1)
    thinking_end: str = ""
    budgets: list[Annotated[int, Field(ge=1)]] = []
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
        return self

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


class Suite(_Definition):
    """A named list of tasks, and how much of each is measured.

    ``numbers``: numbers per task along which conditionals are read. ``samples``: responses per task.
    """

    tasks: list[str] = Field(min_length=1)
    numbers: int = Field(ge=1)
    samples: int = Field(ge=1)


class Catalog:
    """The built-in tasks, arms and suites, and those of the user's folders."""

    def __init__(self, folders: Sequence[Path] = ()):
        for folder in folders:
            if not Path(folder).is_dir():
                raise InputError(f"no folder of tasks at {folder}")
        self._folders = [builtin_folder(), *map(Path, folders)]

    def task_names(self) -> list[str]:
        return sorted(self._files("task"))

    def arm_names(self) -> list[str]:
        return sorted(self._files("arm"))

    def suite_names(self) -> list[str]:
        return sorted(self._files("suite"))

    def task(self, name: str) -> Task:
        """The task of that name. Raises InputError if there is none or its file is not right."""
        path = self._find("task", name)
        task = _read(Task, path)
        try:
            task.target  # noqa: B018  a wrong [target] is reported here, with the file's name
        except InputError as error:
            raise InputError(f"{path}, [target]: {error}") from error
        return task

    def arm(self, name: str) -> Arm:
        """The arm of that name. Raises InputError if there is none or its file is not right."""
        return _read(Arm, self._find("arm", name))

    def arms(self, name: str) -> list[Arm]:
        """The arm of that name, or one for each of its budgets; ``NAME-BUDGET`` is one of them alone."""
        stem = name.rpartition("-")[0]
        if name not in self._files("arm") and stem in self._files("arm"):
            chosen = [arm for arm in self.arm(stem).variants() if arm.name == name]
            if chosen:
                return chosen
        return self.arm(name).variants()

    def suite(self, name: str) -> Suite:
        """The suite of that name; a task's name stands for the suite of that one task."""
        if name in self._files("task"):
            return Suite(name=name, title=name, tasks=[name], numbers=32, samples=32)
        return _read(Suite, self._find("suite", name))

    def _find(self, kind: str, name: str) -> Path:
        files = self._files(kind)
        if name not in files:
            close = difflib.get_close_matches(name, files, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(files))}"
            raise InputError(f"unknown {kind} {name!r}; {hint}")
        return files[name]

    def _files(self, kind: str) -> dict[str, Path]:
        inside = {"task": ".", "arm": "arms", "suite": "suites"}[kind]
        found: dict[str, Path] = {}
        for folder in self._folders:
            for path in sorted((folder / inside).glob("*.toml")):
                if path.stem in found:
                    raise InputError(f"two {kind}s are named {path.stem!r}: {found[path.stem]}, {path}")
                found[path.stem] = path
        return found


def load_task(name: str, folders: Sequence[Path] = ()) -> Task:
    """The built-in task of that name, or one in the given folders.

    Raises
    ------
    InputError
        If there is no such task, or its file is not right: says file, key and choices.
    """
    return Catalog(folders).task(name)


def builtin_folder() -> Path:
    """The tasks shipped with the package (in a checkout: the folder ``tasks/`` beside it)."""
    package = Path(str(resources.files("sampler_bench")))
    shipped = package / "builtin_tasks"
    return shipped if shipped.is_dir() else package.parent / "tasks"


D = TypeVar("D", bound=_Definition)


def _read(kind: type[D], path: Path) -> D:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InputError(f"{path}: {error}") from error
    if "name" in content:
        raise InputError(f"{path}: key 'name' has no place here; the file's name is the name")
    keys = [field.alias or name for name, field in kind.model_fields.items() if name != "name"]
    try:
        return kind.model_validate({"name": path.stem, **content})
    except ValidationError as error:
        raise InputError(f"{path}: {explain(error, keys)}") from error
