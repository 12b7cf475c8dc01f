"""The command line: parse, call one function, print. Errors are one sentence on stderr and exit code 2."""

import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from sampler_bench.errors import InputError, SamplerBenchError
from sampler_bench.targets import Mixture
from sampler_bench.targets.truth_cache import ORIGINS
from sampler_bench.targets.tuple_names import TUPLES, parse_tuple, tuple_name
from sampler_bench.tasks import Catalog, load_task

BAD_INPUT = 2
INTERRUPTED = 130
STOPS = (signal.SIGINT, signal.SIGTERM)
UsageError = typer.BadParameter.__base__  # click's own, or that of the click inside newer typers


def _tuple_name(text: str) -> str:
    return tuple_name(parse_tuple(text))


app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    help="How far is a language model from the exact distribution, digit by digit?",
)
console = Console(highlight=False)

TaskName = Annotated[
    str, typer.Argument(metavar="TASK", help="A task's name; `sampler-bench tasks` lists them.")
]
TaskFolders = Annotated[
    list[Path] | None,
    typer.Option("--tasks", metavar="DIR", help="A folder with more tasks, suites and arms."),
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


@app.command()
def run(
    suite: Annotated[str, typer.Argument(metavar="SUITE", help="A suite or a single task.")],
    model: Annotated[
        list[str],
        typer.Option(help="Reference sampler, smollm2-135m, model folder, Hugging Face id, or served name."),
    ],
    arm: Annotated[
        list[str] | None, typer.Option(help="Way of asking; direct and cot if none is named.")
    ] = None,
    decoder: Annotated[
        list[str] | None,
        typer.Option(help="Rule for drawing numbers, as in feasible or ancestral:temperature=0.7."),
    ] = None,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run's folder; results/SUITE by default.")
    ] = None,
    numbers: Annotated[int | None, typer.Option(help="Numbers per task to read conditionals along.")] = None,
    samples: Annotated[int | None, typer.Option(help="Answers per task and arm, over its wordings.")] = None,
    base_url: BaseUrls = None,
    timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="Silence after which a request has failed.")
    ] = 600,
    api_key: Annotated[
        str | None,
        typer.Option(envvar="VLLM_API_KEY", show_default=False, help="For --base-url; never stored."),
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port of the server started here; a free one by default.")
    ] = None,
    vllm_arg: VllmArgs = None,
    tasks: TaskFolders = None,
    quiet: Quiet = False,
) -> None:
    """Measure models on a suite. The same command again measures only what is missing."""
    from sampler_bench import benchmark
    from sampler_bench.models.sources import ServerOptions

    server = ServerOptions(base_url or (), api_key, timeout, port, vllm_arg or ())
    with _saying_what_is_kept("what was measured"):
        benchmark.run(
            suite, model, arm or ("direct", "cot"), decoders=decoder or ("ancestral",), seed=seed, out=out,
            numbers=numbers, samples=samples, server=server, task_folders=tasks or (), quiet=quiet,
        )  # fmt: skip
    _print_leaderboard(
        [out or benchmark.RESULTS], out or benchmark.RESULTS, only=(out or Path(suite)).resolve().name
    )


@app.command()
def leaderboard(
    runs: Annotated[
        list[Path] | None, typer.Argument(metavar="[DIR]...", help="Run folders, or folders of them.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Where leaderboard.html, .csv and .md go; the first DIR by default."
        ),
    ] = None,
) -> None:
    """Print the leaderboard of finished runs, and write it as an HTML page, CSV and Markdown."""
    from sampler_bench import benchmark

    folders = runs or [benchmark.RESULTS]
    _print_leaderboard(folders, out or folders[0])


@app.command(name="tasks")
def list_tasks(
    suite: Annotated[
        str | None, typer.Argument(metavar="[SUITE]", help="Only the tasks of this suite, in its order.")
    ] = None,
    tasks: TaskFolders = None,
) -> None:
    """List tasks, suites and arms."""
    from sampler_bench.report.terminal import task_table

    catalog = Catalog(tasks or ())
    names = catalog.suite(suite).tasks if suite else catalog.task_names()
    console.print(task_table([catalog.task(name) for name in names]))
    if suite:
        return
    for name in catalog.suite_names():
        console.print(f"\nsuite {name}: {', '.join(catalog.suite(name).tasks)}")
    console.print()
    for name in catalog.arm_names():
        console.print(f"arm {name}: {catalog.arm(name).title}")


