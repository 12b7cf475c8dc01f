"""The command line: parse, call one function, print. Errors are one sentence on stderr and exit code 2."""

import gc
import logging
import os
import re
import signal
import sys
from collections.abc import Sequence

import typer

from sampler_bench.cli import elsewhere, measuring, reports, truths, worlds  # noqa: F401  they make the commands
from sampler_bench.cli.options import app, say
from sampler_bench.errors import InputError, SamplerBenchError
from sampler_bench.files import storage_errors

BAD_INPUT = 2
INTERRUPTED = 130
OBJECTS = 50_000  # made before garbage is looked for: modules make many, and none of them is garbage
NO_TEXT = re.compile(r"[\ud800-\udfff\0]")  # what Python makes of bytes that are no characters
STOPS = (signal.SIGINT, signal.SIGTERM)
UsageError = typer.BadParameter.__base__  # click's own, or that of the click inside newer typers


def main() -> None:
    """Entry point of the console script."""
    gc.set_threshold(OBJECTS)
    for number in STOPS:
        signal.signal(number, _stop)
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it says where it keeps its fonts if not at home
    code = answer(sys.argv[1:])
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)  # nothing is left to stop
    gc.freeze()  # nor to tidy up: that takes longer than to end
    sys.exit(code)


def answer(arguments: Sequence[str]) -> int:
    """Do what the arguments ask for. Returns the exit code; a fault of our own is raised."""
    try:
        _must_be_text(arguments)
        return app(arguments or ["--help"], standalone_mode=False) or 0
    except UsageError as error:  # pyright: ignore[reportGeneralTypeIssues]  BadParameter has a base
        return _refuse(f"{error.format_message().rstrip('.')}; see --help")
    except SamplerBenchError as error:
        return _refuse(str(error))
    except storage_errors() as error:  # a disk that is full, a bucket out of reach
        return _refuse(f"a file was refused: {error}")
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED


def _must_be_text(arguments: Sequence[str]) -> None:
    for place, argument in enumerate(arguments, 1):
        if NO_TEXT.search(argument):
            raise InputError(
                f"argument {place} is no text: {argument!r} has bytes that are not UTF-8, or a 0"
            )


def _refuse(reason: str) -> int:
    say(f"error: {reason}")
    return BAD_INPUT


def _stop(*_: object) -> None:
    """Stop in good order; at once if asked again: files are whole at any moment, servers end with us."""
    for number in STOPS:
        signal.signal(number, _stop_at_once)
    raise KeyboardInterrupt


def _stop_at_once(*_: object) -> None:
    os.write(2, b"stopped at once; what was measured is kept\n")
    os._exit(INTERRUPTED)
