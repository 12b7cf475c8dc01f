"""Commands about the truth: they measure nothing."""

import json
import re
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from sampler_bench.cli.options import (
    Quiet,
    Ray,
    Seed,
    TaskFolders,
    TaskName,
    Threads,
    TupleName,
    app,
    console,
    joined,
    saying_what_is_kept,
)
from sampler_bench.errors import InputError
from sampler_bench.files import location
from sampler_bench.targets import Mixture
from sampler_bench.targets.truth_cache import ORIGINS
from sampler_bench.tasks import Catalog, load_task


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
        saying_what_is_kept("every 10^11 counted"),
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
        Path | None,
        typer.Option(metavar="DIR", parser=location, help="Where the file goes; the cache by default."),
    ] = None,
    threads: Threads = None,
    ray: Ray = None,
    quiet: Quiet = False,
) -> None:
    """Count the members of a tuple of primes by their first digits. Stopped, it goes on from there."""
    from sampler_bench.report.progress import share_done
    from sampler_bench.targets.tables import make_table, read_table

    with (
        saying_what_is_kept("every ninetieth of a large table"),
        joined(ray) as cluster,
        share_done(f"{tuple_} of {digits} digits, by {depth}", quiet) as report,
    ):
        path = make_table(tuple_, digits, depth, threads, report, out, cluster)
    made = read_table(path)
    console.print(
        f"{made.count('')} {made.name} of {digits} digits, by {len(made.counts)} prefixes: {path}",
        soft_wrap=True,
    )


def _integer(text: str) -> int:
    mantissa, _, exponent = text.replace("_", "").lower().partition("e")
    if not re.fullmatch(r"-?[0-9]+", mantissa) or not re.fullmatch(r"[0-9]{0,4}", exponent):
        raise InputError(f"{text!r} is not an integer, such as 1000 or 1e3")
    return int(mantissa) * 10 ** int(exponent or 0)
