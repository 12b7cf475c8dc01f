"""Which model a local folder holds: told by the contents of its files, however large."""

import hashlib
import json
from pathlib import Path

import numpy as np

from sampler_bench.errors import InputError, ModelError
from sampler_bench.files import tell
from sampler_bench.secrets import quoted
from sampler_bench.targets.counting.truth_cache import kept

WEIGHTS = ("*.safetensors", "*.bin", "*.gguf", "*.pt")
TEXTS = ("*.json", "*.jinja", "*.model", "merges.txt", "vocab.txt")  # configuration, tokenizer, chat template
REMEMBERED = 10**8  # bytes from which on a file is not read each time
LONG = 5 * 10**9  # bytes, above which a person is told what takes so long: a second or more a GB


def folder_identity(folder: Path) -> str:
    """A hash of the names and contents of weights, configuration, tokenizer and chat template.

    Weights are read whole, and again when a file's size, times or place on the disk have changed.

    Raises
    ------
    ModelError
        If a file cannot be read.
    """
    identity = hashlib.sha256()
    try:
        for path in sorted({path for pattern in (*WEIGHTS, *TEXTS) for path in folder.glob(pattern)}):
            identity.update(f"{path.name} {content_hash(path)}\n".encode())
    except OSError as error:
        raise ModelError(f"{folder} cannot be read: {error}") from error
    return "contents:" + identity.hexdigest()[:24]


def unfinished(folder: Path) -> bool:
    """Whether it is of a training of the lab that was stopped."""
    try:
        return json.loads((folder / "training.json").read_text())["finished"] is False
    except (OSError, ValueError, KeyError, TypeError):
        return False


def check_reads(folder: Path, name: str, text: str) -> None:
    """Raise InputError if a model of the lab is to read letters that its tokenizer lacks.

    Of other folders nothing is said: their tokenizers know every byte, or say themselves what they do not.
    """
    try:
        world = json.loads((folder / "training.json").read_text())["world"]
        letters = set(json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    if lacking := sorted(set(text) - letters):
        raise InputError(
            f"model {name} was trained on world {world}, and its tokenizer, made for that, lacks "
            f"{quoted(''.join(lacking), 40)!r}, which {quoted(text, 80)!r} has; ask it in other letters"
        )


def content_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal; a large one is read once for each state it is in."""
    found = path.stat()
    if found.st_size < REMEMBERED:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    state = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_dev} {found.st_ino}"

    def read() -> np.ndarray:
        if found.st_size > LONG:
            tell(
                f"reading {path.name} ({found.st_size / 1e9:.0f} GB), once, to tell these weights from others"
            )
        with path.open("rb") as handle:
            return np.frombuffer(hashlib.file_digest(handle, "sha256").digest(), np.uint8)

    return kept(f"sha256 of {path.resolve()} {state}", read).tobytes().hex()
