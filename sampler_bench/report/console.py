"""The one door to the terminal: what passes is text there, neither markup nor an escape code.

Colours are given as styles (``rich.text.Text``); square brackets are square brackets. Where the terminal's
encoding lacks a character, another stands in for it.
"""

from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from sampler_bench.plain import plain

SUBSTITUTES = dict(zip("█–—−≈†‡§·✓✗→◀…¶", "#---~+^$/+!><./", strict=True))


class PlainConsole(Console):
    """A console that prints what it is given as it is given, and nothing that the terminal would obey."""

    def __init__(self, *, stderr: bool = False, quiet: bool = False, width: int | None = None):
        super().__init__(stderr=stderr, quiet=quiet, width=width, markup=False, emoji=False, highlight=False)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        """What rich renders, its texts made plain and put in the characters that there are."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else encodable(plain(text), self.encoding), style, control)


def encodable(text: str, encoding: str) -> str:
    """The text with a substitute as wide for each character that the encoding lacks."""
    try:
        text.encode(encoding)
        return text
    except UnicodeEncodeError:
        return "".join(_encodable(character, encoding) for character in text)


def _encodable(character: str, encoding: str) -> str:
    try:
        character.encode(encoding)
        return character
    except UnicodeEncodeError:
        return SUBSTITUTES.get(character, "?" * cell_len(character))
