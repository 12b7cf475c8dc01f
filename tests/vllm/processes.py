"""Processes below a process, by /proc."""

from pathlib import Path


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


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
