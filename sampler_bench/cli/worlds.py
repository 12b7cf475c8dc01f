"""Commands that train small models where the truth of the training is known."""

import re
from fractions import Fraction
from pathlib import Path
from typing import Annotated

import typer

from sampler_bench.cli.options import (
    Quiet,
    RayAddress,
    Seed,
    TaskFolders,
    app,
    console,
    joined,
    place,
    saying_what_is_kept,
)
from sampler_bench.errors import InputError
from sampler_bench.files import is_remote
from sampler_bench.integers import shown

UNITS = {"": 1, "k": 10**3, "m": 10**6}
COUNT = re.compile(r"([0-9]{1,13}(?:\.[0-9]{1,6})?)([km]?)")
MOST = 10**10


def count(text: str) -> int:
    """A number as in 400k or 1.5M.

    Raises
    ------
    InputError
        If it is none, or not whole.
    """
    written = COUNT.fullmatch(text.strip().lower())
    found = Fraction(written[1]) * UNITS[written[2]] if written else Fraction(0)
    if not 1 <= found <= MOST or found != int(found):
        raise InputError(f"{shown(text)!r} is no count such as 400k, 1.5M or 25000, up to 10000M")
    return int(found)


def folder(text: str) -> Path:
    """A folder of this machine.

    Raises
    ------
    InputError
        If it is elsewhere, or no path.
    """
    path = place(text)
    if is_remote(path):
        raise InputError(f"{text} is elsewhere; models are trained into a folder of this machine")
    return path


Parameters = Annotated[
    int, typer.Option(metavar="COUNT", parser=count, help="Parameters of the model, about, as in 400k or 2M.")
]
Numbers = Annotated[
    int, typer.Option(metavar="COUNT", parser=count, help="Numbers that it sees, as in 400k or 10M.")
]


@app.command()
def train(
    world: Annotated[
        str, typer.Argument(metavar="WORLD", help="A world, or a task: the world of that task.")
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", parser=folder, help="The model's folder.")],
    parameters: Parameters = "400k",  # pyright: ignore[reportArgumentType]  it is parsed
    numbers: Numbers = "400k",  # pyright: ignore[reportArgumentType]
    seed: Seed = 0,
    tasks: TaskFolders = None,
    quiet: Quiet = False,
) -> None:
    """Train a small model on exact draws. The same command again goes on where it was stopped."""
    from sampler_bench.lab.training import Training, training_note
    from sampler_bench.lab.training import train as trained
    from sampler_bench.report.progress import share_done
    from sampler_bench.tasks import Catalog

    catalog = Catalog(tasks or ())
    training = Training(catalog.world(world), catalog, parameters, numbers, seed)
    with (
        saying_what_is_kept("the last sixteenth of the training"),
        share_done(f"{world}: {numbers:,} numbers", quiet) as report,
    ):
        trained(training, out, lambda seen, loss: report(seen / numbers))  # noqa: ARG005
    note = training_note(out)
    console.print(
        f"{out}: {note['size']:,} parameters, loss {note['loss'][-1][1]:.3f} nats a document at the end; "
        f"the entropy of the world, its floor, is {note['floor']:.3f}",
        soft_wrap=True,
    )


@app.command()
def learn(
    worlds: Annotated[
        list[str],
        typer.Argument(metavar="SUITE", help="Suites: a model for each task. Or worlds: one for all of it."),
    ],
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", parser=folder, help="Where models, runs and figures go.")
    ],
    budgets: Annotated[
        list[int] | None,
        typer.Option(metavar="COUNT", parser=count, help="Parameters of models; 400k if none is named."),
    ] = None,
    numbers: Numbers = "400k",  # pyright: ignore[reportArgumentType]
    tokens: Annotated[
        int | None,
        typer.Option(metavar="COUNT", parser=count, help="Tokens of answers that each sees, not --numbers."),
    ] = None,
    seed: Seed = 0,
    tasks: TaskFolders = None,
    ray: RayAddress = None,
    quiet: Quiet = False,
) -> None:
    """Train models, measure them on the way, draw what they learn. Run again, it does what is missing."""
    from sampler_bench import learning
    from sampler_bench.report.progress import Display

    with (
        saying_what_is_kept("what was trained and measured"),
        joined(ray) as executor,
        Display(quiet) as display,
    ):
        table = learning.learn(
            worlds,
            out,
            budgets or [learning.PARAMETERS],
            numbers,
            tokens,
            seed,
            tasks or (),
            executor,
            display,
        )
    for line in learning.in_words(table):
        console.print(line, soft_wrap=True)
    console.print(f"written: {out}/learning.csv, and figures beside it", soft_wrap=True)
