"""Commands that read what was measured."""

from pathlib import Path
from typing import Annotated

import typer

from sampler_bench.cli.options import (
    Place,
    Quiet,
    Run,
    RunFolders,
    TaskFolders,
    app,
    console,
    place,
    publish,
)
from sampler_bench.errors import InputError
from sampler_bench.files import is_remote
from sampler_bench.hub import Push, check_repository
from sampler_bench.hub import push as push_to_hub

LM_EVAL = "lm-eval"


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
    from sampler_bench import api

    folders = runs or [api.RESULTS]
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
    number: Annotated[
        str | None, typer.Option(metavar="X", help="A number that conditionals were read along.")
    ] = None,
    written: Annotated[
        bool, typer.Option("--answers", help="What models wrote, with their answers.")
    ] = False,
    task: Annotated[str | None, typer.Option(help="Needed if several tasks have the number.")] = None,
    model: Annotated[str | None, typer.Option(help="Needed if several models were measured.")] = None,
    arm: Annotated[str | None, typer.Option(help="Needed if the model has several.")] = None,
    decoder: Annotated[str | None, typer.Option(help="Needed if the arm has several.")] = None,
    valid: Annotated[
        bool | None,
        typer.Option(
            "--valid/--invalid", show_default=False, help="Only responses with an answer that is so."
        ),
    ] = None,
    page: Annotated[int, typer.Option(min=1, help="Of the answers.")] = 1,
) -> None:
    """Show one number digit by digit, or what was answered. The truth, the model, and where it went wrong."""
    said = {"task": task, "model": model, "arm": arm, "decoder": decoder}
    if written == (number is not None):
        raise InputError(
            "show needs either --number X, one number digit by digit, or --answers, what models wrote"
        )
    if written:
        from sampler_bench.written import page_of_answers

        console.print(page_of_answers(run, said, valid, page))
        return
    if valid is not None or page > 1:
        raise InputError("--valid, --invalid and --page go with --answers, not with --number")
    from sampler_bench.read_along import conditionals_along
    from sampler_bench.report.number import number_table

    assert number is not None  # or else answers are asked for
    console.print(number_table(conditionals_along(run, number, said), number, console.width))


@app.command()
def compare(
    before: Run,
    after: Run,
    model: Annotated[str | None, typer.Option(metavar="X", help="The model meant, of all there are.")] = None,
    with_model: Annotated[
        str | None, typer.Option("--with", metavar="Y", help="The model that it is compared with.")
    ] = None,
    arm: Annotated[str | None, typer.Option(help="The arm meant, of all there are.")] = None,
    with_arm: Annotated[str | None, typer.Option(help="The arm that it is compared with.")] = None,
    decoder: Annotated[str | None, typer.Option(help="The decoder meant, of all there are.")] = None,
    with_decoder: Annotated[str | None, typer.Option(help="The decoder that it is compared with.")] = None,
    out: Annotated[
        Place | None,
        typer.Option(metavar="DIR", parser=place, help="Where comparison.csv and its figure go, too."),
    ] = None,
) -> None:
    """Compare two runs, or two models, arms or decoders of one or two runs, number by number.

    A run may stand on both sides. * marks a change that is more than noise.
    """
    from sampler_bench.compare import compare as paired
    from sampler_bench.compare import write_comparison
    from sampler_bench.publish import read_scores
    from sampler_bench.report.comparison import comparison, comparison_tables, paired_caption, paired_tables

    of = {"model": model, "arm": arm, "decoder": decoder}
    others = {"model": with_model, "arm": with_arm, "decoder": with_decoder}
    found = paired(before, after, of, others)
    console.print(*paired_tables(found, console.width))
    if not any(others.values()):
        rest = comparison(read_scores(before), read_scores(after), besides=set(found["metric"]))
        if len(rest):
            console.print(*comparison_tables(rest, console.width))
    console.print(paired_caption(found))
    if out:
        for path in write_comparison(found, out):
            console.print(str(path), soft_wrap=True)


