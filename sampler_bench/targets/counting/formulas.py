"""What may be left to match, as a formula: alternatives, each with conditions that look-around sets."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from sampler_bench.errors import InputError
from sampler_bench.targets.counting.expressions import Node

MAX_WORK = 5_000_000  # about a microsecond each, some hundred MB


@dataclass(frozen=True, eq=False)
class Rest:
    """What is left to match: ``item``, then ``after`` (None: nothing more)."""

    item: Node
    after: "Rest | None"


class Way(NamedTuple):
    """``rest`` matches, all formulas of ``wanted`` hold, and ``unwanted`` does not."""

    rest: Rest | None
    wanted: frozenset["Formula"]
    unwanted: "Formula"


Formula = frozenset[Way]  # holds if any of its ways does
NEVER: Formula = frozenset()
ALWAYS: Formula = frozenset({Way(None, frozenset(), NEVER)})


def _contains(other: Way, way: Way) -> bool:
    """Whether ``other`` holds wherever ``way`` does, and is another."""
    return (
        other.rest in (way.rest, None)
        and other.wanted <= way.wanted
        and other.unwanted <= way.unwanted
        and other != way
    )


def holds(formula: Formula) -> Formula:
    """The condition that a formula holds."""
    return formula if formula in (ALWAYS, NEVER) else frozenset({Way(None, frozenset({formula}), NEVER)})


def fails(formula: Formula) -> Formula:
    """The condition that a formula does not hold."""
    if formula in (ALWAYS, NEVER):
        return NEVER if formula == ALWAYS else ALWAYS
    return frozenset({Way(None, frozenset(), formula)})


class Formulas:
    """Joins formulas, and counts the steps that this takes.

    Raises
    ------
    InputError
        After MAX_WORK steps.
    """

    def __init__(self):
        self.work = 0

    def either(self, formulas: Iterable[Formula]) -> Formula:
        """Holds where one of the formulas does."""
        ways = frozenset().union(*formulas)
        self.spend(1 + len(ways))
        if ways >= ALWAYS:
            return ALWAYS
        bound = [way for way in ways if way.wanted or way.unwanted]
        self.spend(len(bound) * len(ways))
        return ways - {way for way in bound if any(_contains(other, way) for other in ways)}

    def both(self, condition: Formula, formula: Formula) -> Formula:
        """Holds where both do; the first is one of conditions only, without a rest."""
        if condition == ALWAYS:
            return formula
        ways = (self._join(one, other) for one in condition for other in formula)
        return self.either([frozenset(way for way in ways if way is not None)])

    def _join(self, condition: Way, way: Way) -> Way | None:
        wanted = condition.wanted | way.wanted
        self.spend(1 + len(wanted))
        unwanted = self.either([condition.unwanted, way.unwanted])
        contradiction = unwanted == ALWAYS or any(each <= unwanted for each in wanted)
        return None if contradiction else Way(way.rest, wanted, unwanted)

    def spend(self, work: int) -> None:
        self.work += work
        if self.work > MAX_WORK:
            raise InputError(f"more than {MAX_WORK} steps are needed to make an automaton of it")
