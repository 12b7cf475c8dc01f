"""The app, and the options and other things that several commands share."""

import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from sampler_bench.errors import InputError
from sampler_bench.executor.executor import Executor
from sampler_bench.executor.ray_cluster import Ray
from sampler_bench.files import is_remote, location
from sampler_bench.integers import shown
from sampler_bench.report.console import PlainConsole
from sampler_bench.secrets import without_secrets
from sampler_bench.targets.counting.tuple_names import TUPLES, parse_tuple, tuple_name

if TYPE_CHECKING:
    import pandas as pd

    Place = Path  # what ``place`` makes, here or behind a URL
else:
    # Older typers turn whatever an argument annotated Path yields into a Path, what is behind a URL too.
    # Help shows the name.
    Place = type("path or URL", (), {})

console, errors = PlainConsole(), PlainConsole(stderr=True)  # what was asked for, and all else
WIDEST_HELP = 80  # columns
app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # square brackets in help are square brackets, and any width and encoding will do
    context_settings={"terminal_width": min(console.width, WIDEST_HELP)},
    help="How far is a language model from the exact distribution, digit by digit?",
)

DEEPEST = 100  # folders in one another
LONGEST_NAME = 255  # bytes, where Linux ends
LOCAL = ("file", "local")  # kinds of URLs that mean this machine


def place(text: str) -> Path:
    """Where something is or goes, from a path or a URL.

    Raises
    ------
    InputError
        If it can be no path, or ``location`` refuses the URL.
    """
    path = location(text)
    if is_remote(path) and path.protocol in LOCAL:
        path = Path(path.path)
    if is_remote(path):
        if path.protocol != "memory" and not urlsplit(text).netloc:
            raise InputError(f"{text!r} names no bucket: it would be {path.protocol}://BUCKET/FOLDER")
        return path
    if not text:
        raise InputError("a path is empty; the folder that one is in is .")
    if len(path.parts) > DEEPEST:
        raise InputError(f"a path of {len(path.parts)} folders in one another; at most {DEEPEST} will do")
    for name in path.parts:
        if len(os.fsencode(name)) > LONGEST_NAME:
            raise InputError(
                f"the name {name[:20]}... in a path has {len(name)} characters; no file has over 255"
            )
    return path


def json_object(text: str | dict) -> dict:
    """What JSON text says, or the table of a file. Raises InputError if it is no object."""
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError) as error:
        raise InputError(f'{shown(str(text))!r} is no JSON ({error}); as in {{"a": 1}}') from error
    if not isinstance(found, dict):
        raise InputError(f'{shown(str(text))!r} is no JSON object; it would be as in {{"a": 1}}')
    return found


def _tuple_name(text: str) -> str:
    return tuple_name(parse_tuple(text))


def _threads(asked: int | None) -> int | None:
    cores = len(os.sched_getaffinity(0))
    if asked is not None and asked > cores:
        say(f"--threads {asked}: there are {cores} cores, so {cores} threads work")
        return cores
    return asked


TaskName = Annotated[
    str, typer.Argument(metavar="TASK", help="A task's name; `sampler-bench tasks` lists them.")
]
TaskFolders = Annotated[
    list[Path] | None,
    typer.Option("--tasks", metavar="DIR", help="A folder with more tasks, suites and arms."),
]
RunFolders = Annotated[
    list[Place] | None,
    typer.Argument(metavar="DIR", parser=place, help="Run folders, or folders of them; URLs too."),
]
Run = Annotated[
    Place, typer.Argument(metavar="DIR", parser=place, help="A finished run's folder, or its URL.")
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray", metavar="ADDRESS", help="Work on this Ray cluster; local starts one here, auto finds it."
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of everything random.")]
BaseUrl = Annotated[str | None, typer.Option(metavar="URL", help="A running vLLM server to use.")]
BaseUrls = Annotated[
    list[str] | None,
    typer.Option(
        "--base-url", metavar="URL", help="A running vLLM server, or a chat API; several share the load."
    ),
]
TupleName = Annotated[
    str,
    typer.Argument(
        metavar="TUPLE",
        callback=_tuple_name,
        help=f"{', '.join(TUPLES)}, or forms as in n,n+2,2n+1.",
    ),
]
Threads = Annotated[
    int | None, typer.Option(min=1, callback=_threads, help="Threads; all cores by default, and no more.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing while working.")]
VllmArgs = Annotated[
    list[str] | None,
    typer.Option(
        "--vllm-arg", metavar="ARG", help="Passed to the vLLM started here, as in --vllm-arg=--dtype=half."
    ),
]
Loras = Annotated[
    list[str] | None,
    typer.Option("--lora", metavar="NAME=FOLDER", help="A LoRA adapter of the model that is served here."),
]


def joined(ray: str | None) -> AbstractContextManager[Executor | None]:
    """The Ray cluster at an address, or nothing."""
    return Ray(ray) if ray else nullcontext()


@contextmanager
def saying_what_is_kept(what: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        say(f"stopped; {what} is kept, the same command goes on from there")
        raise


def print_tables(board: "pd.DataFrame") -> None:
    """Print a leaderboard."""
    from sampler_bench.report.leaderboard import caption, terminal_tables

    console.print(*terminal_tables(board, console.width))
    console.print(caption(board))


def publish(runs: list[Path], out: Path, show: bool) -> None:
    """Write the leaderboard of runs; say where, and which of them were left out and why."""
    from sampler_bench.publish import write_leaderboard

    board = write_leaderboard(runs, out, say)
    if show:
        print_tables(board)
    console.print(f"written: {out / 'leaderboard.html'}, .md and .csv", soft_wrap=True)


def say(line: str) -> None:
    """Say something that is not what was asked for: on stderr."""
    errors.print(without_secrets(line), soft_wrap=True)
