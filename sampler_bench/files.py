"""Files that appear whole or not at all, here or in a bucket, and the folder of what can be had again."""

import fcntl
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from sampler_bench.errors import InputError, StoreError
from sampler_bench.plain import plain

if TYPE_CHECKING:
    from typing_extensions import TypeIs
    from upath import UPath

NOWHERE = Path(os.devnull) / "sampler-bench"  # can be neither read nor written

_TOLD: set[str] = set()
_UNKEPT: set[Path] = set()  # what could not be written in this process

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
    return found  # pyright: ignore[reportReturnType]  used like one, and no Path is asked for more


def is_remote(path: "Path | UPath") -> "TypeIs[UPath]":
    """Whether it is behind a URL."""
    return not isinstance(path, Path)


def storage_errors() -> tuple[type[Exception], ...]:
    """What reading and writing can raise, here and behind a URL."""
    botocore = sys.modules.get("botocore.exceptions")
    return (OSError, botocore.BotoCoreError) if botocore else (OSError,)


def cache_folder() -> Path:
    """``$SAMPLER_BENCH_CACHE``, else a folder in the user's cache folder; nowhere for one without a home."""
    if chosen := os.environ.get("SAMPLER_BENCH_CACHE"):
        return Path(chosen)
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:  # neither $HOME nor an entry for the user
        return NOWHERE
    return Path(base) / "sampler-bench"


def tell(line: str) -> None:
    """Say on stderr, once, what a person should know though the answer is none the worse for it."""
    if line not in _TOLD:
        _TOLD.add(line)
        print(f"note: {plain(line)}", file=sys.stderr, flush=True)


@contextmanager
def keeping(path: Path) -> Iterator[None]:
    """Go on where a file of the cache cannot be written: an answer that cannot be kept is still an answer.

    The first time in a process, a line says so.
    """
    try:
        yield
    except (StoreError, *storage_errors()) as error:
        if not _UNKEPT:
            cause = error.__cause__ or error
            reason = getattr(cause, "strerror", None) or cause
            tell(
                f"cannot write {path}: {reason}; what can be had again is not kept "
                "(SAMPLER_BENCH_CACHE names another folder)"
            )
        _UNKEPT.add(path)


def is_writable(folder: Path) -> bool:
    """Whether files can be made in a folder, which is made if need be."""
    try:
        make_folder(folder)
        tempfile.TemporaryFile(dir=folder).close()
    except (StoreError, OSError):
        return False
    return True


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
        folder = Path(tempfile.gettempdir()) if is_remote(path) else path.parent
        scratch = (
            folder / f".{path.name}-{os.urandom(8).hex()}"
        )  # named first: Ctrl-C may fall on any line below
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


@contextmanager
def locked(path: Path, wait: bool = True) -> Iterator[bool]:
    """Hold a file against other processes: the lock is gone with its holder, however that ends.

    Yields whether it is held; False only if ``wait`` is not asked for and another process holds it. The file
    is made if need be, and stays: removing it would let two processes hold two files of one name. Behind a
    URL nothing is held.

    Raises
    ------
    StoreError
        If the file cannot be made, or its storage knows no locks.
    """
    if is_remote(path):
        yield True
        return
    make_folder(path.parent)
    with explained(path):
        handle = path.open("a")
    with handle:
        with explained(path):
            held = _flock(handle, wait)
        yield held


def _flock(handle: IO, wait: bool) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


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
