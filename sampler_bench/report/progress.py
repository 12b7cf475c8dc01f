"""Progress for the person at the terminal: a bar there, plain lines elsewhere, on stderr."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from sampler_bench.report.console import PlainConsole
from sampler_bench.secrets import without_secrets

SECONDS_BETWEEN_LINES = 10
SPEEDS = (("conditionals", "positions"), ("samples", "samples"))  # of which records, and what they are called


class Display:
    """Says what happens. Use as a context manager. ``quiet`` says nothing."""

    def __init__(self, quiet: bool = False):
        self._console = PlainConsole(stderr=True, quiet=quiet)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, ratio=1)),
            TextColumn("{task.fields[speed]}", markup=False, table_column=Column(no_wrap=True)),
            BarColumn(bar_width=8),
            MofNCompleteColumn(),
            console=self._console,
            expand=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, visible=False, speed="")
        self._stage, self._done, self._total, self._before, self._last_line = "", 0, 0, 0, 0.0

    def __enter__(self) -> "Display":
        return self

    def __exit__(self, *_):
        if self._console.is_terminal:  # elsewhere rich would end what it has not shown with an empty line
            self._bar.stop()

    def say(self, line: str) -> None:
        self._console.print(without_secrets(line), soft_wrap=True)

    def begin(self, what: str, done: int, total: int) -> None:
        """Start on the truth, or a model: ``total`` units, of which ``done`` are there already."""
        self._stage, self._done, self._total, self._before = what, done, total, done
        self._started, self._records = time.monotonic(), Counter()
        again = f", {done} done before" if done else ""
        self.say(f"{what}: {total} units{again}")
        if self._console.is_terminal:
            self._bar.start()
        self._bar.reset(self._task, description=what, completed=done, total=total, visible=True)

    def advance(self, what: str, kind: str, records: int) -> None:
        """One more unit is done, with so many records of a kind."""
        self._done += 1
        self._records[kind] += records
        seconds = time.monotonic() - self._started
        speeds = [
            f"{_rate(self._records[kind] / seconds)} {name}/s" for kind, name in SPEEDS if self._records[kind]
        ]
        left = seconds / (self._done - self._before) * (self._total - self._done)
        speed = ", ".join([*speeds, f"{duration(left)} left"])
        self._bar.update(self._task, description=what, speed=speed, completed=self._done)
        late = time.monotonic() - self._last_line > SECONDS_BETWEEN_LINES
        if not self._console.is_terminal and (late or self._done == self._total):
            self._last_line = time.monotonic()
            self.say(f"{self._stage}: {self._done} of {self._total} units  ({what}, {speed})")


def _rate(a_second: float) -> str:
    return f"{a_second:.0f}" if a_second >= 9.5 else f"{a_second:.2g}"


def duration(seconds: float) -> str:
    """To two digits, in a unit that suits: 40 s, 12 min, 2.5 h."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 1.5 * size:
            return f"{_rate(seconds / size)} {unit}"
    return f"{seconds:.0f} s"


@contextmanager
def share_done(what: str, quiet: bool = False) -> Iterator[Callable[[float], None]]:
    """A function to call with the share of the work that is done, from 0 to 1."""
    console = PlainConsole(stderr=True, quiet=quiet)
    said = TextColumn("{task.description}", markup=False)
    columns = (said, BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task, last_line = bar.add_task(what, total=1.0), time.monotonic()

        def report(share: float) -> None:
            nonlocal last_line
            bar.update(task, completed=share)
            if not console.is_terminal and time.monotonic() - last_line > SECONDS_BETWEEN_LINES:
                last_line = time.monotonic()
                console.print(f"{what}: {share:.1%}", soft_wrap=True)

        yield report
