"""What tuples of linear forms are called: twin-primes is (n, n + 2)."""

import difflib
import math
import re
from dataclasses import dataclass

from sampler_bench.errors import InputError
from sampler_bench.integers import shown

TUPLES = {
    "primes": ((1, 0),),
    "twin-primes": ((1, 0), (1, 2)),
    "cousin-primes": ((1, 0), (1, 4)),
    "sexy-primes": ((1, 0), (1, 6)),
    "sophie-germain-primes": ((1, 0), (2, 1)),
}
SAFE = "safe-primes"
FORM = re.compile(r" *([1-9][0-9]*)? *n *(?:([+-]) *(0|[1-9][0-9]*))? *")
MOST_FORMS = 20  # a file is named after them, and names have up to 255 characters
MOST_DIGITS = 4  # of a coefficient


@dataclass(frozen=True)
class Progression:
    """The numbers ``factor`` n + ``shift`` at the n of a constellation: of most, n itself."""

    tuple_name: str
    factor: int = 1
    shift: int = 0

    def places(self, lo: int, hi: int) -> tuple[int, int]:
        """[first, end) of the n >= 0 with lo <= factor n + shift < hi."""
        first, end = (max(-((self.shift - edge) // self.factor), 0) for edge in (lo, hi))
        return first, end


def parse_tuple(text: str) -> tuple[tuple[int, int], ...]:
    """Forms (a, b) from a name in TUPLES, or from forms such as ``n,n+2,2n+1``.

    Raises
    ------
    InputError
        If the text is neither, a form comes twice or always has a divisor, or there are more than 20 forms.
    """
    if text in TUPLES:
        return TUPLES[text]
    if text == SAFE:
        raise InputError(
            "safe primes are 2n+1 at the n of sophie-germain-primes, so they are no tuple at n themselves"
        )
    given = text.split(",")
    if len(given) > MOST_FORMS:
        raise InputError(f"a tuple of {len(given)} forms: up to {MOST_FORMS} are understood")
    forms = []
    for form in given:
        match = FORM.fullmatch(form)
        if match is None:
            raise InputError(f"{shown(text)!r} is no tuple of primes: {_meant(text, form)}")
        if max(len(match[1] or ""), len(match[3] or "")) > MOST_DIGITS:
            raise InputError(f"the form {shown(form)}: its numbers have up to {MOST_DIGITS} digits")
        forms.append((int(match[1] or 1), int((match[2] or "") + (match[3] or "0"))))
    for form, (a, b) in zip(given, forms, strict=True):
        if math.gcd(a, b) > 1:
            raise InputError(f"the form {form}: {math.gcd(a, b)} divides all its values")
    if len(set(forms)) < len(forms):
        raise InputError(f"{shown(text)!r} is no tuple of primes: one form stands there twice")
    return tuple(forms)


def parse_progression(text: str) -> Progression:
    """The numbers that are meant: those of a tuple that ``parse_tuple`` reads, or ``safe-primes``."""
    if text == SAFE:
        return Progression("sophie-germain-primes", 2, 1)
    return Progression(tuple_name(parse_tuple(text)))


def tuple_name(forms: tuple[tuple[int, int], ...]) -> str:
    """The name in TUPLES, else the forms as ``parse_tuple`` reads them."""
    for name, named in TUPLES.items():
        if sorted(named) == sorted(forms):
            return name
    return ",".join(f"{a if a > 1 else ''}n{f'{b:+d}' if b else ''}" for a, b in forms)


def _meant(text: str, form: str) -> str:
    near = difflib.get_close_matches(text, (*TUPLES, SAFE), 1) if len(text) < 100 else []
    if near:
        return f"did you mean {near[0]}?"
    wanted = f"a name ({', '.join((*TUPLES, SAFE))}) or forms as in n,n+2,2n+1"
    return wanted if text == form else f"{shown(form)!r} is no form; {wanted}"
