"""Tasks, arms, suites and worlds: TOML files that say what is asked, how, together with what, and learnt.

A folder of tasks holds ``NAME.toml`` a task, ``arms/NAME.toml`` an arm, ``suites/NAME.toml`` a suite and
``worlds/NAME.toml`` a world.
The built-in folder is shipped with the package; a user's own folders add to it.
"""

import difflib
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from sampler_bench.errors import InputError
from sampler_bench.integers import shown
from sampler_bench.targets.values import check_nesting, explain, storable
from sampler_bench.tasks.definitions import FEW, Arm, Definition, Document, Suite, Task, World
from sampler_bench.toml import read_toml

STAND_FOR = {"suite": ["suite", "task", "world"], "world": ["world", "task"]}  # whose names will do, too
MOST_NAME = 255  # characters, of a file
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")  # safe in files, tables, pages, URLs and spreadsheets


class Catalog:
    """The built-in tasks, arms, suites and worlds, and those of the user's folders."""

    def __init__(self, folders: Sequence[Path] = ()):
        for folder in folders:
            if not Path(folder).is_dir():
                raise InputError(f"no folder of tasks at {folder}")
        self._folders = [builtin_folder(), *map(Path, folders)]
        self._found: dict[str, dict[str, Path]] = {}

    def task_names(self) -> list[str]:
        return sorted(self._files("task"))

    def arm_names(self) -> list[str]:
        return sorted(self._files("arm"))

    def suite_names(self) -> list[str]:
        return sorted(self._files("suite"))

    def world_names(self) -> list[str]:
        return sorted(self._files("world"))

    def task(self, name: str) -> Task:
        """The task of that name. Raises InputError if there is none or its file is not right."""
        task = self.definition(name)
        try:
            task.target  # noqa: B018  a wrong [target] is reported here, with the file's name
        except InputError as error:
            raise InputError(f"{self._find('task', name)}, [target]: {error}") from error
        return task

    def definition(self, name: str) -> Task:
        """The same, but its [target] is not looked at yet: that may take seconds."""
        return _read(Task, self._find("task", name))

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
        """The suite of that name; that of a task is the task alone, that of a world all that it asks for."""
        if name in self._files("task"):
            return Suite(name=name, title=name, tasks=[name], numbers=FEW, samples=FEW)
        if name in self._files("world") and name not in self._files("suite"):
            world = self.world(name)
            tasks = [*dict.fromkeys(document.task for document in world.documents)]
            asked = {"numbers": world.numbers, "samples": world.samples}
            return Suite(name=name, title=world.title, tasks=tasks, **asked)
        path = self._find("suite", name)
        suite = _read(Suite, path)
        for task in suite.tasks:
            try:
                self._find("task", task)
            except InputError as error:
                raise InputError(f"{path}: {error}") from error
        return suite

    def world(self, name: str) -> World:
        """The world of that name; a task's name stands for the world of that one task."""
        if name in self._files("task"):
            return World(name=name, title=name, version=1, documents=[Document(task=name)])
        return _read(World, self._find("world", name))

    def _find(self, kind: str, name: str) -> Path:
        files = self._files(kind)
        if name not in files:
            meant = [each for also in STAND_FOR.get(kind, [kind]) for each in self._files(also)]
            close = difflib.get_close_matches(name[:MOST_NAME], meant, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(sorted(files))}"
            raise InputError(f"unknown {kind} {shown(name)!r}; {hint}")
        return files[name]

    def _files(self, kind: str) -> dict[str, Path]:
        """By name; looked for once."""
        if kind not in self._found:
            self._found[kind] = self._look_for(kind)
        return self._found[kind]

    def _look_for(self, kind: str) -> dict[str, Path]:
        inside = {"task": ".", "arm": "arms", "suite": "suites", "world": "worlds"}[kind]
        found: dict[str, Path] = {}
        for folder in self._folders:
            for path in sorted((folder / inside).glob("*.toml")):
                if not NAME.fullmatch(path.stem):
                    raise InputError(
                        f"{path}: the name of a {kind} is 1 to 100 of the letters a-z and A-Z, the digits, "
                        "and _ . + -, of which the last three do not begin it"
                    )
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


D = TypeVar("D", bound=Definition)


def _read(kind: type[D], path: Path) -> D:
    content = read_toml(path)
    if "name" in content:
        raise InputError(f"{path}: key 'name' has no place here; the file's name is the name")
    keys = [field.alias or name for name, field in kind.model_fields.items() if name != "name"]
    try:
        check_nesting(content)
        given = {key: storable(value) for key, value in content.items()}
        return kind.model_validate({"name": path.stem, **given})
    except ValidationError as error:
        raise InputError(f"{path}: {explain(error, keys)}") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