@app.command()
def score(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="A run's folder.")],
) -> None:
    """Score a run again from its records, measuring nothing, and print its leaderboard."""
    from sampler_bench.publish import rescore

    rescore(run)
    _print_leaderboard([run], run)


@app.command()
def figures(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="A finished run's folder.")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the figures go; DIR/figures by default.")
    ] = None,
) -> None:
    """Draw all figures of a finished run, as SVG and PNG."""
    from sampler_bench.publish import write_figures

    for path in write_figures(run, out or run / "figures"):
        console.print(str(path), soft_wrap=True)


@app.command()
def show(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="A finished run's folder.")],
    number: Annotated[str, typer.Option(metavar="X", help="A number that conditionals were read along.")],
    task: Annotated[str | None, typer.Option(help="Needed if several tasks have the number.")] = None,
    model: Annotated[str | None, typer.Option(help="Needed if several models were measured.")] = None,
    arm: Annotated[str | None, typer.Option(help="Needed if the model has several.")] = None,
    decoder: Annotated[str | None, typer.Option(help="Needed if the arm has several.")] = None,
) -> None:
    """Show one number digit by digit: the truth, the model, and where it went wrong."""
    from sampler_bench.publish import conditionals_along
    from sampler_bench.report.number import number_table

    said = {"task": task, "model": model, "arm": arm, "decoder": decoder}
    console.print(number_table(conditionals_along(run, number, said), number))


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(metavar="DIR", help="A finished run's folder.")],
    after: Annotated[Path, typer.Argument(metavar="DIR", help="Another's.")],
) -> None:
    """Compare two runs: skill and validity, and whether a change is more than noise (*)."""
    from sampler_bench.publish import read_scores
    from sampler_bench.report.comparison import comparison, comparison_table

    found = comparison(read_scores(before), read_scores(after))
    if found.empty:
        raise InputError(f"{before} and {after} have no task, model and arm in common")
    console.print(comparison_table(found))


@app.command()
def export(
    run: Annotated[Path, typer.Argument(metavar="DIR", help="A finished run's folder.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the dataset goes.")],
    form: Annotated[str, typer.Option("--format", help="parquet or csv.")] = "parquet",
) -> None:
    """Write a run as a dataset: a file a table, and a card that Hugging Face datasets reads."""
    from sampler_bench.export import export as write

    for path in write(run, out, form):
        console.print(str(path), soft_wrap=True)


