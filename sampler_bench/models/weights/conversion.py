"""Models made of GGUF files in the cache folder: each is there whole or not at all, and is made once."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sampler_bench.errors import DamagedError, ModelError, StoreError
from sampler_bench.files import cache_folder
from sampler_bench.plain import one_line
from sampler_bench.sealed import read_json, write_json

SOURCE_FILE = "SOURCE.json"  # says that the folder is whole, and of what it was made


@dataclass(frozen=True)
class Converted:
    """A folder for vLLM in the cache, made of a GGUF file.

    Parameters
    ----------
    name : str
        Of the folder.
    called : str
        What people call the model.
    origin : dict
        What is noted of where it came from.
    """

    name: str
    called: str
    origin: dict = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the converted model lies once it is made."""
        return cache_folder() / "models" / self.name

    def is_present(self) -> bool:
        """Whether it was made; ``fetch`` looks whether it is whole still."""
        return os.access(self.folder / SOURCE_FILE, os.R_OK)

    def note(self) -> dict:
        """What was noted of the model when it was made. Raises DamagedError, or as reading does."""
        note, sealed = read_json(self.folder / SOURCE_FILE)
        if not sealed:
            raise DamagedError(
                f"{self.folder / SOURCE_FILE} carries no checksum: it is damaged, or an older version made it"
            )
        return note

    def fetch(self, gguf: Callable[[Path], Path], say: Callable[[str], None]) -> Path:
        """Return the folder, made first if it is missing.

        Safe to call again and from two processes at once: one works while the other waits, and the folder
        appears whole or not at all. Every file is compared with its SHA-256 each time; a folder that is
        damaged is made anew.

        Parameters
        ----------
        gguf : callable
            Gives the GGUF file; may put it into the scratch folder that it is given.

        Raises
        ------
        ModelError
            If the file cannot be converted, or the packages for it are missing; or as ``gguf`` does.
        """
        if self.is_present() and not self._damage():
            return self.folder
        with _lock(cache_folder() / f"{self.name}.lock"):
            if self.is_present():
                damage = self._damage()  # none if another process has mended it
                if not damage:
                    return self.folder
                say(f"{self.folder} is not as it was made ({damage}): it is made anew")
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.folder.parent, prefix=f".{self.name}-") as scratch:
                source, made = gguf(Path(scratch)), Path(scratch) / "converted"
                say(f"converting {self.called} to safetensors")
                self._convert(source, made)
                shutil.rmtree(self.folder, ignore_errors=True)  # one without its note is incomplete
                os.replace(made, self.folder)
            say(f"{self.called} is ready in {self.folder}")
        return self.folder

    def _convert(self, gguf: Path, folder: Path) -> None:
        """Write the Hugging Face folder, marked complete by a note of where it came from."""
        done = subprocess.run(
            [sys.executable, "-m", "sampler_bench.models.weights.gguf", str(gguf), str(folder)],
            capture_output=True, text=True, check=False, env={**os.environ, "HF_HUB_OFFLINE": "1"},
        )  # fmt: skip
        if done.returncode != 0:
            reason = one_line((done.stderr.strip().splitlines() or ["no reason was given"])[-1])
            packages = "; `sampler-bench doctor` says what is missing" if "No module named" in reason else ""
            raise ModelError(f"cannot convert {self.called}: {reason}{packages}")
        files = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
        write_json(folder / SOURCE_FILE, {**self.origin, "files_sha256": files})

    def _damage(self) -> str:
        """What is wrong with the folder; empty if all is well."""
        try:
            files = self.note()["files_sha256"]
            changed = [name for name, sha256 in files.items() if sha256_of(self.folder / name) != sha256]
        except (StoreError, OSError) as error:
            return str(error)
        return f"{', '.join(changed)} changed" if changed else ""


def sha256_of(path: Path) -> str:
    """Of a file's contents, read now."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise ModelError(
            f"cannot write the model cache {path.parent}: {error}; set SAMPLER_BENCH_CACHE to a "
            "folder with room for the model (1 GB for the built-in one)"
        ) from error
