"""Minutes of random input of every kind, seeded: ``python -m tests.fuzz [SEED]``.

Prints what became of it; exit code 1 if anything was answered wrongly, ended in a traceback, hung,
or wrote where it must not.
"""

import sys
import time
from collections.abc import Mapping

from tests.fuzz.command_lines import check_command_lines
from tests.fuzz.flips import check_flips
from tests.fuzz.patterns import check_patterns
from tests.fuzz.task_files import check_task_files

FAULTS = ("wrong", "tracebacks", "hangs", "failures")  # what there must be none of
TRIALS = {check_patterns: 5000, check_task_files: 3000, check_command_lines: 2500, check_flips: 2400}


def main(seed: int) -> int:
    """Run all checks; 1 if one of them found a fault."""
    faults = []
    for check, trials in TRIALS.items():
        name, started = check.__name__.removeprefix("check_").replace("_", " "), time.monotonic()
        print(f"{name}: {trials} random ones, seed {seed}", flush=True)
        figures = check(seed, trials)
        for line in _lines(figures):
            print(f"    {line}")
        print(f"    in {time.monotonic() - started:.0f} s", flush=True)
        faults += _faults(figures)
    print(f"{len(faults)} kinds of fault found" if faults else "no fault found")
    return int(bool(faults))


def _lines(figures: Mapping) -> list[str]:
    """A line a figure; figures of several kinds of file have a line a kind."""
    return [
        f"{key}: {', '.join(_lines(value)) if isinstance(value, Mapping) else value}"
        for key, value in figures.items()
    ]


def _faults(figures: Mapping) -> list[str]:
    """The names of the figures that say of a fault."""
    inner = [fault for value in figures.values() if isinstance(value, Mapping) for fault in _faults(value)]
    return inner + [key for key in FAULTS if figures.get(key)]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else int(time.time())))
