"""The worked example of docs/method.md: worked here by going through lists, and equal to what a run says."""

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
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


# A model that is fond of 7, asked for even numbers of three digits: what it writes first, second and last.
SEVEN_FIRST = [Fraction(0), *[Fraction(1, 10)] * 6, Fraction(1, 5), *[Fraction(1, 10)] * 2]
SEVEN = [Fraction(1, 5) if digit == 7 else Fraction(4, 45) for digit in range(10)]
MOSTLY_EVEN = [Fraction(3, 20) if digit % 2 == 0 else Fraction(1, 20) for digit in range(10)]


def nats(p: list[Fraction], q: list[Fraction]) -> float:
    return sum(float(a) * math.log(a / b) for a, b in zip(p, q, strict=True) if a)


EVEN = [Fraction(int(digit % 2 == 0), 5) for digit in range(10)]
FOND = [
    nats([Fraction(0), *[Fraction(1, 9)] * 9], SEVEN_FIRST),
    nats([Fraction(1, 10)] * 10, SEVEN),
    nats(EVEN, MOSTLY_EVEN),
]
BLIND_LAST = nats(EVEN, SEVEN)
UPTAKE = (BLIND_LAST - FOND[2]) / math.log(2)


class FondOfSeven:
    """What the document's fond model writes, asked with the constraint and without."""

    name, can = "fond", frozenset({"laws"})

    def describe(self):
        return {"identity": "fond of seven"}

    async def conditionals(self, prompt, prefixes, trace=""):  # noqa: ARG002
        last = SEVEN if prompt.blind else MOSTLY_EVEN
        laws = [SEVEN_FIRST, SEVEN, last, [Fraction(0)] * 10]
        return np.array([[*map(float, laws[len(prefix)]), float(len(prefix) == 3)] for prefix in prefixes])


def test_a_run_finds_skill_and_uptake_of_the_fond_model(tmp_path):
    (tmp_path / "even-3.toml").write_text(
        'title = "t"\nversion = 1\nphrase = "3-digit even number"\n'
        '[target]\nfamily = "multiples"\ndigits = 3\nmodulus = 2\n'
    )
    table = run("even-3", [FondOfSeven()], ["direct"], task_folders=[tmp_path], out=tmp_path / "run").scores
    found = table[table["task"] == "even-3"].set_index("metric")["value"]
    wanted = {
        "content": sum(FOND),
        "content-blind": sum(FOND[:2]) + BLIND_LAST,
        "skill": 1 - FOND[2] / math.log(2),
        "skill-all": 1 - sum(FOND) / math.log(2),
        "uptake": UPTAKE,
        "uptake-all": UPTAKE,
    }
    assert found[[*wanted]].to_dict() == pytest.approx(wanted, abs=1e-9)


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
        "8/9 ln(10/9) + 1/9 ln(5/9) = {:.4f}, 9/10 ln(9/8) + 1/10 ln(1/2) = {:.4f}, ln(4/3) = {:.4f}".format(
            *FOND
        ),
        f"Skill is 1 - ln(4/3) / ln 2 = {1 - FOND[2] / math.log(2):.4f}, "
        f"skill-all {1 - sum(FOND) / math.log(2):.4f}",
        f"content-blind is ln(9/4) = {BLIND_LAST:.4f}, and uptake ln(27/16) / ln 2 = {UPTAKE:.4f}",
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
        assert scores.loc[(name, "uptake"), "value"] == pytest.approx(1 - sum(parts) / INFORMATION)
    of_support = scores.loc[("feasible-uniform", "level"), "value"]
    assert of_support == pytest.approx(level(sum(CONTENTS["feasible-uniform"]), 17, 19))
    assert scores.loc[(f"propose-and-check-{TRIES}", "content"), "value"] == pytest.approx(
        -math.log(VALIDITY)
    )
    floor = scores.loc[("uniform-digits", "duplicates"), "floor"]
    assert floor * 24 == pytest.approx(24 - 54 * (1 - (53 / 54) ** 24), abs=0.15)
