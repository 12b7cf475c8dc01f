"""From a regular expression to a deterministic automaton, by derivatives.

What is left to match is a Formula. Reading a digit turns it into that of what is left then (Antimirov,
"Partial derivatives of regular expressions", 1996; with conditions, as in alternating automata). Formulas are
sets, in sets, of finitely many rests, so there are finitely many; the states of the automaton are formulas.

A look-behind of width w holds where its expression, begun w digits before, has come to its end. So it is
begun at every digit, and what has become of its last w beginnings is part of the state.
"""

from typing import NamedTuple

from sampler_bench.errors import InputError
from sampler_bench.targets.counting.expressions import (
    Ahead,
    Behind,
    Choice,
    Digit,
    Edge,
    Empty,
    Expression,
    Node,
    Pair,
    Repeat,
)
from sampler_bench.targets.counting.formulas import ALWAYS, NEVER, Formula, Formulas, Rest, Way, fails, holds

MAX_STATES = 50_000


class State(NamedTuple):
    """Where a number stands after some digits.

    ``tried[i][k]`` is what is left of look-behind i if begun k + 1 digits before.
    """

    first: bool
    formula: Formula
    tried: tuple[tuple[Formula, ...], ...]


def compile_pattern(pattern: str, digits: int, max_states: int) -> tuple[list[list[int | None]], list[bool]]:
    """The automaton of the ``digits``-digit numbers that ``re.fullmatch`` matches to the pattern.

    Returns
    -------
    arrows : list of lists of 10
        Where each state goes with each digit, None where no number goes on so. State 0 is the start.
        States that only ``digits`` digits lead to go nowhere.
    accepting : list of bool

    Raises
    ------
    InputError
        If the expression is refused, or needs more than ``max_states`` states or too much work.
    """
    compiler = Compiler(pattern, digits)
    max_states = min(max_states, MAX_STATES)
    states = {compiler.start: 0}
    arrows, newest = [], [compiler.start]
    for _ in range(digits):
        latest, newest = newest, []
        for state in latest:
            row: list[int | None] = [None] * 10
            for alike in compiler.expression.alike:
                following = compiler.follow(state, alike[0])
                if following is None:
                    continue
                if following not in states:
                    states[following] = len(states)
                    newest.append(following)
                    if len(states) > max_states:
                        raise InputError(
                            f"it needs an automaton of more than {max_states} states for {digits} digits"
                        )
                for digit in alike:
                    row[int(digit)] = states[following]
            arrows.append(row)
    arrows += [[None] * 10 for _ in newest]
    return arrows, [compiler.accepts(state) for state in states]


class Compiler:
    """Makes the states of an automaton, one from another."""

    def __init__(self, pattern: str, digits: int):
        self.expression = Expression(pattern, digits)
        self.formulas = Formulas()
        nodes = self.expression.nodes
        whole = nodes.make(Pair, self.expression.root, nodes.make(Edge, "end"))
        self.start = State(
            first=True,
            formula=frozenset({Way(self.rest(whole, None), frozenset(), NEVER)}),
            tried=tuple((NEVER,) * width for _, width in self.expression.behinds),
        )
        self._moments: dict[tuple, Moment] = {}

    def follow(self, state: State, digit: str) -> State | None:
        """The state after one more digit; None if nothing can match any more."""
        moment = self._moment(state, digit)
        formula = moment.advance(state.formula)
        if formula == NEVER:
            return None
        tried = tuple(
            (moment.step(self.rest(item, None)), *map(moment.advance, attempts[:-1]))
            for (item, _), attempts in zip(self.expression.behinds, state.tried, strict=True)
        )
        return State(False, formula, tried)

    def accepts(self, state: State) -> bool:
        """Whether a number that ends here matches."""
        return self._moment(state, None).advance(state.formula) == ALWAYS

    def rest(self, item: Node, after: Rest | None) -> Rest | None:
        return after if isinstance(item, Empty) else self.expression.nodes.make(Rest, item, after)

    def repeat(self, item: Node, least: int, most: int | None, after: Rest | None) -> Rest | None:
        """What is left if an item can still be repeated, with bounds moved by repetitions already made."""
        if most == 0:
            return after
        return self.rest(self.expression.nodes.make(Repeat, item, max(least, 0), most), after)

    def _moment(self, state: State, digit: str | None) -> "Moment":
        key = (digit, state.first, tuple(attempts[-1] for attempts in state.tried))
        if key not in self._moments:
            self._moments[key] = Moment(self, *key)
        return self._moments[key]


