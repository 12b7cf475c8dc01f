"""Commands that measure, score and serve."""

import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from sampler_bench.cli.options import (
    BaseUrl,
    BaseUrls,
    Quiet,
    Ray,
    Seed,
    TaskFolders,
    VllmArgs,
    app,
    console,
    joined,
    print_leaderboard,
    saying_what_is_kept,
)
from sampler_bench.cluster import Cluster
from sampler_bench.errors import InputError
from sampler_bench.files import location


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
        Path | None,
        typer.Option(
            metavar="DIR", parser=location, help="The run's folder or URL; results/SUITE by default."
        ),
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
    ray: Ray = None,
    quiet: Quiet = False,
) -> None:
    """Measure models on a suite. The same command again measures only what is missing."""
    from sampler_bench import benchmark
    from sampler_bench.models.sources import ServerOptions

    server = ServerOptions(base_url or (), api_key, timeout, port, vllm_arg or ())
    with saying_what_is_kept("what was measured"), joined(ray) as cluster:
        benchmark.run(
            suite, model, arm or ("direct", "cot"), decoders=decoder or ("ancestral",), seed=seed, out=out,
            numbers=numbers, samples=samples, server=server, task_folders=tasks or (), cluster=cluster,
            quiet=quiet,
        )  # fmt: skip
    folder = out or benchmark.RESULTS
    print_leaderboard([folder], folder, only=(out or Path(suite)).resolve().name)


@app.command()
def score(
    run: Annotated[Path, typer.Argument(metavar="DIR", parser=location, help="A run's folder, or its URL.")],
    ray: Ray = None,
) -> None:
    """Score a run again from its records, measuring nothing, and print its leaderboard."""
    from sampler_bench.publish import rescore

    with joined(ray) as cluster:
        rescore(run, cluster)
    print_leaderboard([run], run)


@app.command()
def serve(
    model: Annotated[
        str, typer.Argument(help="smollm2-135m, a model folder or a Hugging Face id.")
    ] = "smollm2-135m",
    port: Annotated[
        int | None, typer.Option(help="Port; 8000 by default, on a cluster any free one.")
    ] = None,
    replicas: Annotated[int, typer.Option(min=1, help="Servers on a cluster: with --ray.")] = 1,
    vllm_arg: VllmArgs = None,
    ray: Ray = None,
) -> None:
    """Serve a model with vLLM until Ctrl-C, on this machine or on a Ray cluster."""
    from sampler_bench.models.replicas import start_replicas
    from sampler_bench.models.sources import ServerOptions, find_model
    from sampler_bench.report.progress import Display

    if replicas > 1 and not ray:
        raise InputError("--replicas is for a Ray cluster: say which with --ray ADDRESS")
    source = find_model(model, ServerOptions(port=port or (None if ray else 8000), vllm_args=vllm_arg or ()))
    if source.reference:
        raise InputError(f"{model} is a reference sampler; it runs inside sampler-bench and needs no server")
    say = Display().say
    if not ray:
        with source.serve(say) as server:
            console.print(f"{source.name} at {server.base_url}; Ctrl-C stops it")
            server.wait()
    with Cluster(ray) as cluster, start_replicas(cluster, source, replicas, say) as urls:
        console.print(f"{source.name} at {', '.join(urls)}; Ctrl-C stops it", soft_wrap=True)
        signal.pause()


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
