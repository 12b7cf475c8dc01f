"""KL(P || U) of a mixture, in nats: exact where prefixes can be gone through, else from draws, with an error.

By the chain rule I is the sum, over all prefixes u, of P(u) times the divergence of the next digit after u
from uniform digits. Prefixes are gone through length by length, those that go on alike together, until what
is left is known in closed form: where numbers of one component alone are left, above all.
"""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sampler_bench.targets.base import DIGITS, END, Target
from sampler_bench.targets.counting.estimated import EstimatedTarget
from sampler_bench.targets.uniform import UniformTarget

ALL_NUMBERS = 1e-9  # nats: a component with no more to tell holds all numbers that are left
# So much is done that seconds suffice, half a minute where a step takes seconds.
VISITED = 20_000  # prefixes that are gone through, with each component once
ESTIMATED, SLOW = 10, 1500  # of these, what one costs whose completions are estimated; one of a slow length
LISTED = 10_000  # members of a component that are gone through
DRAWS = 2000  # of a component that is too large
DRAWN_SLOWLY = 10**6  # over the square of the digits, no more draws than this: long primes are found slowly
WALKED, SLOW_WALKED = 300, 8  # draws of the mixture that conditionals are walked along; where that is slow


@dataclass(frozen=True)
class Information:
    """I and its standard error, nats; 0 where it is exact."""

    value: float
    error: float = 0.0


@dataclass(frozen=True)
class Part:
    """A component that is itself no mixture, with its share of the whole."""

    share: float
    target: Target


Masses = dict[int, float]  # by number of the part: ln of its share of the prefixes taken together


def information_of_parts(parts: Sequence[Part], whole: Target) -> Information:
    """Of the mixture ``whole`` of the parts: exact if ``VISITED`` prefixes suffice, else from draws.

    The draws have a fixed seed.
    """
    alike = _all_alike("", parts)
    value = _of_one_and_lists(parts) if alike else None
    value = _walked(parts) if value is None else value
    if value is not None:
        found = Information(value)
    else:
        found = _of_draws(parts) if alike else _along_draws(parts, whole)
    of_parts = math.fsum(part.share * part.target.information_error for part in parts)
    return Information(max(found.value, 0.0), math.hypot(found.error, of_parts))


def information_of_list(members: Iterable[tuple[str, float]]) -> float:
    """From all members and their probabilities, by the chain rule."""
    starts: dict[str, float] = defaultdict(float)
    for number, p in members:
        for length in range(len(number) + 1):
            starts[number[:length]] += p
    laws = ((prefix, [starts.get(prefix + digit, 0.0) for digit in DIGITS]) for prefix in list(starts))
    return math.fsum(_divergence(prefix, np.array(law)) for prefix, law in laws)


def _walked(parts: Sequence[Part]) -> float | None:
    """The sum over prefixes; None if there are too many."""
    terms: list[float] = []
    level: dict[Hashable, tuple[str, Masses]] = {
        "": ("", {index: math.log(part.share) for index, part in enumerate(parts)})
    }
    effort = 0
    while level:
        effort += sum(_effort(prefix, parts, masses) for prefix, masses in level.values())
        if effort > VISITED:
            return None
        longer: dict[Hashable, tuple[str, Masses]] = {}
        for prefix, masses in level.values():
            known = _below(prefix, parts, masses)
            terms.append(_step(prefix, parts, masses, longer) if known is None else known)
        level = longer
    return math.fsum(terms)


def _effort(prefix: str, parts: Sequence[Part], masses: Masses) -> int:
    return sum(_cost(parts[index].target, len(prefix)) for index in masses)


def _cost(target: Target, length: int) -> int:
    if length in target.slow_lengths:
        return SLOW
    return ESTIMATED if isinstance(target, EstimatedTarget) and not target.counted else 1


