"""Answer rules: regular expressions written for Python's ``re``, run by RE2 in time linear in the text.

A rule is read as ``re`` reads it with ``re.ASCII``: ``\\d``, ``\\w``, ``\\s`` are of ASCII. What RE2 has not
(references back, look-around, possessive repetition) is refused; what it reads otherwise is rewritten.
"""

import re
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import re2

MOST_RULE = 1000  # characters
MOST_TEXT = 200_000  # characters of a text that are looked at: some 50,000 tokens
NUMBER = re.compile(r"[0-9]+")
SPACE = r"\t-\r "  # \s in ASCII; RE2's leaves out \v
NO_SPACE = r"\x00-\x08\x0e-\x1f!-\x{10ffff}"
FOLDED = {0x17F: "\ufffd", 0x212A: "\ufffd"}  # long s and kelvin sign: to RE2 letters s and k in capitals
TOKEN = re.compile(r"(?s)\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?[a-z]*-?[a-z]+:|\{,|\$")


class Span(NamedTuple):
    """Where a rule found a number: the text's characters from ``start`` to ``end``."""

    start: int
    end: int


def find_numbers(rule: str, text: str) -> Iterator[Span | None]:
    """Where the group of each match lies, from left to right; None where it does not hold digits alone.

    Raises
    ------
    ValueError
        If the rule is none.
    """
    for match in compile_rule(rule).finditer(_readable(text[:MOST_TEXT])):
        yield Span(*match.span(1)) if NUMBER.fullmatch(match[1] or "") else None


@lru_cache(maxsize=64)
def compile_rule(rule: str) -> "re2._Regexp":
    """The rule for RE2.

    Raises
    ------
    ValueError
        If it is no regular expression with exactly one group, is longer than 1000 characters, may match
        without a character, or has what RE2 has not. The message goes on from "the rule ...".
    """
    if len(rule) > MOST_RULE:
        raise ValueError(f"is longer than {MOST_RULE} characters")
    compiled = _python_rule(rule)
    if compiled.groups != 1:
        raise ValueError(f"needs exactly one (group) around the number, has {compiled.groups}")
    options = re2.Options()
    options.log_errors = False
    try:
        translated = re2.compile(_translated(rule, bool(compiled.flags & re.MULTILINE)), options)
    except (re2.error, UnicodeEncodeError) as error:
        raise ValueError(
            f"has what RE2, which finds numbers in linear time, cannot do: {_reason(error)}; look-around "
            "and references back are among that"
        ) from error
    if translated.search("") is not None:
        raise ValueError("matches where there is nothing, so it would find numbers without digits")
    return translated


def _python_rule(rule: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return re.compile(rule, re.ASCII)
        except (re.error, OverflowError, RecursionError, Warning, ValueError) as error:
            raise ValueError(f"is not a regular expression: {error}") from error


def _translated(rule: str, many_lines: bool) -> str:
    def translate(token: re.Match[str]) -> str:
        found = token[0]
        if found.startswith("["):
            return re.sub(r"(?s)\\.", lambda escape: _escape(escape[0], inside=True), found)
        if found.startswith("(?"):
            if "m" in found:
                raise ValueError("has (?m) for a part of it; write it at the very beginning, for the whole")
            return found
        if found == "$":
            # Without (?m), to re also the place before a last end of line.
            return "$" if many_lines else r"(?:\n?\z)"
        return "{0," if found == "{," else _escape(found, inside=False)

    return TOKEN.sub(translate, rule)


def _escape(found: str, inside: bool) -> str:
    meaning = {r"\s": SPACE, r"\S": NO_SPACE}.get(found)
    if meaning is not None:
        return meaning if inside else f"[{meaning}]"
    return r"\z" if found == r"\Z" else found


def _readable(text: str) -> str:
    """The text, as long, without what cannot be encoded and what RE2 takes for ASCII letters."""
    return text.encode("utf-8", "replace").decode().translate(FOLDED)


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else error
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
