"""The laws every target obeys. A new family is right only if these hold for it."""

import math
from collections.abc import Hashable, Sequence

import numpy as np

from sampler_bench.integers import to_int
from sampler_bench.targets.base import DIGITS, END, LISTED, SYMBOLS, Conditional, CountedTarget, Target
from sampler_bench.targets.uniform import UniformTarget

MODULI = (3, 10, 12)
STATES = 8  # digits of the longest prefixes whose states are compared
ROUNDING = 1e-9  # relative, of sums and products over up to a thousand digits


def assert_laws(target: Target, rng: "np.random.Generator", walks: int = 20) -> None:
    """Check the laws along ``walks`` numbers drawn from the target.

    * conditionals sum to 1 and say how they were found; only where they are exact is there no bound;
    * ``log_probability`` is the sum of the logarithms of the conditionals (the chain rule);
    * a drawn number is contained and may end there; if all have one length, it must, and none ends before;
    * of what is contained it is not said why it is not, of anything else it is;
    * a ``CountedTarget`` counts after any prefix;
    * where members are counted, children and the number itself sum to the parent; of a uniform target the
      conditional is their share, and the conditionals of a number multiply to 1 / |S|;
    * if all are counted, every rank has a member of its own, with the probability that conditionals give it;
    * what a family says of residues fits its draws, and is what a list of its members says if they are few;
    * few draws are the beginning of many from the same state of the generator;
    * prefixes of one length with one ``state`` have the same probability and go on alike;
    * a drawn number lives to its end, and one with a digit changed as far as its prefixes have a probability.

    Raises
    ------
    AssertionError
        Naming the law, the target and the prefix.
    """
    _assert_beginnings(target, rng, walks)
    numbers = target.sample(walks, rng)
    _assert_states(target, numbers)
    for number in numbers:
        for k in range(len(number)):
            _assert_node(target, number[:k])
        end = target.conditional(number).p[END]
        assert target.contains(number), f"{target}: drew {number!r}, which it does not contain"
        assert target.why_not(number) is None, (
            f"{target}: {number!r} is a member, but {target.why_not(number)}"
        )
        assert end == 1 if target.fixed else end > 0, f"{target}: goes on after {number!r}"
        _assert_chain_rule(target, number)
        _assert_lives(target, number, rng)
    _assert_residues(target, [*numbers, *target.sample(10, rng)])
    size = target.count("")
    if size is not None:
        members = [target.nth_member(rank) for rank in sorted({0, size // 3, size // 2, size - 1})]
        for number, p in members:
            found = _log_along(target, number) + math.log(target.conditional(number).p[END])
            underflows = p == 0 and found < -700  # below 1e-308
            assert underflows or math.isclose(found, math.log(p), rel_tol=ROUNDING, abs_tol=ROUNDING), (
                f"{target}: member {number} has probability {p}, its conditionals multiply to exp({found})"
            )
        numbers = [number for number, _ in members]
        assert numbers == sorted(set(numbers)), f"{target}: ranks are not in the order of a dictionary"


def _assert_beginnings(target: Target, rng: "np.random.Generator", walks: int) -> None:
    seed = int(rng.integers(2**63))
    many = target.sample(walks, np.random.default_rng(seed))
    for few in {0, 1, walks - 1}:
        drawn = target.sample(few, np.random.default_rng(seed))
        assert drawn == many[:few], f"{target}: {few} draws are not the beginning of {walks}"


def _assert_states(target: Target, numbers: Sequence[str]) -> None:
    known: dict[tuple[int, Hashable], str] = {}
    for prefix in sorted({number[:k] for number in numbers for k in range(min(len(number), STATES) + 1)}):
        other = known.setdefault((len(prefix), target.state(prefix)), prefix)
        if other != prefix:
            ways = [
                (target.log_probability(each).value, *target.conditional(each).p) for each in (prefix, other)
            ]
            assert np.allclose(*ways, rtol=ROUNDING, atol=ROUNDING), (
                f"{target}: {prefix!r} and {other!r} are said to go on alike, and do not"
            )


def _assert_node(target: Target, prefix: str) -> None:
    conditional = target.conditional(prefix)
    assert conditional.p.shape == (SYMBOLS,), f"{target}: conditional({prefix!r}) has a wrong shape"
    assert math.isclose(conditional.p.sum(), 1, rel_tol=ROUNDING), (
        f"{target}: no distribution after {prefix!r}"
    )
    assert not (target.fixed and conditional.p[END]), f"{target}: stops at {prefix!r}"
    exact = conditional.method in ("exact", "exact-tail")
    assert exact == (conditional.bound == 0), f"{target}: wrong label at {prefix!r}"
    total = target.count(prefix)
    if total is None:
        assert not isinstance(target, CountedTarget), f"{target}: does not count after {prefix!r}"
        return
    assert exact, f"{target}: counts members after {prefix!r}, but the conditional is {conditional.method}"
    counts = [target.count(prefix + digit) for digit in DIGITS]
    children = [count for count in counts if count is not None]
    assert len(children) == len(DIGITS), f"{target}: counts members after {prefix!r}, but not digit by digit"
    own = total - sum(children)
    assert own == (conditional.p[END] > 0), f"{target}: children of {prefix!r} do not sum to it"
    assert [child > 0 for child in children] == (conditional.p[:END] > 0).tolist(), (
        f"{target}: the support after {prefix!r} is not that of the counts"
    )
    if isinstance(target, UniformTarget):
        shares = [count / total for count in (*children, own)]
        assert np.array_equal(conditional.p, shares), f"{target}: {prefix!r} is not followed by shares"


def _assert_chain_rule(target: Target, number: str) -> None:
    log = target.log_probability(number)
    along = [target.conditional(number[:k]) for k in range(len(number))]
    if all(conditional.method == "exact" for conditional in along):
        found = _log_product(along, number)
        assert log.error == 0, f"{target}: exact, but ln P({number!r}) has an error"
        assert math.isclose(found, log.value, rel_tol=ROUNDING, abs_tol=ROUNDING), (
            f"{target}: the conditionals along {number} multiply to exp({found}), not to exp({log.value})"
        )


def _assert_lives(target: Target, number: str, rng: "np.random.Generator") -> None:
    assert target.live_digits(number) == len(number), f"{target}: {number} is a member, but does not live"
    place = int(rng.integers(len(number)))
    other = f"{number[:place]}{rng.integers(10)}{number[place + 1 :]}"
    assert (target.why_not(other) is None) == target.contains(other), (
        f"{target}: it is not said why {other} is no member"
    )
    if target.count("") is not None:
        alive = [k for k in range(len(other) + 1) if target.log_probability(other[:k]).value > -math.inf]
        assert target.live_digits(other) == max(alive), (
            f"{target}: {other} does not live for {max(alive)} digits"
        )


def _assert_residues(target: Target, drawn: Sequence[str]) -> None:
    size = target.count("")
    few = size is not None and size <= LISTED
    members = [target.nth_member(rank) for rank in range(size)] if size is not None and few else []
    values, p = [to_int(number) for number, _ in members], np.array([p for _, p in members])
    met = list(map(to_int, drawn))
    for modulus in MODULI:
        law = target.residues(modulus)
        if law is not None:
            assert law.shape == (modulus,), f"{target}: residues mod {modulus} have a wrong shape"
            assert math.isclose(law.sum(), 1, rel_tol=ROUNDING), f"{target}: mod {modulus} is no distribution"
            assert law[[value % modulus for value in met]].all(), (
                f"{target}: draws what has probability 0 mod {modulus}"
            )
            if few:
                of_members = np.bincount([value % modulus for value in values], p, modulus) / p.sum()
                assert np.allclose(law, of_members, rtol=0, atol=ROUNDING), (
                    f"{target}: residues mod {modulus} are {law}, those of its members {of_members}"
                )


def _log_along(target: Target, number: str) -> float:
    return _log_product([target.conditional(number[:k]) for k in range(len(number))], number)


def _log_product(along: Sequence[Conditional], number: str) -> float:
    return sum(math.log(each.p[int(digit)]) for each, digit in zip(along, number, strict=True))
