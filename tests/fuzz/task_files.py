"""Random task files, sound and broken: read as a user's would be, and held against the definitions."""

import random
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from sympy import isprime

from sampler_bench.errors import InputError
from sampler_bench.targets import Target
from sampler_bench.tasks import builtin_folder, load_task
from tests.targets.direct import conditionals

BELOW = 10_000  # numbers that are gone through
SHIPPED = 0.3  # of the files are shipped ones, damaged
SOUND = 0.4  # of the others are sound
SECONDS = 60  # after which a file counts as one that hangs
OUTCOMES = ("accepted", "refused", "wrong", "tracebacks", "hangs")
NASTY = (
    "0", "-1", "1", "2", "7", "10", "301", "4301", "1_000_000", "10000000000", "9" * 40, "9" * 5000,
    "1e308", "-1e308", "inf", "-inf", "nan", "1e-300", "0.5", "true", '""', '"x"', '"primes"', '"n,n+2"',
    '"n,,n"', '"0n"', '"[/b]"', '"\\u0000"', '"\\u001b[31m"', '"(((((("', '"é"', "[]", "[1]", "[[]]",
    "[1e308, 1e308]", "{}", "{ a = 1 }", '"' + "(" * 3000 + '"', "[" * 3000 + "]" * 3000, "1979-05-27",
    '["x"]', "0x10", '"[0-9]{100000}"', '"a{2,1}"',
)  # fmt: skip
FORMS = {"primes": [(1, 0)], "twin-primes": [(1, 0), (1, 2)], "cousin-primes": [(1, 0), (1, 4)],
         "n,n+2,n+6": [(1, 0), (1, 2), (1, 6)], "sophie-germain-primes": [(1, 0), (2, 1)]}  # fmt: skip
RULES: dict[str, Callable[[str, str], bool]] = {
    "different": str.__ne__,
    "rising": str.__lt__,
    "not-falling": str.__le__,
}

Member = Callable[[str], bool]


def check_task_files(seed: int, trials: int) -> dict[str, int]:
    """Files tried, and of them accepted, refused, wrong, ended in another exception, and hung.

    Returns
    -------
    dict
        With the keys of OUTCOMES; and ``first``, the text of the first file that is neither accepted nor
        refused, if there is one.
    """
    rng, figures, first = random.Random(seed), Counter(), None
    previous = signal.signal(signal.SIGALRM, _ring)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(trials):
            text, member = random_task_file(rng)
            signal.alarm(SECONDS)
            try:
                outcome = _outcome(Path(folder), text, member)
            except _HangError:
                outcome = "hangs"
            finally:
                signal.alarm(0)
            figures[outcome] += 1
            if first is None and outcome not in ("accepted", "refused"):
                first = f"{outcome}: {text}"
    signal.signal(signal.SIGALRM, previous)
    return {key: figures[key] for key in ("accepted", "refused", "wrong", "tracebacks", "hangs")} | {
        "first": first
    }


def random_task_file(rng: random.Random) -> tuple[str, Member | None]:
    """A file's text, and who belongs to its set where the file is sound."""
    if rng.random() < SHIPPED:
        path = rng.choice(sorted(builtin_folder().glob("*.toml")))
        return rng.choice(DAMAGES)(path.read_text().splitlines(), rng), None
    keys, member = FAMILY[rng.choice(list(FAMILY))](rng)
    lines = ['title = "A task"', "version = 1", 'phrase = "number"', "[target]"]
    lines += [f"{key} = {value}" for key, value in keys.items()]
    if rng.random() < SOUND:
        return "\n".join(lines), member
    return rng.choice(DAMAGES)(lines, rng), None


class _HangError(Exception):
    """A file took too long."""


def _ring(*_: object) -> None:
    raise _HangError


def _outcome(folder: Path, text: str, member: Member | None) -> str:
    (folder / "fuzzed.toml").write_text(text)
    try:
        target = load_task("fuzzed", [folder]).target
        if member is None:
            target.conditional("")
            return "accepted"
        return "accepted" if _is_right(target, member) else "wrong"
    except InputError as error:
        empty = member is not None and any(map(member, map(str, range(BELOW))))
        return "wrong" if empty else "refused" if "\n" not in str(error) else "tracebacks"
    except Exception:
        return "tracebacks"


def _is_right(target: Target, member: Member) -> bool:
    """Whether members, their number and every next-digit law are those of the definition."""
    members = [number for number in map(str, range(BELOW)) if member(number)]
    laws = conditionals(dict.fromkeys(members, 1 / len(members)))
    return (
        [number for number in map(str, range(BELOW)) if target.contains(number)] == members
        and target.count("") == len(members)
        and all(np.allclose(target.conditional(u).p, p, rtol=0, atol=1e-12) for u, p in laws.items())
    )


# Damage


