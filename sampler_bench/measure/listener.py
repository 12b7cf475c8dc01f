"""Who is told how a benchmark goes: the display of the command line, or whoever else wants to know."""

from typing import Protocol


class Listener(Protocol):
    """What happens, as it happens. All is told by the thread that runs the benchmark."""

    def say(self, line: str) -> None:
        """Something that a person should know, in a sentence."""

    def begin(self, what: str, done: int, total: int) -> None:
        """A stage of ``total`` units begins, ``done`` of which are there already: the truth, or a model."""

    def advance(self, what: str, kind: str, records: int) -> None:
        """One more unit is done, with so many records of a kind."""


class Silence:
    """A listener that keeps it to itself."""

    def say(self, line: str) -> None: ...

    def begin(self, what: str, done: int, total: int) -> None: ...

    def advance(self, what: str, kind: str, records: int) -> None: ...
