"""Progress for the person at the terminal: a bar there, plain lines elsewhere, on stderr."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column

SECONDS_BETWEEN_LINES = 10
SPEEDS = (("conditionals", "positions"), ("samples", "samples"))  # of which records, and what they are called


class Display:
    """Says what happens. Use as a context manager. ``quiet`` says nothing."""

    def __init__(self, quiet: bool = False):
        self._console = Console(stderr=True, quiet=quiet, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
            TextColumn("{task.fields[speed]}"),
            BarColumn(bar_width=8),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            console=self._console,
            expand=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None, visible=False, speed="")
        self._model, self._done, self._total, self._last_line = "", 0, 0, 0.0

    def __enter__(self) -> "Display":
        self._bar.start()
        return self

    def __exit__(self, *_):
        self._bar.stop()

    def say(self, line: str) -> None:
        self._console.print(line, markup=False, soft_wrap=True)

    def begin(self, model: str, done: int, total: int) -> None:
        """Start on a model: ``total`` units, of which ``done`` are there already."""
        self._model, self._done, self._total = model, done, total
        self._started, self._records = time.monotonic(), Counter()
        again = f", {done} done before" if done else ""
        self.say(f"{model}: {total} units{again}")
        self._bar.reset(self._task, description=model, completed=done, total=total, visible=True)

    def advance(self, what: str, kind: str, records: int) -> None:
        """One more unit is done, with so many records of a kind."""
        self._done += 1
        self._records[kind] += records
        seconds = time.monotonic() - self._started
        speeds = [
            f"{self._records[kind] / seconds:.0f} {name}/s" for kind, name in SPEEDS if self._records[kind]
        ]
        speed = ", ".join(speeds)
        self._bar.update(self._task, description=what, speed=speed, completed=self._done)
        late = time.monotonic() - self._last_line > SECONDS_BETWEEN_LINES
        if not self._console.is_terminal and (late or self._done == self._total):
            self._last_line = time.monotonic()
            self.say(f"{self._model}: {self._done} of {self._total} units  ({what}, {speed})")


@contextmanager
def share_done(what: str, quiet: bool = False) -> Iterator[Callable[[float], None]]:
    """A function to call with the share of the work that is done, from 0 to 1."""
    console = Console(stderr=True, quiet=quiet, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task, last_line = bar.add_task(what, total=1.0), time.monotonic()

        def report(share: float) -> None:
            nonlocal last_line
            bar.update(task, completed=share)
            if not console.is_terminal and time.monotonic() - last_line > SECONDS_BETWEEN_LINES:
                last_line = time.monotonic()
                console.print(f"{what}: {share:.1%}", markup=False, soft_wrap=True)

        yield report
