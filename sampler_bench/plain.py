"""Text from outside, made harmless for where it goes.

Names of models and runs, titles, paths, answers and what a server says of an error are chosen elsewhere. None
of it may act: not on a terminal, not in Markdown or a spreadsheet, not as the name of a file.
"""

import hashlib
import re
import unicodedata

ACTING = {"Cc", "Cf", "Co", "Zl", "Zp"}  # control characters, marks of direction, private use, separators
UNDECODABLE = "\N{REPLACEMENT CHARACTER}"
MARKDOWN = re.compile(r"[\\`*_\[\]<>|#~$&]")
FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # the last four: as wide as an ideograph
FILE_NAME = 80  # characters


def plain(text: str) -> str:
    """The text without what is obeyed rather than shown; line ends stay.

    Escape codes lose the character that makes them so, and what follows it is seen; bytes that were no
    characters become U+FFFD.
    """
    if text.isprintable():
        return text
    return "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character == "\n":
        return character
    if character == "\t":
        return " "
    kind = unicodedata.category(character)
    return UNDECODABLE if kind == "Cs" else "" if kind in ACTING else character


def one_line(text: str) -> str:
    """Plain text in which every run of white space is one space."""
    return " ".join(plain(text).split())


def in_markdown(text: str) -> str:
    """Plain text that Markdown shows as it is, on one line, in a table too."""
    return MARKDOWN.sub(r"\\\g<0>", one_line(text))


def in_spreadsheet(text: str) -> str:
    """Text that no spreadsheet takes for a formula: what begins like one has an apostrophe before it.

    So has what begins with apostrophes and then like a formula: one apostrophe less gives the text back.
    """
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def file_name(*parts: str) -> str:
    """A name for a file, made of names: readable, short, and different for different ones."""
    name = "-".join(parts)
    safe = re.sub(r"[^A-Za-z0-9_.+=,-]", "-", name)[:FILE_NAME]
    if safe == name:
        return name
    return f"{safe}-{hashlib.sha256(repr(parts).encode('utf-8', 'backslashreplace')).hexdigest()[:8]}"
