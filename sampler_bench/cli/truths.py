"""Commands about the truth: they measure nothing."""

import json
import re
from typing import Annotated

import typer

from sampler_bench.cli.options import (
    Place,
    Quiet,
    RayAddress,
    Seed,
    TaskFolders,
    TaskName,
    Threads,
    TupleName,
    app,
    console,
    joined,
    place,
    saying_what_is_kept,
)
from sampler_bench.errors import InputError
from sampler_bench.integers import shown, to_text
from sampler_bench.targets.counting.tuple_names import SAFE, TUPLES, parse_progression

INTEGER = re.compile(r"(-?[0-9]+(?:_[0-9]+)*)(?:[eE]([0-9]+))?")
MOST_EDGE = 100  # digits of an end that is read at all
LIMIT = "2^64 - 10^10"  # of kernels.count_tuples
MOST_DRAWN = 10**7
MOST_CHARACTERS = 10**8


@app.command(name="tasks")
def list_tasks(
    suite: Annotated[
        str | None, typer.Argument(metavar="SUITE", help="Only the tasks of this suite, in its order.")
    ] = None,
    tasks: TaskFolders = None,
) -> None:
    """List tasks, suites and arms."""
    from sampler_bench.report.terminal import task_tables
    from sampler_bench.tasks import Catalog
    from sampler_bench.tasks.sizes import with_sizes

    catalog = Catalog(tasks or ())
    names = catalog.task_names() if suite is None else catalog.suite(suite).tasks
    console.print(*task_tables(with_sizes(catalog, names), console.width))
    if suite is not None:
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
    from sampler_bench.targets.counting.truth_cache import ORIGINS
    from sampler_bench.targets.families.mixtures import Mixture
    from sampler_bench.tasks import load_task

    found = load_task(task, tasks or ())
    count, conditional = found.target.count(prefix), found.target.conditional(prefix)
    origin = "computed" if ORIGINS["computed"] else "read" if ORIGINS["read"] else "direct"
    if as_json:
        answer = {
            "task": found.name,
            "task_version": found.version,
            "prefix": prefix,
            "count": None if count is None else to_text(count),
            "p": conditional.p.tolist(),
            "method": conditional.method,
            "bound": conditional.bound,
            "origin": origin,
        }
        if isinstance(found.target, Mixture):
            answer["posterior"] = found.target.posterior(prefix).tolist()
        print(json.dumps(answer))
    else:
        console.print(conditional_table(found, prefix, conditional, console.width))
        if ORIGINS["read"] and not ORIGINS["computed"]:
            console.print("read from disk")


@app.command()
def draw(
    task: TaskName,
    size: Annotated[int, typer.Option("-n", min=1, max=MOST_DRAWN, help="How many.")] = 1,
    seed: Seed = 0,
    tasks: TaskFolders = None,
) -> None:
    """Draw exact random members, one a line."""
    import numpy as np

    from sampler_bench.tasks import load_task

    target = load_task(task, tasks or ()).target
    if size * target.digits > MOST_CHARACTERS:
        raise InputError(
            f"{size} numbers of {target.digits} digits: up to {MOST_CHARACTERS} digits are drawn at once"
        )
    for number in target.sample(size, np.random.default_rng(seed)):
        print(number)


@app.command()
def check(
    task: TaskName,
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Digits.")],
    tasks: TaskFolders = None,
) -> None:
    """Say whether a number belongs to a task's set, and if not why. Exit code 0 if so, 1 if not."""
    from sampler_bench.tasks import load_task

    found = load_task(task, tasks or ())
    if not (number.isascii() and number.isdigit()):
        raise InputError(f"{shown(number)!r} is not a number in digits 0-9")
    reason = found.target.why_not(number)
    console.print(f"{number} is {'no' if reason else 'a'} member: {found.title}", soft_wrap=True)
    if reason:
        console.print(f"why: {reason}", soft_wrap=True)
    raise typer.Exit(1 if reason else 0)


@app.command(context_settings={"ignore_unknown_options": True})  # -5 is a number here
def count(
    tuple_: Annotated[
        str,
        typer.Argument(metavar="TUPLE", help=f"{', '.join((*TUPLES, SAFE))}, or forms as in n,n+2,2n+1."),
    ],
    lo: Annotated[str, typer.Argument(metavar="LO", help="First number; 1e12 is understood.")],
    hi: Annotated[str, typer.Argument(metavar="HI", help="One beyond the last.")],
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Count the members of a constellation from LO on, below HI. Stopped, it goes on from there."""
    from sampler_bench.report.progress import share_done
    from sampler_bench.targets.counting.kept_counts import count_members

    counted, edges = parse_progression(tuple_), [_edge(text) for text in (lo, hi)]
    if edges[0] > edges[1]:
        raise InputError(f"an interval goes upward, but {hi} is below {lo}")
    begin, end = counted.places(*edges)
    with (
        saying_what_is_kept("every 10^11 counted"),
        share_done(f"{tuple_} from {lo} to {hi}", quiet) as report,
    ):
        total = count_members(counted.tuple_name, begin, end, threads, report)
    print(total)


@app.command()
def table(
    tuple_: TupleName,
    digits: Annotated[int, typer.Option(help="Digits of the numbers counted.")],
    depth: Annotated[int, typer.Option(help="Digits of the prefixes.")],
    out: Annotated[
        Place | None,
        typer.Option(metavar="DIR", parser=place, help="Where the file goes; the cache by default."),
    ] = None,
    threads: Threads = None,
    ray: RayAddress = None,
    quiet: Quiet = False,
) -> None:
    """Count the members of a constellation by their first digits. Stopped, it goes on from there."""
    from sampler_bench.report.progress import share_done
    from sampler_bench.targets.counting.tables import make_table, read_table

    with (
        saying_what_is_kept("every ninetieth of a large table"),
        joined(ray) as executor,
        share_done(f"{tuple_} of {digits} digits, by {depth}", quiet) as report,
    ):
        path = make_table(tuple_, digits, depth, threads, report, out, executor)
    made = read_table(path)
    console.print(
        f"{made.count('')} {made.name} of {digits} digits, by {len(made.counts)} prefixes: {path}",
        soft_wrap=True,
    )


def _edge(text: str) -> int:
    """A natural number, as in 1000, 1_000 or 1e3. Raises InputError if it is none, or far too large."""
    match = INTEGER.fullmatch(text)
    if match is None:
        raise InputError(f"{shown(text)!r} is not an integer, such as 1000 or 1e3")
    mantissa, exponent = match[1].replace("_", ""), match[2] or "0"
    if mantissa.startswith("-"):
        raise InputError(f"{shown(text)} is negative: numbers are counted from 0 on")
    if len(mantissa) > MOST_EDGE or len(exponent) > 3 or len(mantissa) + int(exponent) > MOST_EDGE:
        raise InputError(f"{shown(text)} is too large: {LIMIT} is the most that can be sieved")
    return int(mantissa) * 10 ** int(exponent)
