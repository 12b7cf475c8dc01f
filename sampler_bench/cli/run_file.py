"""Options of a command from a file: TOML with the options' names as keys, or the manifest of a run."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from sampler_bench.errors import InputError
from sampler_bench.integers import shown
from sampler_bench.toml import read_toml

if TYPE_CHECKING:
    from sampler_bench.runs.manifest import Manifest

OF_ALL_SESSIONS = ("model", "arm", "decoder")  # of what a run was made, command by command
IN_THE_ENVIRONMENT = {"api-key": "VLLM_API_KEY"}


def take_from_file(context: typer.Context, path: Path | None) -> Path | None:
    """Take what a file says as defaults: the command line goes before it.

    Raises
    ------
    InputError
        If the file cannot be read, or a key is no option's name.
    """
    if path is not None:
        said = _of_manifest(path) if path.suffix == ".json" else read_toml(path)
        parameters = {_name(parameter): parameter for parameter in context.command.params}
        for key in said:
            _check_key(path, key, parameters)
        context.default_map = {
            parameters[key].name: _as_given(parameters[key], value) for key, value in said.items()
        }
    return path


def _name(parameter) -> str:
    """As a person writes it: without dashes before it, and with dashes inside."""
    return parameter.opts[0].removeprefix("--").replace("_", "-").lower()


def _check_key(path: Path, key: str, parameters: Mapping[str, object]) -> None:
    if key in IN_THE_ENVIRONMENT:
        raise InputError(
            f"{path}: a key does not belong into a file; put it into the environment variable "
            f"{IN_THE_ENVIRONMENT[key]}"
        )
    if key not in parameters or key == "config":
        close = difflib.get_close_matches(key, set(parameters) - {"config"}, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(parameters))}"
        raise InputError(f"{path}: {shown(key)!r} is no option of run; {hint}")


def _as_given(parameter, value: object) -> object:
    """A single value stands for a list of one, where several may be given."""
    return [value] if parameter.multiple and not isinstance(value, list) else value


def _of_manifest(path: Path) -> dict:
    """What the commands were told that made a run: the last one's word, and all models, arms and decoders."""
    from sampler_bench.runs.manifest import MANIFEST, read_manifest

    if path.name != MANIFEST:
        raise InputError(f"{path} is neither a TOML file nor the {MANIFEST} of a run")
    manifest, _ = read_manifest(path.parent)
    if manifest is None:
        raise InputError(f"{path} is not there")
    sessions = [session["told"] for session in manifest.sessions if "told" in session]
    if not sessions:
        return _guessed(manifest)
    told = dict(sessions[-1])
    for key in OF_ALL_SESSIONS:
        if named := dict.fromkeys(name for session in sessions for name in session.get(key, ())):
            told[key] = list(named)
    return told


def _guessed(manifest: "Manifest") -> dict:
    """Of a run of an older version, which does not say what it was told."""
    return {
        "suite": manifest.suite,
        "model": list(manifest.models),
        "arm": list(manifest.arms),
        **manifest.settings.model_dump(),
    }
