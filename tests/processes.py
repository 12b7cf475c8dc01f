"""Processes that tests start, watch and kill, and the files that these write."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")


def finish(process: subprocess.Popen, code: int = 0, timeout: float = 600) -> str:
    """What a process that ends with this code has said on stderr: no traceback."""
    _, said = process.communicate(timeout=timeout)
    assert process.returncode == code, said
    assert "Traceback" not in said
    return said


def wait_until(condition: Callable[[], Found], failure: str, timeout: float = 120) -> Found:
    """The first truth that a condition gives."""
    deadline = time.monotonic() + timeout
    while not (found := condition()):
        assert time.monotonic() < deadline, failure
        time.sleep(0.01)
    return found


def parts(folder: Path, pattern: str = "*/*.parquet") -> dict[str, int]:
    """When each part was written, by its path in the folder; by default the parts of a run."""
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.glob(pattern)}


def wait_for_parts(
    folder: Path, count: int, pattern: str = "*/*.parquet", timeout: float = 120
) -> dict[str, int]:
    """The parts, once there are this many."""
    wait_until(
        lambda: len(parts(folder, pattern)) >= count,
        f"fewer than {count} of {pattern} in {folder}",
        timeout,
    )
    return parts(folder, pattern)


def processes_below(pid: int) -> dict[int, str]:
    """Their command lines."""
    parent_of, name_of = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat, line = (entry / "stat").read_text(), (entry / "cmdline").read_text()
            except OSError:  # it has just ended
                continue
            parent_of[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
            name_of[int(entry.name)] = line.replace("\0", " ")
    found, fresh = {}, {pid}
    while fresh:
        fresh = {child for child, parent in parent_of.items() if parent in fresh} - found.keys()
        found |= {child: name_of[child] for child in fresh}
    return found


def engine_of(pid: int, other_than: int | None = None) -> int:
    """The engine of the vLLM server that a process has started, once there is one."""

    def engines() -> list[int]:
        found = [child for child, name in processes_below(pid).items() if "EngineCore" in name]
        return [engine for engine in found if engine != other_than]

    (engine,) = wait_until(engines, "no engine was started")
    return engine


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
