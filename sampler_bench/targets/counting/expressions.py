"""Regular expressions over digits: read by Python's own parser, kept as a tree of few kinds of nodes.

Flags, captures and whether repetition is greedy make no difference to which strings of digits match as a
whole, so nothing is kept of them.
"""

import re
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from re import _constants as sre  # pyright: ignore[reportAttributeAccessIssue]  Python keeps it to itself
from re import _parser  # pyright: ignore[reportAttributeAccessIssue]  this, too
from typing import Any, TypeVar

from sampler_bench.errors import InputError
from sampler_bench.targets.base import DIGITS

MAX_LENGTH = 100_000  # characters of an expression
MAX_DEPTH = 100  # of brackets in one another

Made = TypeVar("Made")


# Nodes are compared by identity; Nodes.make gives one object for all that are equal.
@dataclass(frozen=True, eq=False)
class Node:
    """A part of an expression."""


@dataclass(frozen=True, eq=False)
class Empty(Node):
    """Matches the empty string."""


@dataclass(frozen=True, eq=False)
class Digit(Node):
    """Matches one of ``allowed``."""

    allowed: frozenset[str]


@dataclass(frozen=True, eq=False)
class Pair(Node):
    """Matches ``first``, then ``second``; a longer sequence is a pair of its head and all the rest."""

    first: Node
    second: Node


@dataclass(frozen=True, eq=False)
class Choice(Node):
    """Matches any of ``options``."""

    options: tuple[Node, ...]


@dataclass(frozen=True, eq=False)
class Repeat(Node):
    """Matches ``item`` at least ``least`` and at most ``most`` times in a row (None: without limit)."""

    item: Node
    least: int
    most: int | None


@dataclass(frozen=True, eq=False)
class Ahead(Node):
    """Matches the empty string where ``item`` matches what follows; unless ``wanted``, where it does not."""

    item: Node
    wanted: bool


@dataclass(frozen=True, eq=False)
class Behind(Node):
    """As Ahead, of the ``width`` digits before; ``index`` numbers the look-behinds, inner before outer."""

    index: int
    wanted: bool


@dataclass(frozen=True, eq=False)
class Edge(Node):
    """Matches the empty string at the ``start``, the ``end``, ``either``, or ``neither``."""

    place: str


EDGES = {
    sre.AT_BEGINNING: "start",
    sre.AT_BEGINNING_STRING: "start",
    sre.AT_END: "end",
    sre.AT_END_STRING: "end",
    # Digits are word characters: words end where the string does.
    sre.AT_BOUNDARY: "either",
    sre.AT_NON_BOUNDARY: "neither",
}
CATEGORIES = {
    sre.CATEGORY_DIGIT: True,
    sre.CATEGORY_NOT_DIGIT: False,
    sre.CATEGORY_WORD: True,
    sre.CATEGORY_NOT_WORD: False,
    sre.CATEGORY_SPACE: False,
    sre.CATEGORY_NOT_SPACE: True,
}
REFUSED = {
    sre.GROUPREF: "a backreference",
    sre.GROUPREF_EXISTS: "a conditional group",
    sre.ATOMIC_GROUP: "an atomic group",
    sre.POSSESSIVE_REPEAT: "a possessive quantifier",
}


class Nodes:
    """Makes nodes, equal ones once."""

    def __init__(self):
        self._made: dict[tuple, Any] = {}  # by kind and parts

    def make(self, kind: Callable[..., Made], *parts: object) -> Made:
        key = (kind, *parts)
        if key not in self._made:
            self._made[key] = kind(*parts)
        return self._made[key]


