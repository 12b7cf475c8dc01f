"""Files that appear whole or not at all, and the folder of what can be fetched or computed again."""

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sampler_bench.errors import StoreError


def cache_folder() -> Path:
    """``$SAMPLER_BENCH_CACHE``, else a folder in the user's cache folder."""
    if chosen := os.environ.get("SAMPLER_BENCH_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "sampler-bench"


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file so that it is there whole or not at all, whenever the power goes.

    Raises
    ------
    StoreError
        If the file cannot be written; what was there before stays.
    """
    with explained(path):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        os.close(handle)
        scratch = Path(name)
        try:
            write(scratch)
            with scratch.open("rb+") as written:
                os.fsync(written.fileno())
            scratch.chmod(0o644)
            os.replace(scratch, path)
        finally:
            scratch.unlink(missing_ok=True)


@contextmanager
def locked(path: Path, wait: bool = True) -> Iterator[bool]:
    """Hold a file against other processes: the lock is gone with its holder, however that ends.

    Yields whether it is held; False only if ``wait`` is not asked for and another process holds it. The file
    is made if need be, and stays: removing it would let two processes hold two files of one name.

    Raises
    ------
    StoreError
        If the file cannot be made.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("a")
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal to write into a sentence."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise StoreError(
            f"cannot write {path}: {reason}; what was measured before is kept, so make room or choose "
            "another --out and run the same command again"
        ) from error