@app.command()
def truth(
    task: TaskName,
    prefix: Annotated[str, typer.Option(metavar="U", help="Digits already written.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    tasks: TaskFolders = None,
) -> None:
    """Show the exact distribution of the next digit after a prefix."""
    from sampler_bench.report.terminal import conditional_table

    found = load_task(task, tasks or ())
    count, conditional = found.target.count(prefix), found.target.conditional(prefix)
    origin = "computed" if ORIGINS["computed"] else "read" if ORIGINS["read"] else "direct"
    if as_json:
        answer = {
            "task": found.name,
            "task_version": found.version,
            "prefix": prefix,
            "count": None if count is None else str(count),
            "p": conditional.p.tolist(),
            "method": conditional.method,
            "bound": conditional.bound,
            "origin": origin,
        }
        if isinstance(found.target, Mixture):
            answer["posterior"] = found.target.posterior(prefix).tolist()
        print(json.dumps(answer))
    else:
        console.print(conditional_table(found, prefix, conditional))
        if ORIGINS["read"] and not ORIGINS["computed"]:
            console.print("read from disk")


@app.command()
def draw(
    task: TaskName,
    size: Annotated[int, typer.Option("-n", min=1, help="How many.")] = 1,
    seed: Seed = 0,
    tasks: TaskFolders = None,
) -> None:
    """Draw exact random members, one a line."""
    for number in load_task(task, tasks or ()).target.sample(size, np.random.default_rng(seed)):
        print(number)


@app.command()
def check(
    task: TaskName,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Digits.")],
    tasks: TaskFolders = None,
) -> None:
    """Say whether a number belongs to a task's set: exit code 0 if so, 1 if not."""
    found = load_task(task, tasks or ())
    if not (number.isascii() and number.isdigit()):
        raise InputError(f"{number!r} is not a number in digits 0-9")
    belongs = found.target.contains(number)
    console.print(f"{number} is {'a' if belongs else 'no'} member: {found.title}", soft_wrap=True)
    raise typer.Exit(0 if belongs else 1)


@app.command()
def count(
    tuple_: TupleName,
    lo: Annotated[str, typer.Argument(metavar="LO", help="First number; 1e12 is understood.")],
    hi: Annotated[str, typer.Argument(metavar="HI", help="One beyond the last.")],
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Count the members of a tuple of primes from LO on, below HI. Stopped, it goes on from there."""
    from sampler_bench.report.progress import share_done
    from sampler_bench.targets.tables import count_members

    begin, end = _integer(lo), _integer(hi)
    with (
        _saying_what_is_kept("every 10^11 counted"),
        share_done(f"{tuple_} from {lo} to {hi}", quiet) as report,
    ):
        total = count_members(tuple_, begin, end, threads, report)
    print(total)


@app.command()
def table(
    tuple_: TupleName,
    digits: Annotated[int, typer.Option(help="Digits of the numbers counted.")],
    depth: Annotated[int, typer.Option(help="Digits of the prefixes.")],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the file goes; the cache by default.")
    ] = None,
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Count the members of a tuple of primes by their first digits. Stopped, it goes on from there."""
    from sampler_bench.report.progress import share_done
    from sampler_bench.targets.tables import make_table, read_table

    with (
        _saying_what_is_kept("every ninetieth of a large table"),
        share_done(f"{tuple_} of {digits} digits, by {depth}", quiet) as report,
    ):
        path = make_table(tuple_, digits, depth, threads, report, out)
    made = read_table(path)
    console.print(
        f"{made.count('')} {made.name} of {digits} digits, by {len(made.counts)} prefixes: {path}",
        soft_wrap=True,
    )


@app.command()
def serve(
    model: Annotated[
        str, typer.Argument(help="smollm2-135m, a model folder or a Hugging Face id.")
    ] = "smollm2-135m",
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8000,
    vllm_arg: VllmArgs = None,
) -> None:
    """Serve a model with vLLM on this machine until Ctrl-C."""
    from sampler_bench.models.sources import ServerOptions, find_model
    from sampler_bench.report.progress import Display

    source = find_model(model, ServerOptions(port=port, vllm_args=vllm_arg or ()))
    if source.reference:
        raise InputError(f"{model} is a reference sampler; it runs inside sampler-bench and needs no server")
    display = Display()
    with source.serve(display.say) as server:
        console.print(f"{source.name} at {server.base_url}; Ctrl-C stops it")
        server.wait()


@app.command()
def doctor(base_url: BaseUrl = None) -> None:
    """Look at this machine and say what is missing for a run: exit code 1 if anything is."""
    from sampler_bench.doctor import examine

    table = Table(box=None, show_header=False)
    healthy = True
    for item in examine(base_url):
        healthy = healthy and not item.advice
        table.add_row("[red]✗" if item.advice else "[green]✓", item.what, item.found)
        if item.advice:
            table.add_row("", "", f"→ {item.advice}")
    console.print(table)
    raise typer.Exit(0 if healthy else 1)


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
    except OSError as error:  # a disk that is full while kernels are cached, a pipe that closed, ...
        code = _refuse(f"the system refused a file: {error}")
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    for number in STOPS:
        signal.signal(number, signal.SIG_IGN)  # nothing is left to stop
    sys.exit(code)


def _integer(text: str) -> int:
    mantissa, _, exponent = text.replace("_", "").lower().partition("e")
    if not re.fullmatch(r"-?[0-9]+", mantissa) or not re.fullmatch(r"[0-9]{0,4}", exponent):
        raise InputError(f"{text!r} is not an integer, such as 1000 or 1e3")
    return int(mantissa) * 10 ** int(exponent or 0)


@contextmanager
def _saying_what_is_kept(what: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        print(f"stopped; {what} is kept, the same command goes on from there", file=sys.stderr)
        raise


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


def _print_leaderboard(runs: list[Path], out: Path, only: str | None = None) -> None:
    from sampler_bench.publish import write_leaderboard
    from sampler_bench.report.leaderboard import caption, terminal_tables

    board = write_leaderboard(runs, out)
    for table in terminal_tables(board if only is None else board[board["run"] == only]):
        console.print(table)
    console.print(caption())
    console.print(f"written: {out / 'leaderboard.html'}, .md and .csv", soft_wrap=True)
