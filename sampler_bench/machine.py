"""What of this machine a process may use: cores and memory, where a container has fewer than there are."""

import math
import os
import sys
from collections.abc import Iterator
from pathlib import Path

MEMBERSHIP, GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
MEMORY = Path("/proc/meminfo")


def affinity() -> list[int]:
    """The numbers of the cores that this process may run on."""
    return sorted(os.sched_getaffinity(0))


def cores() -> int:
    """As many as this process may keep busy: those it may run on, or what its quota of time is worth."""
    return max(1, min([len(affinity()), *map(math.ceil, _quotas())]))


def free_memory() -> int:
    """Bytes that can be had: of the machine's memory, and of what is granted to this process's groups."""
    return max(0, min([_available(), *_left_in_groups()]))


def _available() -> int:
    for line in MEMORY.read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def _quotas() -> Iterator[float]:
    """Cores' worth of time that control groups grant."""
    for group in _groups("cpu"):
        both = _read(group / "cpu.max") or (
            _read(group / "cpu.cfs_quota_us") + _read(group / "cpu.cfs_period_us")
        )
        if len(both) == 2 and both[0].isdigit() and int(both[0]) > 0:
            yield int(both[0]) / int(both[1])


def _left_in_groups() -> Iterator[int]:
    """Bytes left of what control groups grant; pages of files that can be given up count as left."""
    for group in _groups("memory"):
        limit = _read(group / "memory.max") or _read(group / "memory.limit_in_bytes")
        used = _read(group / "memory.current") or _read(group / "memory.usage_in_bytes")
        if limit and used and limit[0].isdigit():
            stat = _read(group / "memory.stat")
            pages = dict(zip(stat[::2], stat[1::2], strict=False))
            files = pages.get("total_inactive_file") or pages.get("inactive_file", "0")
            yield int(limit[0]) - int(used[0]) + int(files)


def _groups(controller: str) -> Iterator[Path]:
    """The folders of the control groups that this process is in, and those above them."""
    try:
        lines = MEMBERSHIP.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = GROUPS / controller if controllers else GROUPS
        group = root / path.lstrip("/")
        yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(root))


def _read(path: Path) -> list[str]:
    """The words of a file; none if it cannot be read, as where a group sets no bounds."""
    try:
        return path.read_text().split()
    except OSError:
        return []


def quiet_transformers() -> None:
    """Before transformers is imported: it says nothing but errors, and shows no bars of its own.

    Where there is no GPU to compile for, torch is kept from loading Triton, which complains when Python ends.
    """
    import torch

    if not torch.cuda.is_available():
        sys.modules.setdefault("triton", None)  # pyright: ignore[reportArgumentType]  as if it were not there
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