def _nasty_value(lines: list[str], rng: random.Random) -> str:
    place = rng.choice([k for k, line in enumerate(lines) if "=" in line])
    key = lines[place].partition("=")[0]
    return "\n".join([*lines[:place], f"{key}= {rng.choice(NASTY)}", *lines[place + 1 :]])


def _lost_line(lines: list[str], rng: random.Random) -> str:
    place = rng.randrange(len(lines))
    return "\n".join(lines[:place] + lines[place + 1 :])


def _doubled_line(lines: list[str], rng: random.Random) -> str:
    return "\n".join([*lines, rng.choice(lines)])


def _odd_character(lines: list[str], rng: random.Random) -> str:
    text = "\n".join(lines)
    place = rng.randrange(len(text))
    return text[:place] + rng.choice("\"'[]{}=.\n#\\\0é\u202e0") + text[place + rng.randrange(2) :]


DAMAGES = (_nasty_value, _lost_line, _doubled_line, _odd_character)

# A family's keys as TOML, and its members


def _multiples(rng: random.Random) -> tuple[dict, Member]:
    digits, modulus = rng.randint(1, 4), rng.randint(1, 60)
    residue = rng.randrange(modulus)
    keys = {"digits": digits, "modulus": modulus, "residue": residue}
    return _keys("multiples", keys), _of_length(digits, lambda text: int(text) % modulus == residue)


def _digit_sums(rng: random.Random) -> tuple[dict, Member]:
    digits, total = rng.randint(1, 4), rng.randint(0, 37)
    return _keys("digit-sums", {"digits": digits, "sum": total}), _of_length(
        digits, lambda text: sum(map(int, text)) == total
    )


def _neighbours(rng: random.Random) -> tuple[dict, Member]:
    digits, rule = rng.randint(1, 4), rng.choice(list(RULES))
    return _keys("neighbours", {"digits": digits, "rule": f'"{rule}"'}), _of_length(
        digits, lambda text: all(RULES[rule](a, b) for a, b in pairwise(text))
    )


def _palindromes(rng: random.Random) -> tuple[dict, Member]:
    digits = rng.randint(1, 4)
    return _keys("palindromes", {"digits": digits}), _of_length(digits, lambda text: text == text[::-1])


def _powers(rng: random.Random) -> tuple[dict, Member]:
    digits, base = rng.randint(1, 4), rng.randint(2, 30)
    powers = {str(base**k) for k in range(14)}
    return _keys("powers", {"digits": digits, "base": base}), _of_length(digits, powers.__contains__)


def _polynomials(rng: random.Random) -> tuple[dict, Member]:
    digits, coefficients = rng.randint(1, 4), [rng.randint(0, 5) for _ in range(rng.randint(1, 3))] + [1]
    values = {str(sum(c * x**k for k, c in enumerate(coefficients))) for x in range(1, BELOW)}
    return _keys("polynomials", {"digits": digits, "coefficients": coefficients}), _of_length(
        digits, values.__contains__
    )


def _constellation(rng: random.Random) -> tuple[dict, Member]:
    digits, name = rng.randint(1, 4), rng.choice(list(FORMS))
    return _keys("constellation", {"digits": digits, "forms": f'"{name}"'}), _of_length(
        digits, partial(_all_prime, FORMS[name])
    )


def _twin_primes(rng: random.Random) -> tuple[dict, Member]:
    digits, member = rng.randint(1, 4), rng.choice(["either", "lower"])
    shifts = (0, -2) if member == "either" else (0,)
    return _keys("twin-primes", {"digits": digits, "member": f'"{member}"'}), _of_length(
        digits, lambda text: any(_all_prime(FORMS["twin-primes"], str(int(text) + shift)) for shift in shifts)
    )


def _range(rng: random.Random) -> tuple[dict, Member]:
    low, high = sorted(rng.randrange(BELOW) for _ in range(2))
    return _keys("range", {"low": low, "high": high}), lambda text: low <= int(text) <= high


def _prime_range(rng: random.Random) -> tuple[dict, Member]:
    low, high = sorted(rng.randrange(BELOW) for _ in range(2))
    return _keys(
        "prime-range", {"low": low, "high": high}
    ), lambda text: low <= int(text) <= high and isprime(int(text))


FAMILY = {
    "multiples": _multiples,
    "digit-sums": _digit_sums,
    "neighbours": _neighbours,
    "palindromes": _palindromes,
    "powers": _powers,
    "polynomials": _polynomials,
    "constellation": _constellation,
    "twin-primes": _twin_primes,
    "range": _range,
    "prime-range": _prime_range,
}


def _keys(family: str, keys: Mapping[str, object]) -> dict[str, object]:
    return {"family": f'"{family}"', **keys}


def _of_length(digits: int, holds: Member) -> Member:
    return lambda text: len(text) == digits and text[0] != "0" and holds(text)


def _all_prime(forms: list[tuple[int, int]], text: str) -> bool:
    return all(isprime(a * int(text) + b) for a, b in forms)