def _step(
    prefix: str, parts: Sequence[Part], masses: Masses, longer: dict[Hashable, tuple[str, Masses]]
) -> float:
    """The term of a prefix, whose continuations are added to ``longer``, those that go on alike together."""
    total = np.logaddexp.reduce(list(masses.values()))
    laws = {index: parts[index].target.conditional(prefix).p[:END] for index in masses}
    shares = (math.exp(mass - total) * laws[index] for index, mass in masses.items())
    law = sum(shares, start=np.zeros(END))
    for place, digit in enumerate(DIGITS):
        further = {index: mass + math.log(laws[index][place]) for index, mass in masses.items()
                   if laws[index][place]}  # fmt: skip
        if further:
            number = prefix + digit
            state = tuple((index, parts[index].target.state(number)) for index in further)
            first, alike = longer.get(state, (number, {}))
            together = {
                index: float(np.logaddexp(mass, alike.get(index, -math.inf)))
                for index, mass in further.items()
            }
            longer[state] = first, together
    return math.exp(total) * _divergence(prefix, law)


def _below(prefix: str, parts: Sequence[Part], masses: Masses) -> float | None:
    """What a prefix and all that go on from it add to the sum, in closed form; None where there is none.

    There is one where all components left are uniform over numbers of one length, and all but one hold
    every number that is left.
    """
    if not _all_alike(prefix, [parts[index] for index in masses]):
        return None
    left = {index: _left(prefix, parts[index].target) for index in masses}
    narrow = [index for index in masses if left[index] > ALL_NUMBERS]
    if len(narrow) > 1:
        return None
    total = np.logaddexp.reduce(list(masses.values()))
    wide = [mass - total for index, mass in masses.items() if index not in narrow]
    one = [(masses[index] - total, left[index]) for index in narrow]
    return math.exp(total) * _of_one(float(np.logaddexp.reduce([-math.inf, *wide])), *one)


def _of_one(log_wide: float, one: tuple[float, float] = (-math.inf, 0.0)) -> float:
    """Of all numbers, with a share W, and a set among them, with a share C: ln W; and ln C and I of the set.

    The set holds a share exp(-I) of the numbers, and P / U is W + C exp(I) on those and W elsewhere.
    """
    log_one, tells = one
    on_it = float(np.logaddexp(log_wide, log_one + tells))
    value = math.exp(log_one) * on_it if log_one > -math.inf else 0.0
    if log_wide > -math.inf:
        value += math.exp(log_wide) * (-math.expm1(-tells) * log_wide + math.exp(-tells) * on_it)
    return value


def _all_alike(prefix: str, parts: Sequence[Part]) -> bool:
    """Whether all are uniform over numbers of one length, after whose prefix any digit may follow."""
    alike = all(isinstance(part.target, UniformTarget) and part.target.fixed for part in parts)
    if not alike or len({part.target.digits for part in parts}) > 1:
        return False
    return prefix != "" or not any(part.target.log_probability("0").value > -math.inf for part in parts)


def _left(prefix: str, target: Target) -> float:
    """ln of all numbers that go on from the prefix over those of a set of numbers of one length, nats."""
    if not prefix:
        return target.information()
    if len(prefix) == target.digits:
        return 0.0
    log_ratio = target.log_probability(prefix).value + math.log(9) + (len(prefix) - 1) * math.log(10)
    return max(target.information() - log_ratio, 0.0)


def _of_one_and_lists(parts: Sequence[Part]) -> float | None:
    """Of parts alike and of one length, all but one of which hold all numbers or can be listed; else None.

    The closed form without the lists, and U times what they add to P / U ln(P / U) at each of their members.
    """
    wide, narrow = _by_width(parts)
    large = [(part, own) for part, own in narrow if (part.target.count("") or LISTED + 1) > LISTED]
    if len(large) > 1:
        return None
    one = [(math.log(part.share), own) for part, own in large]
    listed: dict[str, list[float]] = defaultdict(list)
    for part, own in narrow:
        if (part, own) not in large:
            for rank in range(part.target.count("") or 0):
                listed[part.target.nth_member(rank)[0]].append(math.log(part.share) + own)
    digits = parts[0].target.digits
    log_all = math.log(9) + (digits - 1) * math.log(10)

    def term(log_ratio: float) -> float:
        return math.exp(log_ratio - log_all) * log_ratio if log_ratio > -math.inf else 0.0

    terms = [_of_one(wide, *one)]
    for number, logs in listed.items():
        without = [wide, *(log + own for (log, own), (part, _) in zip(one, large, strict=True)
                           if part.target.contains(number))]  # fmt: skip
        terms += [term(float(np.logaddexp.reduce([*without, *logs]))), -term(np.logaddexp.reduce(without))]
    return math.fsum(terms)