class Moment:
    """A place in a number: the digit that comes next there (None: the end), and all that lies before.

    ``first`` says whether nothing does, ``behind`` what is left of each look-behind. Formulas about what
    follows this place are turned into formulas about what follows the digit.
    """

    def __init__(self, compiler: Compiler, digit: str | None, first: bool, behind: tuple[Formula, ...]):
        self.compiler, self.formulas = compiler, compiler.formulas
        self.digit, self.behind = digit, behind
        self.edges = {"start": first, "end": digit is None}
        self.edges["either"] = first or digit is None
        self.edges["neither"] = not self.edges["either"]
        self._known: dict[tuple, Formula] = {}

    def advance(self, formula: Formula) -> Formula:
        return self._once(self._advance, formula)

    def step(self, rest: Rest | None) -> Formula:
        """What must follow the digit so that the rest matches."""
        return self._once(self._step, rest)

    def consume(self, node: Node, after: Rest | None) -> Formula:
        """What must follow so that the node matches the digit and perhaps more, then ``after``."""
        return self._once(self._consume, node, after)

    def empty(self, node: Node) -> Formula:
        """What must follow so that the node matches the empty string here: conditions only."""
        return self._once(self._empty, node)

    def _once(self, method, *arguments) -> Formula:
        key = (method.__name__, *arguments)
        known = self._known.get(key)
        self.formulas.spend(1 if known is not None else 5)
        if known is None:
            known = self._known[key] = method(*arguments)
        return known

    def _advance(self, formula: Formula) -> Formula:
        ways = []
        for way in formula:
            left = self.step(way.rest)
            for wanted in way.wanted:
                left = self.formulas.both(holds(self.advance(wanted)), left)
            if way.unwanted:
                left = self.formulas.both(fails(self.advance(way.unwanted)), left)
            ways.append(left)
        return self.formulas.either(ways)

    def _step(self, rest: Rest | None) -> Formula:
        if rest is None:
            return ALWAYS
        skipped = self.empty(rest.item)
        left = [self.consume(rest.item, rest.after)]
        if skipped != NEVER:
            left.append(self.formulas.both(skipped, self.step(rest.after)))
        return self.formulas.either(left)

    def _consume(self, node: Node, after: Rest | None) -> Formula:
        match node:
            case Digit(allowed):
                return frozenset({Way(after, frozenset(), NEVER)}) if self.digit in allowed else NEVER
            case Pair():
                return self._consume_sequence(node, after)
            case Choice(options):
                return self.formulas.either([self.consume(option, after) for option in options])
            case Repeat(item, least, most):
                return self._consume_repeat(item, least, most, after)
        return NEVER

    def _consume_sequence(self, node: Node, after: Rest | None) -> Formula:
        left, skipped = [], ALWAYS
        while isinstance(node, Pair) and skipped != NEVER:
            following = self.compiler.rest(node.second, after)
            left.append(self.formulas.both(skipped, self.consume(node.first, following)))
            skipped = self.formulas.both(skipped, self.empty(node.first))
            node = node.second
        if skipped != NEVER:
            left.append(self.formulas.both(skipped, self.consume(node, after)))
        return self.formulas.either(left)

    def _consume_repeat(self, item: Node, least: int, most: int | None, after: Rest | None) -> Formula:
        """Either the first repetition consumes the digit, or one is empty and so are all that must be made.

        Empty repetitions change nothing, so they come first and stand for as many as ``least`` demands.
        """
        if most == 0:
            return NEVER
        fewer = None if most is None else most - 1
        left = [self.consume(item, self.compiler.repeat(item, least - 1, fewer, after))]
        if least > 1 and fewer != 0 and (skipped := self.empty(item)) != NEVER:
            fewest = None if fewer is None else fewer - 1
            following = self.compiler.repeat(item, 0, fewest, after)
            left.append(self.formulas.both(skipped, self.consume(item, following)))
        return self.formulas.either(left)

    def _empty(self, node: Node) -> Formula:
        conditions = ALWAYS
        while isinstance(node, Pair) and conditions != NEVER:
            conditions = self.formulas.both(conditions, self.empty(node.first))
            node = node.second
        return self.formulas.both(conditions, self._empty_single(node))

    def _empty_single(self, node: Node) -> Formula:
        match node:
            case Empty():
                return ALWAYS
            case Edge(place):
                return ALWAYS if self.edges[place] else NEVER
            case Choice(options):
                return self.formulas.either([self.empty(option) for option in options])
            case Repeat(item, least, _):
                return ALWAYS if least == 0 else self.empty(item)
            case Ahead(item, wanted):
                left = self.step(self.compiler.rest(item, None))
            case Behind(index, wanted):
                left = self.advance(self.behind[index])
            case _:
                return NEVER
        return holds(left) if wanted else fails(left)
