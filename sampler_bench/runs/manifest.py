"""The manifest of a run: everything that can change a number. Written and read here alone.

What is read comes from a folder that anybody may have written, so its form is looked at first.
"""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from sampler_bench.errors import DamagedError, StoreError
from sampler_bench.files import storage_errors
from sampler_bench.integers import to_int
from sampler_bench.runs.records import OVERALL, READABLE, SCHEMA_VERSION
from sampler_bench.sealed import read_json, write_json

MANIFEST = "manifest.json"
UNITS_FORM = 3  # of what the ids of units are made of: a run that was begun in another is not gone on with
UNSEALED = {  # the keys before there were checksums
    "schema_version",
    "suite",
    "settings",
    "tasks",
    "arms",
    "models",
    "sessions",
}


class _Form(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")


class Settings(BaseModel):
    """What every unit of a run shares.

    ``numbers``: numbers per task and paraphrase to read conditionals along. ``samples``: answers per task and
    arm, shared among the paraphrases.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    seed: int = Field(ge=0)
    numbers: int = Field(ge=1)
    samples: int = Field(ge=1)


class TaskEntry(_Form):
    """A task as it was measured: its definition, and what is known of its target.

    ``information``: nats, with its standard error where it is an estimate. ``members``: in figures; None if
    they cannot be counted. ``draws``: the edition of the numbers drawn from it. ``control``: what is asked in
    place of its phrase as a control.
    """

    version: int
    fingerprint: str
    target: dict
    information: FiniteFloat
    members: Annotated[str, Field(pattern="^[0-9]+$")] | None
    information_error: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    draws: int = 1
    control: str = ""

    @property
    def count(self) -> int | None:
        return None if self.members is None else to_int(self.members)


def _no_whole_suite(name: str) -> str:
    if name == OVERALL:
        raise ValueError("no task has this name")
    return name


def _identified(model: dict) -> dict:
    if not isinstance(model.get("identity"), str):
        raise ValueError("a model needs an identity, a text")
    return model


class Manifest(_Form):
    """What a run was made of.

    ``models``: what each said of itself, ``identity`` at least. ``truths``: by task, how many numbers were
    drawn for each set that the truth is known along. ``scored``: the checksums of scores and curves.
    ``units_form``: 2 where nothing is said.
    """

    schema_version: int = SCHEMA_VERSION
    units_form: int = 2
    suite: str
    settings: Settings
    tasks: dict[Annotated[str, AfterValidator(_no_whole_suite)], TaskEntry]
    arms: dict[str, dict]
    models: dict[str, Annotated[dict, AfterValidator(_identified)]] = {}
    sessions: list[dict] = []
    truths: dict[str, list[int]] = {}
    scored: dict[str, str] = {}


def read_manifest(folder: Path) -> tuple[Manifest | None, bool]:
    """The manifest, or None if the folder has none yet; and whether it carries a checksum.

    Raises
    ------
    StoreError
        If it cannot be read or believed, or another version wrote it.
    """
    path = folder / MANIFEST
    try:
        content, sealed = read_json(path)
    except FileNotFoundError:
        return None, False
    except DamagedError as error:
        raise StoreError(f"{error}; bring back a copy of it, or choose another --out") from error
    except storage_errors() as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
    manifest = _parsed(content, path)
    if not sealed and set(content) != UNSEALED:
        wrong = ", ".join(sorted(set(content) ^ UNSEALED))
        raise StoreError(
            f"{path} is not the manifest of a run, or is damaged ({wrong}); choose another --out"
        )
    return manifest, sealed


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Store the manifest. Raises StoreError if it cannot be written."""
    manifest.schema_version = SCHEMA_VERSION
    write_json(folder / MANIFEST, manifest.model_dump(mode="json"))


def _parsed(content: dict, path: Path) -> Manifest:
    version = content.get("schema_version")
    if isinstance(version, int) and version not in READABLE:
        readable = " and ".join(map(str, READABLE))
        raise StoreError(f"{path.parent} has records of schema {version}; this version reads {readable}")
    try:
        return Manifest.model_validate({"schema_version": None, **content})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole of it"
        raise StoreError(
            f"{path} is not the manifest of a run ({where}: {first['msg']}); choose another --out"
        ) from error
