"""Whole numbers of any length as text.

Python refuses to read or write a number of more than 4300 digits, to guard programs against long text from
strangers. Here lengths are bounded where a number comes in, and gmpy2 converts, without that limit.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock

from gmpy2 import mpz

MOST_DIGITS = 100_000  # of a number anywhere: conditionals then take a tenth of a second
SHOWN = 40  # characters of a number in a message
LITERALS = Lock()  # the limit belongs to the process, not to a thread


def to_int(text: str) -> int:
    """The number that decimal digits, after a minus sign perhaps, stand for."""
    return int(mpz(text))


def to_text(number: int) -> str:
    """The number in decimal digits."""
    return mpz(number).digits()


@lru_cache(maxsize=64)
def power_of_ten(exponent: int) -> int:
    """10^exponent, for an exponent from 0 on."""
    return 10**exponent


def shown(number: int | str) -> str:
    """A number, or digits, short enough for a message: both ends and the length, where it is long."""
    text = number if isinstance(number, str) else to_text(number)
    unit = "digits" if text.lstrip("-").isdigit() else "characters"
    return text if len(text) <= SHOWN else f"{text[:10]}...{text[-10:]} ({len(text)} {unit})"


@contextmanager
def long_literals() -> Iterator[None]:
    """Meanwhile Python itself reads and writes numbers of up to ``MOST_DIGITS`` digits."""
    with LITERALS:
        before = sys.get_int_max_str_digits()
        sys.set_int_max_str_digits(MOST_DIGITS)
        try:
            yield
        finally:
            sys.set_int_max_str_digits(before)
