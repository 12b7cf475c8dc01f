"""Commands that read what was measured."""

from typing import Annotated

import typer

from sampler_bench.cli.options import Place, Run, RunFolders, app, console, place, publish
from sampler_bench.errors import InputError


@app.command()
def leaderboard(
    runs: RunFolders = None,
    out: Annotated[
        Place | None,
        typer.Option(
            metavar="DIR",
            parser=place,
            help="Where leaderboard.html, .csv and .md go; the first DIR by default.",
        ),
    ] = None,
) -> None:
    """Print the leaderboard of finished runs. It is written, too, as an HTML page, CSV and Markdown."""
    from sampler_bench import benchmark

    folders = runs or [benchmark.RESULTS]
    publish(folders, out or folders[0], show=True)


@app.command()
def figures(
    run: Run,
    out: Annotated[
        Place | None,
        typer.Option(metavar="DIR", parser=place, help="Where the figures go; DIR/figures by default."),
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
    """Show one number digit by digit. The truth, the model, and where it went wrong."""
    from sampler_bench.publish import conditionals_along
    from sampler_bench.report.number import number_table

    said = {"task": task, "model": model, "arm": arm, "decoder": decoder}
    console.print(number_table(conditionals_along(run, number, said), number, console.width))


@app.command()
def compare(
    before: Run,
    after: Run,
) -> None:
    """Compare two runs. Skill and validity; * marks a change that is more than noise."""
    from sampler_bench.publish import read_scores
    from sampler_bench.report.comparison import comparison, comparison_tables

    found = comparison(read_scores(before), read_scores(after))
    if found.empty:
        raise InputError(f"{before} and {after} have no task, model and arm in common")
    console.print(*comparison_tables(found, console.width))


@app.command()
def export(
    run: Run,
    out: Annotated[Place, typer.Option(metavar="DIR", parser=place, help="Where the dataset goes.")],
    form: Annotated[str, typer.Option("--format", help="parquet or csv.")] = "parquet",
) -> None:
    """Write a run as a dataset. A file a table, and a card that Hugging Face datasets reads."""
    from sampler_bench.export import export as write

    for path in write(run, out, form):
        console.print(str(path), soft_wrap=True)
