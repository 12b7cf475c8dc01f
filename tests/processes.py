"""Processes that tests start, watch and kill, and the files that these write."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from sampler_bench.runs.records import MEASURED
from sampler_bench.sealed import read_sealed, write_sealed

MARKS = {"conditionals": ("ess", -1.0), "samples": ("prompt_hash", "kept")}
Found = TypeVar("Found")


def finish(process: subprocess.Popen, code: int = 0) -> str:
    """What a process that ends with this code has said on stderr: no traceback."""
    _, said = process.communicate()
    assert process.returncode == code, said
    assert "Traceback" not in said
    return said


def wait_until(
    condition: Callable[[], Found], failure: str, process: subprocess.Popen | None = None
) -> Found:
    """The first truth that a condition gives, while a process that works towards it runs.

    However slow the machine: a wait for what never comes is ended by the time limit of the test.
    """
    while not (found := condition()):
        if process is not None and process.poll() is not None:
            assert condition(), f"{failure}; the process ended with code {process.returncode}"
        time.sleep(0.01)
    return found


def parts(folder: Path, pattern: str = "*/*.parquet") -> dict[str, int]:
    """When each part was written, by its path in the folder; by default the parts of a run."""
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.glob(pattern)}


def wait_for_parts(
    process: subprocess.Popen, folder: Path, count: int, pattern: str = "*/*.parquet"
) -> dict[str, int]:
    """The parts that a process writes, once there are this many."""
    enough = f"fewer than {count} of {pattern} in {folder}"
    wait_until(lambda: len(parts(folder, pattern)) >= count, enough, process)
    return parts(folder, pattern)


@contextmanager
def paused(process: subprocess.Popen) -> Iterator[None]:
    """Meanwhile it stands still, so that what it would do next cannot come before what the test does."""
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def units(run: Path) -> set[str]:
    """The units that a run has records of, in its parts or in one file."""
    ids = {part.stem for kind in MEASURED for part in (run / kind).glob("*.parquet")}
    for kind in MEASURED:
        if (run / f"{kind}.parquet").exists():
            ids |= set(read_sealed(run / f"{kind}.parquet", None, ["unit"])["unit"].to_pylist())
    return ids


def mark(run: Path) -> set[str]:
    """Mark the records of all units done so far, where no score looks. Returns the units."""
    ids = set()
    for kind, (column, value) in MARKS.items():
        for part in (run / kind).glob("*.parquet"):
            rows = read_sealed(part, f"{kind} of unit {part.stem}")
            place, field = rows.schema.get_field_index(column), rows.schema.field(column)
            rows = rows.set_column(place, field, pa.array([value] * len(rows), field.type))
            write_sealed(part, rows, f"{kind} of unit {part.stem}")
            ids.add(part.stem)
    return ids


def marked(run: Path) -> set[str]:
    """Of a finished run, the units that were marked and not measured again."""
    ids = set()
    measured = [kind for kind in MARKS if (run / f"{kind}.parquet").exists()]
    for kind, (column, value) in ((kind, MARKS[kind]) for kind in measured):
        rows = read_sealed(run / f"{kind}.parquet", None, ["unit", column]).to_pandas()
        ids |= set(rows.loc[rows[column] == value, "unit"])
    return ids


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