@app.command()
def export(
    out: Annotated[Place, typer.Option(metavar="DIR", parser=place, help="Where the dataset goes.")],
    run: Annotated[
        Place | None,
        typer.Argument(
            metavar="DIR", parser=place, help="A finished run's folder or URL; for lm-eval a suite."
        ),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="parquet or csv; of laws lm-eval, too.")] = "parquet",
    soft_targets: Annotated[
        str | None,
        typer.Option(metavar="SUITE", help="In place of a run: the exact laws of a suite or task."),
    ] = None,
    arm: Annotated[
        list[str] | None, typer.Option(help="Prompts of the laws; direct by default, few-shot for lm-eval.")
    ] = None,
    numbers: Annotated[
        int | None,
        typer.Option(help="Numbers a task, each of whose beginnings has a law; the suite's by default."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Of those numbers; 1 by default, for lm-eval 0, as in runs."),
    ] = None,
    push: Annotated[
        str | None,
        typer.Option(
            metavar="REPO",
            help="Upload it to the Hugging Face hub, too, as dataset OWNER/NAME; a new one is private.",
        ),
    ] = None,
    tasks: TaskFolders = None,
    quiet: Quiet = False,
) -> None:
    """Write a run as a dataset, or with --soft-targets exact next-digit laws.

    A file a table, and a card that Hugging Face datasets reads. With --format lm-eval, laws are tasks that
    lm-evaluation-harness runs.
    """
    if form == LM_EVAL and soft_targets is None and run is not None:
        run, soft_targets = None, str(run)
    if (run is None) == (soft_targets is None):
        raise InputError("export needs either DIR, a finished run, or --soft-targets SUITE, exact laws")
    if push is not None:
        _check_push(push, out, form)
    if soft_targets is not None:
        asked = {"numbers": numbers, "task_folders": tasks or ()}
        if seed is not None or form == LM_EVAL:
            asked["seed"] = seed or 0  # as a run, beside whose scores those of lm-eval stand
        written = _export_laws(soft_targets, out, form, arm, quiet, asked)
    else:
        if arm or numbers is not None or seed is not None or tasks:
            raise InputError("--arm, --numbers, --seed and --tasks go with --soft-targets, not with a run")
        from sampler_bench.export import export as write

        assert run is not None  # or else soft targets are asked for
        written = write(run, out, form)
    for path in written:
        console.print(str(path), soft_wrap=True)
    if push is not None:
        _push(Push(push, out, written))


def _check_push(repository: str, out: Path, form: str) -> None:
    """Before anything is written."""
    if form == LM_EVAL:
        raise InputError("--push sends datasets; tasks for lm-eval are read from a folder")
    if is_remote(out):
        raise InputError(f"--push sends files of this machine; --out {out} is elsewhere")
    check_repository(repository)


def _push(what: Push) -> None:
    address = push_to_hub(what)
    if address is None:
        console.print(
            "no token of the hub is here (HF_TOKEN, or `hf auth login`), so nothing was sent; "
            f"with one it would be {what.said()}",
            soft_wrap=True,
        )
    else:
        console.print(f"sent {what.said()}: {address}", soft_wrap=True)


def _export_laws(
    suite: str, out: Path, form: str, arms: list[str] | None, quiet: bool, asked: dict
) -> list[Path]:
    from sampler_bench.dataset import check_format
    from sampler_bench.lm_eval_tasks import lm_eval_tasks
    from sampler_bench.report.progress import Display
    from sampler_bench.soft_targets import laws_of, soft_targets

    for_harness = form == LM_EVAL
    if not for_harness:
        check_format(form)
    with Display(quiet) as display:
        laws = laws_of(suite, arms or ["few-shot" if for_harness else "direct"], listener=display, **asked)
    return lm_eval_tasks(laws, out) if for_harness else soft_targets(laws, out, form)
