"""The command line: parse, call one function, print. Errors are one sentence on stderr and exit code 2."""

import os
import signal
import sys

import typer

from sampler_bench.cli import measuring, reports, truths  # noqa: F401  they make the commands
from sampler_bench.cli.options import app
from sampler_bench.errors import SamplerBenchError
from sampler_bench.files import storage_errors

BAD_INPUT = 2
INTERRUPTED = 130
STOPS = (signal.SIGINT, signal.SIGTERM)
UsageError = typer.BadParameter.__base__  # click's own, or that of the click inside newer typers


def main() -> None:
    """Entry point of the console script."""
    for number in STOPS:
        signal.signal(number, _stop)
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except UsageError as error:
        code = _refuse(f"{error.format_message().rstrip('.')}; see --help")
    except SamplerBenchError as error:
        code = _refuse(str(error))
    except storage_errors() as error:  # a disk that is full while kernels are cached, a bucket out of reach
        code = _refuse(f"a file was refused: {error}")
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)  # nothing is left to stop
    sys.exit(code)


def _refuse(reason: str) -> int:
    print(f"error: {reason}", file=sys.stderr)
    return BAD_INPUT


def _stop(*_: object) -> None:
    """Stop in good order; at once if asked again: files are whole at any moment, servers end with us."""
    for number in STOPS:
        signal.signal(number, _stop_at_once)
    raise KeyboardInterrupt


def _stop_at_once(*_: object) -> None:
    os.write(2, b"stopped at once; what was measured is kept\n")
    os._exit(INTERRUPTED)
