"""The worked example of docs/method.md: worked here by going through lists, and equal to what a run says."""

import math
from fractions import Fraction
from pathlib import Path

import pandas as pd
import pytest
from sympy import isprime

from sampler_bench import run

METHOD = (Path(__file__).parents[1] / "docs" / "method.md").read_text()
ALL = [str(n) for n in range(100, 1000)]
TWINS = [n for n in ALL if isprime(int(n)) and (isprime(int(n) - 2) or isprime(int(n) + 2))]


def passing(y: int) -> list[str]:
    """Numbers x such that no prime up to y divides x, nor one and the same of x - 2 and x + 2."""

    def clear(n: int) -> bool:
        return all(n % p or n == p for p in range(2, y + 1) if isprime(p))

    return [n for n in ALL if clear(int(n)) and (clear(int(n) - 2) or clear(int(n) + 2))]


def law(numbers: list[str], prefix: str) -> dict[str, Fraction]:
    """The next digit of a number drawn from a list."""
    starting = [n for n in numbers if n.startswith(prefix)]
    nexts = [n[len(prefix)] for n in starting]
    return {digit: Fraction(nexts.count(digit), len(nexts)) for digit in sorted(set(nexts))}


def support_of(prefix: str) -> dict[str, Fraction]:
    digits = law(TWINS, prefix)
    return dict.fromkeys(digits, Fraction(1, len(digits)))


def content(model, k: int) -> float:
    """E KL(p || q) over the prefixes of k digits of 3-digit twin primes."""
    total = 0.0
    for prefix in sorted({n[:k] for n in TWINS}):
        weight = sum(n.startswith(prefix) for n in TWINS) / len(TWINS)
        p, q = law(TWINS, prefix), model(prefix)
        total += weight * sum(float(p[d]) * math.log(p[d] / q[d]) for d in p)
    return total


LAWS = {
    "uniform-digits": lambda prefix: law(ALL, prefix),
    "feasible-uniform": support_of,
    "sieve-2": lambda prefix: law(passing(2), prefix),
    "sieve-5": lambda prefix: law(passing(5), prefix),
}
CONTENTS = {name: [content(model, k) for k in range(3)] for name, model in LAWS.items()}
INFORMATION = math.log(len(ALL) / len(TWINS))
TRIES = 16
VALIDITY = 1 - (1 - len(TWINS) / len(ALL)) ** TRIES


def level(nats: float, low: int, high: int) -> float:
    """Between two rungs, by ln ln y."""
    most, least = (math.log(len(passing(y)) / len(TWINS)) for y in (low, high))
    share = (most - nats) / (most - least)
    return math.exp(math.exp((1 - share) * math.log(math.log(low)) + share * math.log(math.log(high))))


def lines() -> list[str]:
    """What docs/method.md must say."""
    first = law(TWINS, "")
    firsts = [str(int(first.get(d, 0) * len(TWINS))) for d in "123456789"]
    after = [f"{d}: {p}" for d, p in law(TWINS, "1").items()]
    path = [law(TWINS, "101"[:k])["101"[k]] for k in range(3)]
    entropies = [-sum(float(p) * math.log(p) for p in law(TWINS, "101"[:k]).values()) for k in range(3)]
    rows = [
        f"| `{name}` | " + " | ".join(f"{part:.4f}" for part in parts) + f" | {sum(parts):.4f} "
        f"| {1 - sum(parts) / INFORMATION:.4f} |"
        for name, parts in CONTENTS.items()
    ]
    ladder = [f"{y}: {len(passing(y))}" for y in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31)]
    between = sum(CONTENTS["feasible-uniform"])
    repeats = 24 - 54 * (1 - (53 / 54) ** 24)
    ends_in_nine = sum(n[-1] == "9" for n in TWINS)
    return [
        f"{len(TWINS)} of the {len(ALL)} numbers of three digits are members of a pair",
        "1, 2, ..., 9: " + ", ".join(firsts) + ".",
        ", ".join(after) + ".",
        " · ".join(map(str, path)) + f" = {math.prod(path)}",
        "H = " + ", ".join(f"{h:.4f}" for h in entropies) + " nats",
        f"I(S) = ln({len(ALL)} / {len(TWINS)}) = {INFORMATION:.4f} nats",
        *rows,
        ", ".join(ladder) + ".",
        f"ln({len(passing(5))} / {len(TWINS)}) = {math.log(len(passing(5)) / len(TWINS)):.4f}",
        f"{between:.4f} lies between the rungs 17 ({math.log(len(passing(17)) / len(TWINS)):.4f}) and "
        f"19 ({math.log(len(passing(19)) / len(TWINS)):.4f}): sieve level {level(between, 17, 19):.2f}",
        f"v = 1 - (1 - {len(TWINS)}/{len(ALL)})^{TRIES} = {VALIDITY:.4f}, "
        f"content -ln v = {-math.log(VALIDITY):.4f}",
        f"24 - 54 (1 - (53/54)^24) = {repeats:.2f} of 24",
        f"{ends_in_nine} of the {len(TWINS)} end in 9",
    ]


@pytest.mark.parametrize("line", lines())
def test_the_document_says_what_the_lists_say(line):
    assert line in " ".join(METHOD.split())


@pytest.fixture(scope="module")
def scores(tmp_path_factory) -> pd.Series:
    models = [*LAWS, f"propose-and-check-{TRIES}"]
    table = run("twin-primes-3", models, out=tmp_path_factory.mktemp("example"), samples=24).scores
    return table[table["task"] == "twin-primes-3"].set_index(["model", "metric"])


def test_a_run_finds_the_same(scores):
    for name, parts in CONTENTS.items():
        assert scores.loc[(name, "content"), "value"] == pytest.approx(sum(parts), abs=1e-12)
        assert scores.loc[(name, "skill"), "value"] == pytest.approx(1 - sum(parts) / INFORMATION)
    of_support = scores.loc[("feasible-uniform", "level"), "value"]
    assert of_support == pytest.approx(level(sum(CONTENTS["feasible-uniform"]), 17, 19))
    assert scores.loc[(f"propose-and-check-{TRIES}", "content"), "value"] == pytest.approx(
        -math.log(VALIDITY)
    )
    floor = scores.loc[("uniform-digits", "duplicates"), "floor"]
    assert floor * 24 == pytest.approx(24 - 54 * (1 - (53 / 54) ** 24), abs=0.15)