def _by_width(parts: Sequence[Part]) -> tuple[float, list[tuple[Part, float]]]:
    """ln of the share of those that hold all numbers of their length; the others, each with its I."""
    known = [(part, part.target.information()) for part in parts]
    wide = math.fsum(part.share for part, own in known if own <= ALL_NUMBERS)
    return math.log(wide) if wide else -math.inf, [each for each in known if each[1] > ALL_NUMBERS]


def _of_draws(parts: Sequence[Part]) -> Information:
    """Of parts alike and of one length, from draws of each: which others hold them?

    With I a part's own information, P(x) / U(x) is the sum of w exp(I) over the parts that hold x.
    """
    log_wide, narrow = _by_width(parts)
    wide = math.exp(log_wide)

    def value(part: Part, own: float, holders: Sequence[tuple[Part, float]]) -> float:
        ratio = float(np.logaddexp.reduce([log_wide, *(math.log(each.share) + i for each, i in holders)]))
        # Drawn from all numbers, one of this part is met with probability exp(-I).
        among_all = wide * math.exp(-own) * (ratio - log_wide) / len(holders) if wide else 0.0
        return part.share * ratio + among_all

    found = [Information(wide * log_wide if wide else 0.0)]
    for part, own in narrow:
        numbers = part.target.sample(_affordable(part.target.digits), np.random.default_rng(0))
        values = [
            value(part, own, [each for each in narrow if each[0] is part or each[0].target.contains(number)])
            for number in numbers
        ]
        ends = [value(part, own, [(part, own)]), value(part, own, narrow)]
        found.append(Information(float(np.mean(values)), _standard_error(values, ends)))
    return _sum(found)


def _affordable(digits: int) -> int:
    """Draws of numbers of so many digits."""
    return max(2, min(DRAWS, DRAWN_SLOWLY // digits**2))


def _along_draws(parts: Sequence[Part], whole: Target) -> Information:
    """The mean of the divergences met along numbers, drawn of each part in proportion to its share."""
    most = SLOW_WALKED if whole.slow_lengths else WALKED
    rng = np.random.default_rng(0)
    drawn = [part.target.sample(max(2, round(most * part.share)), rng) for part in parts]
    prefixes = sorted({number[:k] for numbers in drawn for number in numbers for k in range(len(number) + 1)})
    terms = {prefix: _divergence(prefix, whole.conditional(prefix).p[:END]) for prefix in prefixes}
    found = []
    for part, numbers in zip(parts, drawn, strict=True):
        values = [math.fsum(terms[number[:k]] for k in range(len(number) + 1)) for number in numbers]
        mean = float(np.mean(values))
        error = _standard_error(values, [mean - 0.5, mean + 0.5])
        found.append(Information(part.share * mean, part.share * error))
    return _sum(found)


def _sum(parts: Sequence[Information]) -> Information:
    return Information(math.fsum(part.value for part in parts), math.hypot(*(part.error for part in parts)))


def _standard_error(values: Sequence[float], ends: Sequence[float]) -> float:
    """Of the mean of draws, as if two more lay at the ends: that draws agree proves nothing of the rest."""
    return float(np.std([*values, *ends], ddof=1) / math.sqrt(len(values)))


def _divergence(prefix: str, law: np.ndarray) -> float:
    """Sum of p ln(p~ / U) over the digits, p~ being p divided by its sum: P(digit) KL(p~ || U)."""
    p = law[law > 0]
    choices = 9 if prefix == "" and law[0] == 0 else 10
    return float(p @ np.log(p / p.sum() * choices)) if len(p) else 0.0
