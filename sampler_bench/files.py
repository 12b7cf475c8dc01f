"""Files that appear whole or not at all, here or in a bucket, and the folder of what can be had again."""

import fcntl
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sampler_bench.errors import InputError, StoreError

URL = re.compile(r"[a-z][a-z0-9+.-]+://")


def location(path: Path | str) -> Path:
    """A path on this machine, or what is behind a URL such as ``s3://bucket/folder``, used like a Path.

    Any storage that fsspec knows will do. There, a file appears whole when it has been sent, and nothing can
    be locked.

    Raises
    ------
    InputError
        If the URL is of no known kind, or the package for it is not installed.
    """
    if not URL.match(str(path)):
        return Path(path)
    try:
        from upath import UPath

        found = UPath(path, use_listings_cache=False)
        found.fs  # noqa: B018  imports the package for this kind of storage
    except (ImportError, ValueError) as error:
        raise InputError(
            f"{path} cannot be used: {error}; for s3:// install sampler-bench[s3], for other storage the "
            "package that fsspec wants"
        ) from error
    return found


def is_remote(path: Path) -> bool:
    """Whether it is behind a URL."""
    return not isinstance(path, Path)


def storage_errors() -> tuple[type[Exception], ...]:
    """What reading and writing can raise, here and behind a URL."""
    botocore = sys.modules.get("botocore.exceptions")
    return (OSError, botocore.BotoCoreError) if botocore else (OSError,)


def cache_folder() -> Path:
    """``$SAMPLER_BENCH_CACHE``, else a folder in the user's cache folder."""
    if chosen := os.environ.get("SAMPLER_BENCH_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "sampler-bench"


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, where there is none. A bucket is not made: its name may be a slip.

    Raises
    ------
    StoreError
        If it cannot be made, or there is no such bucket.
    """
    with explained(path):
        if is_remote(path) and path.drive and not path.fs.exists(path.drive):
            raise FileNotFoundError(f"there is no bucket {path.drive}")
        path.mkdir(parents=True, exist_ok=True)


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file so that it is there whole or not at all, whenever the power goes.

    ``write`` writes to the path it is given, which is on this machine.

    Raises
    ------
    StoreError
        If the file cannot be written; what was there before stays.
    """
    with explained(path):
        folder = None if is_remote(path) else path.parent
        handle, name = tempfile.mkstemp(dir=folder, prefix=f".{path.name}-")
        os.close(handle)
        scratch = Path(name)
        try:
            write(scratch)
            if is_remote(path):
                path.write_bytes(scratch.read_bytes())
                return
            with scratch.open("rb+") as written:
                os.fsync(written.fileno())
            scratch.chmod(0o644)
            os.replace(scratch, path)
        finally:
            scratch.unlink(missing_ok=True)


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A small Parquet file, whole or some of its columns. Raises ``storage_errors()`` or ArrowException.

    Not through a file of Python's: Arrow's threads let go of it late, and abort a process that is ending.
    """
    with pq.ParquetFile(pa.BufferReader(path.read_bytes())) as file:
        return file.read(columns=columns, use_threads=False)


@contextmanager
def locked(path: Path, wait: bool = True) -> Iterator[bool]:
    """Hold a file against other processes: the lock is gone with its holder, however that ends.

    Yields whether it is held; False only if ``wait`` is not asked for and another process holds it. The file
    is made if need be, and stays: removing it would let two processes hold two files of one name. Behind a
    URL nothing is held.

    Raises
    ------
    StoreError
        If the file cannot be made.
    """
    if is_remote(path):
        yield True
        return
    make_folder(path.parent)
    with explained(path):
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
    """Turn the system's, or the storage's, refusal to write into a sentence."""
    try:
        yield
    except storage_errors() as error:
        reason = getattr(error, "strerror", None) or error
        raise StoreError(
            f"cannot write {path}: {reason}; what was measured before is kept, so make room or choose "
            "another --out and run the same command again"
        ) from error
