"""Commands that read what was measured."""

from pathlib import Path
from typing import Annotated

import typer

from sampler_bench.cli.options import Run, RunFolders, app, console, print_leaderboard
from sampler_bench.errors import InputError
from sampler_bench.files import location


@app.command()
def leaderboard(
    runs: RunFolders = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            parser=location,
            help="Where leaderboard.html, .csv and .md go; the first DIR by default.",
        ),
    ] = None,
) -> None:
    """Print the leaderboard of finished runs, and write it as an HTML page, CSV and Markdown."""
    from sampler_bench import benchmark

    folders = runs or [benchmark.RESULTS]
    print_leaderboard(folders, out or folders[0])


@app.command()
def figures(
    run: Run,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", parser=location, help="Where the figures go; DIR/figures by default."),
    ] = None,
) -> None:
    """Draw all figures of a finished run, as SVG and PNG."""
    from sampler_bench.publish import write_figures

    for path in write_figures(run, out or run / "figures"):
        console.print(str(path), soft_wrap=True)


@app.command()
def show(
    run: Run,
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
    before: Run,
    after: Run,
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
    run: Run,
    out: Annotated[Path, typer.Option(metavar="DIR", parser=location, help="Where the dataset goes.")],
    form: Annotated[str, typer.Option("--format", help="parquet or csv.")] = "parquet",
) -> None:
    """Write a run as a dataset: a file a table, and a card that Hugging Face datasets reads."""
    from sampler_bench.export import export as write

    for path in write(run, out, form):
        console.print(str(path), soft_wrap=True)
