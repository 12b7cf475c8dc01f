"""The app, and the options and other things that several commands share."""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from sampler_bench.cluster import Cluster
from sampler_bench.files import location
from sampler_bench.targets.tuple_names import TUPLES, parse_tuple, tuple_name

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="How far is a language model from the exact distribution, digit by digit?",
)
console = Console(highlight=False)


def _tuple_name(text: str) -> str:
    return tuple_name(parse_tuple(text))


TaskName = Annotated[
    str, typer.Argument(metavar="TASK", help="A task's name; `sampler-bench tasks` lists them.")
]
TaskFolders = Annotated[
    list[Path] | None,
    typer.Option("--tasks", metavar="DIR", help="A folder with more tasks, suites and arms."),
]
RunFolders = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[DIR]...", parser=location, help="Run folders, or folders of them; URLs too."),
]
Run = Annotated[
    Path, typer.Argument(metavar="DIR", parser=location, help="A finished run's folder, or its URL.")
]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray", metavar="ADDRESS", help="Work on this Ray cluster; local starts one here, auto finds it."
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of everything random.")]
BaseUrl = Annotated[str | None, typer.Option(metavar="URL", help="A running vLLM server to use.")]
BaseUrls = Annotated[
    list[str] | None,
    typer.Option("--base-url", metavar="URL", help="A running vLLM server; several share the load."),
]
TupleName = Annotated[
    str,
    typer.Argument(
        metavar="TUPLE",
        callback=_tuple_name,
        help=f"{', '.join(TUPLES)}, or forms as in n,n+2,2n+1.",
    ),
]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads; all cores by default.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing while working.")]
VllmArgs = Annotated[
    list[str] | None,
    typer.Option(
        "--vllm-arg", metavar="ARG", help="Passed to the vLLM started here, as in --vllm-arg=--dtype=half."
    ),
]


def joined(ray: str | None) -> AbstractContextManager[Cluster | None]:
    """The cluster at an address, or nothing."""
    return Cluster(ray) if ray else nullcontext()


@contextmanager
def saying_what_is_kept(what: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        print(f"stopped; {what} is kept, the same command goes on from there", file=sys.stderr)
        raise


def print_leaderboard(runs: list[Path], out: Path, only: str | None = None) -> None:
    from sampler_bench.publish import write_leaderboard
    from sampler_bench.report.leaderboard import caption, terminal_tables

    board = write_leaderboard(runs, out)
    for table in terminal_tables(board if only is None else board[board["run"] == only]):
        console.print(table)
    console.print(caption())
    console.print(f"written: {out / 'leaderboard.html'}, .md and .csv", soft_wrap=True)
