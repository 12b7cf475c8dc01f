"""What tuples of linear forms are called: twin-primes is (n, n + 2)."""

import difflib
import re

from sampler_bench.errors import InputError

TUPLES = {
    "primes": ((1, 0),),
    "twin-primes": ((1, 0), (1, 2)),
    "cousin-primes": ((1, 0), (1, 4)),
    "sexy-primes": ((1, 0), (1, 6)),
    "sophie-germain-primes": ((1, 0), (2, 1)),
}
FORM = re.compile(r"([0-9]*)n([+-][0-9]+)?")


def parse_tuple(text: str) -> tuple[tuple[int, int], ...]:
    """Forms (a, b) from a name in TUPLES, or from forms such as ``n,n+2,2n+1``.

    Raises
    ------
    InputError
        If the text is neither.
    """
    if text in TUPLES:
        return TUPLES[text]
    matches = [FORM.fullmatch(form.replace(" ", "")) for form in text.split(",")]
    if None in matches:
        near = difflib.get_close_matches(text, TUPLES, 1)
        meant = (
            f"did you mean {near[0]}?" if near else f"a name ({', '.join(TUPLES)}) or forms as in n,n+2,2n+1"
        )
        raise InputError(f"{text!r} is no tuple of primes: {meant}")
    return tuple((int(match[1] or 1), int(match[2] or 0)) for match in matches)


def tuple_name(forms: tuple[tuple[int, int], ...]) -> str:
    """The name in TUPLES, else the forms as ``parse_tuple`` reads them."""
    for name, named in TUPLES.items():
        if sorted(named) == sorted(forms):
            return name
    return ",".join(f"{a if a > 1 else ''}n{f'{b:+d}' if b else ''}" for a, b in forms)
