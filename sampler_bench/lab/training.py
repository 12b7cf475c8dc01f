"""Training a model on a world: exact draws in, a folder that any engine takes out.

``OUT/training.json`` says what was trained and how the loss went. ``OUT/along/`` keeps the model as it was
after a 64th, a 32nd, ... a half of all numbers, each a folder of its own. Killed, the same command goes on
from the last sixteenth.
"""

import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from sampler_bench.errors import InputError, ModelError, StoreError
from sampler_bench.files import locked, make_folder
from sampler_bench.lab.architecture import check
from sampler_bench.lab.documents import Kind, entropy_of, kinds_of
from sampler_bench.lab.lessons import GROUP
from sampler_bench.machine import quiet_transformers
from sampler_bench.sealed import read_json, write_json
from sampler_bench.tasks import Catalog, World

PARAMETERS, NUMBERS = 400_000, 400_000
LEAST_SEEN = 10 * GROUP  # documents of the rarest kind that are expected: of fewer groups none may come
NOTE, ALONG, WORKING = "training.json", "along", "working"
PACKAGES = ("sampler-bench", "numpy", "tokenizers", "torch", "transformers")  # that decide how it comes out
Tell = Callable[[int, float], None]


@dataclass(frozen=True)
class Training:
    """One training: what of, how large, how long.

    Raises
    ------
    InputError
        If a task, an arm or a trace of the world does not suit, no model can have so many parameters, or so
        few numbers are to be seen that a kind of document would be missed.
    """

    world: World
    catalog: Catalog = field(repr=False)
    parameters: int = PARAMETERS
    numbers: int = NUMBERS
    seed: int = 0
    kinds: Sequence[Kind] = field(init=False, repr=False)

    def __post_init__(self):
        check(self.parameters)
        object.__setattr__(self, "kinds", kinds_of(self.world, self.catalog))
        rarest = min(document.weight for document in self.world.documents)
        if self.numbers * rarest < LEAST_SEEN:
            raise InputError(
                f"--numbers {self.numbers}: of world {self.world.name} the rarest kind of document, one in "
                f"{1 / rarest:.4g}, would be seen less than {LEAST_SEEN} times; "
                f"{math.ceil(LEAST_SEEN / rarest)} would do"
            )

    @property
    def plan(self) -> dict:
        """What decides how the model comes out, for ``training.json``."""
        return {
            "world": self.world.name,
            "version": self.world.version,
            "fingerprint": self.world.fingerprint,
            "tasks": {kind.task.name: kind.task.fingerprint for kind in self.kinds},
            "arms": {kind.arm.name: kind.arm.fingerprint for kind in self.kinds},
            "parameters": self.parameters,
            "numbers": self.numbers,
            "seed": self.seed,
        }


def train(training: Training, out: Path, tell: Tell | None = None) -> Path:
    """Train a model, or go on with it; the folder. What is there and done is left as it is.

    Parameters
    ----------
    training : Training
    out : Path
        The folder.
    tell : callable, optional
        Told now and then how many numbers were seen, and the loss, nats a document.

    Raises
    ------
    InputError
        If the folder holds something else.
    ModelError
        If transformers and torch are not installed.
    StoreError
        If the folder cannot be written, or another process trains there.
    """
    make_folder(out)
    with locked(out / ".lock", wait=False) as ours:
        if not ours:
            raise StoreError(f"another process trains in {out}; wait for it, or choose another --out")
        try:
            quiet_transformers()
            from sampler_bench.lab.trainer import fit
        except ImportError as error:
            raise ModelError(
                f"training needs transformers, torch and accelerate ({error}): "
                "pip install 'sampler-bench[lab]'"
            ) from error
        if _begin(training, out)["finished"]:
            shutil.rmtree(out / WORKING, ignore_errors=True)  # left where the end fell on its removal
            return out
        started = time.monotonic()
        found = fit(training, out, tell)
        seconds = round(time.monotonic() - started, 1)
        write_json(out / NOTE, _note(training) | found | {"seconds": seconds, "finished": True})
        shutil.rmtree(out / WORKING)
    return out


def training_note(folder: Path) -> dict:
    """What ``training.json`` of a folder says; nothing if it has none. Raises DamagedError."""
    return read_json(folder / NOTE)[0] if (folder / NOTE).exists() else {}


def models_along(folder: Path) -> list[tuple[Path, int]]:
    """The model as it was on the way, and as it is, each a folder with the numbers seen until then."""
    note = training_note(folder)
    kept = [(folder / ALONG / f"{folder.name}-{seen}", seen) for seen in note["kept"]]
    return [*kept, (folder, note["numbers"])]


def _begin(training: Training, out: Path) -> dict:
    """The note of the folder, written if there is none. Raises InputError if it is of something else."""
    if not (out / NOTE).exists():
        if any(not path.name.startswith(".") for path in out.iterdir()):
            raise InputError(f"{out} holds other things, and no {NOTE}; choose an empty folder with --out")
        write_json(out / NOTE, _note(training))
    said = training_note(out)
    for name, value in training.plan.items():
        if said.get(name) != value:
            raise InputError(
                f"{out} holds a model with {name} = {said.get(name)}, not {value}; choose another --out"
            )
    return said


def _note(training: Training) -> dict:
    versions = {package: metadata.version(package) for package in PACKAGES}
    floor = entropy_of(training.kinds, training.world)
    return {
        **training.plan,
        "floor": floor.value,
        "floor_error": floor.error,
        "versions": versions,
        "finished": False,
    }
