"""Weights to serve: the built-in ones, a folder's, a GGUF file's, or those of a Hugging Face id."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol

from sampler_bench.errors import InputError, ModelError
from sampler_bench.models.weights import smollm2
from sampler_bench.models.weights.conversion import Converted
from sampler_bench.models.weights.folders import WEIGHTS, content_hash, folder_identity, unfinished

GGUF_MARK = b"GGUF"  # what a GGUF file begins with
GGUF_FORM = 1  # of converted folders; raised when a conversion would come out differently


class Weights(Protocol):
    """Weights that have been found, but not fetched."""

    def fetch(self, say: Callable[[str], None]) -> str:
        """What vLLM serves: a folder or a Hugging Face id. Raises ModelError if it cannot be had."""
        ...

    def identity(self) -> str:
        """What tells these weights from others. Raises ModelError if they cannot be read."""
        ...


@dataclass(frozen=True)
class BuiltIn:
    """Those of the built-in model."""

    def fetch(self, say: Callable[[str], None]) -> str:
        return str(smollm2.fetch(say))

    def identity(self) -> str:
        return smollm2.identity()


@dataclass(frozen=True)
class Folder:
    """Those of a folder with a configuration."""

    path: Path

    def fetch(self, say: Callable[[str], None]) -> str:  # noqa: ARG002  nothing is to be said
        return str(self.path)

    def identity(self) -> str:
        return folder_identity(self.path)


@dataclass(frozen=True)
class GgufFile:
    """Those of a GGUF file, which vLLM is given as a folder made of it."""

    path: Path

    def fetch(self, say: Callable[[str], None]) -> str:
        sha256 = self._sha256()
        made = Converted(f"gguf-{sha256[:24]}-{GGUF_FORM}", self.path.name, {"gguf_sha256": sha256})
        return str(made.fetch(lambda _: self.path, say))

    def identity(self) -> str:
        return "sha256:" + self._sha256()

    def _sha256(self) -> str:
        try:
            return content_hash(self.path)
        except OSError as error:
            raise ModelError(f"{self.path} cannot be read: {error.strerror}") from error


@dataclass(frozen=True)
class HubModel:
    """Those of a Hugging Face id, which vLLM fetches."""

    name: str

    def fetch(self, say: Callable[[str], None]) -> str:  # noqa: ARG002  nothing is to be said
        return self.name

    def identity(self) -> str:
        """The commit of the model in the local cache, where vLLM has put it."""
        try:
            config = import_module("huggingface_hub").try_to_load_from_cache(self.name, "config.json")
        except ImportError:
            config = None
        return (
            f"{self.name}@{Path(config).parent.name}" if isinstance(config, str) else f"{self.name}@unknown"
        )


def find_folder(path: Path) -> Folder:
    """The weights of a folder. Raises ModelError if it lacks a configuration or weights."""
    if not (path / "config.json").is_file():
        raise ModelError(f"{path} is not a model folder: it holds no config.json")
    if unfinished(path):
        raise ModelError(f"the training in {path} has not come to its end; the same command goes on with it")
    if not any(next(path.glob(pattern), None) for pattern in WEIGHTS):
        raise ModelError(f"{path} holds no weights ({', '.join(WEIGHTS)})")
    return Folder(path.resolve())


def find_gguf(path: Path) -> GgufFile:
    """The weights of a GGUF file.

    Raises
    ------
    InputError
        If there is no such file.
    ModelError
        If it cannot be read, or is no GGUF file.
    """
    if not os.path.isfile(path):
        raise InputError(f"there is no file {path}; --model takes the path of a GGUF file")
    try:
        with path.open("rb") as handle:
            mark = handle.read(len(GGUF_MARK))
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    if mark != GGUF_MARK:
        raise ModelError(f"{path} is no GGUF file: it does not begin with the letters GGUF")
    return GgufFile(path.absolute())