class Expression:
    """An expression as it reads strings of at most ``digits`` digits.

    Attributes
    ----------
    root : Node
    behinds : list of (Node, int)
        What each look-behind matches, and its width.
    alike : list of str
        Digits that the expression cannot tell apart, as in ["0", "1", "23456789"].

    Raises
    ------
    InputError
        If ``re`` does not take the expression, or it holds one of REFUSED.
    """

    def __init__(self, pattern: str, digits: int):
        self.nodes = Nodes()
        self.behinds: list[tuple[Node, int]] = []
        self._digits = digits
        self._sets: set[frozenset[str]] = set()
        self.root = self._sequence(_parse(pattern), depth=0)
        kinds: dict[tuple[bool, ...], str] = {}
        for digit in DIGITS:
            kind = tuple(digit in allowed for allowed in self._sets)
            kinds[kind] = kinds.get(kind, "") + digit
        self.alike = list(kinds.values())

    def _sequence(self, parsed: Iterable, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise InputError(f"brackets stand in one another more than {MAX_DEPTH} deep")
        nodes = [self._node(operator, argument, depth + 1) for operator, argument in parsed]
        if not nodes:
            return self.nodes.make(Empty)
        sequence = nodes.pop()
        while nodes:
            sequence = self.nodes.make(Pair, nodes.pop(), sequence)
        return sequence

    def _node(self, operator, argument, depth: int) -> Node:
        if operator in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
            allowed = frozenset(digit for digit in DIGITS if _allows(operator, argument, ord(digit)))
            self._sets.add(allowed)
            return self.nodes.make(Digit, allowed)
        if operator is sre.FAILURE:  # (?!)
            return self.nodes.make(Choice, ())
        if operator is sre.AT:
            return self.nodes.make(Edge, EDGES[argument])
        if operator is sre.SUBPATTERN:
            return self._sequence(argument[-1], depth)
        if operator is sre.BRANCH:
            return self.nodes.make(Choice, tuple(self._sequence(option, depth) for option in argument[1]))
        if operator in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            least, most, item = argument
            return self._repeat(self._sequence(item, depth), least, most)
        if operator in (sre.ASSERT, sre.ASSERT_NOT):
            direction, item = argument
            return self._look(operator is sre.ASSERT, direction, item, depth)
        raise InputError(f"{REFUSED.get(operator, operator)} cannot be counted; write it without")

    def _repeat(self, item: Node, least: int, most: int) -> Node:
        """``item`` repeated, with bounds that make no difference to so few digits left out.

        At most ``digits`` repetitions consume something. Others match the empty string where they stand, and
        do so once or many times: more of them can be put in, and all but one taken out.
        """
        least = 0 if can_be_empty(item) else min(least, self._digits + 1)
        return self.nodes.make(Repeat, item, least, most if most < self._digits else None)

    def _look(self, wanted: bool, direction: int, item, depth: int) -> Node:
        width = item.getwidth()[0] if direction < 0 else 0
        node = self._sequence(item, depth)
        if width == 0:
            return self.nodes.make(Ahead, node, wanted)
        if width > self._digits:
            return self.nodes.make(Choice, ()) if wanted else self.nodes.make(Empty)
        if (node, width) not in self.behinds:
            self.behinds.append((node, width))
        return self.nodes.make(Behind, self.behinds.index((node, width)), wanted)


def can_be_empty(node: Node) -> bool:
    """Whether the node matches the empty string wherever it stands."""
    while isinstance(node, Pair):
        if not can_be_empty(node.first):
            return False
        node = node.second
    match node:
        case Empty():
            return True
        case Choice(options):
            return any(map(can_be_empty, options))
        case Repeat(_, least, _):
            return least == 0
    return False


def _parse(pattern: str) -> Iterable:
    """The expression as Python's parser reads it, after its compiler has taken it."""
    if len(pattern) > MAX_LENGTH:
        raise InputError(f"it has {len(pattern)} characters, but {MAX_LENGTH} are the most")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of syntax that may mean something else in later versions
        try:
            re.compile(pattern)
            return _parser.parse(pattern)
        except RecursionError as error:
            raise InputError("brackets stand in one another too deep") from error
        except (re.error, ValueError, OverflowError, RuntimeError) as error:
            raise InputError(str(error)) from error


def _allows(operator, argument, code: int) -> bool:
    """Whether a node of the parser that matches one character matches that of the code."""
    match operator:
        case sre.LITERAL:
            return code == argument
        case sre.NOT_LITERAL:
            return code != argument
        case sre.RANGE:
            return argument[0] <= code <= argument[1]
        case sre.CATEGORY:
            return CATEGORIES[argument]
        case sre.IN:
            negated = argument[0][0] is sre.NEGATE
            return negated != any(_allows(part, value, code) for part, value in argument[negated:])
    return True  # ANY
