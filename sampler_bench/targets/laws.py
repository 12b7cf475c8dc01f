"""The laws every target obeys. A new family is right only if these hold for it."""

import math

import numpy as np

from sampler_bench.targets.base import DIGITS, END, SYMBOLS, UniformTarget


def assert_laws(target: UniformTarget, rng: np.random.Generator, walks: int = 20) -> None:
    """Check the laws along ``walks`` numbers drawn from the target.

    * conditionals sum to 1 and say how they were found; only where they are exact is there no bound;
    * where members are counted, children sum to the parent, and the conditional is their share;
    * if all are counted, the conditionals of a number multiply to 1 / |S| (the chain rule), and ``unrank``
      lists the set in increasing order;
    * a full string counts 1, is contained, and ends with probability 1.

    Raises
    ------
    AssertionError
        Naming the law, the target and the prefix.
    """
    size = target.count("")
    for number in target.sample(walks, rng):
        log_probability = 0.0
        for k, digit in enumerate(number):
            _assert_node(target, number[:k])
            log_probability += math.log(target.conditional(number[:k]).p[int(digit)])
        assert size is None or math.isclose(log_probability, -math.log(size), rel_tol=1e-12, abs_tol=1e-12), (
            f"{target}: the conditionals along {number} multiply to exp({log_probability})"
        )
        assert target.count(number) == 1, f"{target}: count({number!r}) is not 1"
        assert target.contains(number), f"{target}: drew {number!r}, which it does not contain"
        assert target.conditional(number).p[END] == 1, f"{target}: goes on after {number!r}"
    if size is None:
        return
    ranks = sorted({0, size // 3, size // 2, size - 1})
    listed = [int(target.unrank(rank)) for rank in ranks]
    assert listed == sorted(set(listed)), f"{target}: unrank is not increasing"


def _assert_node(target: UniformTarget, prefix: str) -> None:
    total = target.count(prefix)
    conditional = target.conditional(prefix)
    assert conditional.p.shape == (SYMBOLS,), f"{target}: conditional({prefix!r}) has a wrong shape"
    assert conditional.p[END] == 0, f"{target}: stops at {prefix!r}"
    assert math.isclose(conditional.p.sum(), 1, rel_tol=1e-12), f"{target}: no distribution after {prefix!r}"
    exact = conditional.method in ("exact", "exact-tail")
    assert exact == (total is not None) == (conditional.bound == 0), f"{target}: wrong label at {prefix!r}"
    if total is None:
        return
    children = [target.count(prefix + digit) for digit in DIGITS]
    assert sum(children) == total, f"{target}: children of {prefix!r} do not sum to it"
    shares = [child / total for child in children]
    assert np.array_equal(conditional.p[:END], shares), (
        f"{target}: conditional({prefix!r}) is not the children's share"
    )
