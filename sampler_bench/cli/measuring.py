"""Commands that measure, score and serve."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from sampler_bench.cli.options import (
    BaseUrl,
    BaseUrls,
    Loras,
    Place,
    Quiet,
    RayAddress,
    Seed,
    TaskFolders,
    VllmArgs,
    app,
    console,
    joined,
    json_object,
    place,
    print_tables,
    publish,
    say,
    saying_what_is_kept,
)
from sampler_bench.cli.run_file import take_from_file
from sampler_bench.errors import InputError
from sampler_bench.executor.ray_cluster import Ray

if TYPE_CHECKING:
    from types import ModuleType

    from sampler_bench.doctor import Check


NO_REQUESTS = "no request to a server: these models run inside sampler-bench"


@app.command()
def run(
    suite: Annotated[str, typer.Argument(metavar="SUITE", help="A suite or a single task.")],
    model: Annotated[
        list[str],
        typer.Option(
            help="Reference sampler, smollm2-135m, installed model, folder, GGUF file, Hugging Face id or "
            "served name."
        ),
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
        Place | None,
        typer.Option(metavar="DIR", parser=place, help="The run's folder or URL; results/SUITE by default."),
    ] = None,
    numbers: Annotated[int | None, typer.Option(help="Numbers per task to read conditionals along.")] = None,
    samples: Annotated[int | None, typer.Option(help="Answers per task and arm, over its wordings.")] = None,
    base_url: BaseUrls = None,
    timeout: Annotated[
        float,
        typer.Option(min=1, metavar="SECONDS", help="Time for the whole answer to a request."),
    ] = 600,
    api_key: Annotated[
        str | None,
        typer.Option(envvar="VLLM_API_KEY", show_default=False, help="For --base-url; never stored."),
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port of the server started here; a free one by default.")
    ] = None,
    engine: Annotated[
        str, typer.Option(help="vllm, or transformers: in this process, slower, for small models.")
    ] = "vllm",
    vllm_arg: VllmArgs = None,
    chat_template_kwargs: Annotated[
        dict | None,
        typer.Option(
            metavar="JSON",
            parser=json_object,
            help='Given to the chat template, as in {"enable_thinking": true}.',
        ),
    ] = None,
    samples_only: Annotated[
        bool, typer.Option("--samples-only", help="--base-url is a chat API: answers, no laws.")
    ] = False,
    extra_body: Annotated[
        dict | None,
        typer.Option(metavar="JSON", parser=json_object, help="Further fields of requests to a chat API."),
    ] = None,
    max_tokens_total: Annotated[
        int | None, typer.Option(min=1, help="Tokens, in and out, that all requests may cost together.")
    ] = None,
    same_weights: Annotated[
        bool,
        typer.Option("--same-weights", help="Go on with a run through --base-url, or without, as it began."),
    ] = False,
    lora: Loras = None,
    tasks: TaskFolders = None,
    ray: RayAddress = None,
    control: Annotated[
        bool | None,
        typer.Option(
            "--control/--no-control",
            show_default=False,
            help="Ask without the constraint, too, for uptake; by default where no trace is read.",
        ),
    ] = None,
    irrelevant_traces: Annotated[
        bool, typer.Option("--irrelevant-traces", help="Read laws after another task's traces, too.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would cost, and measure nothing.")
    ] = False,
    price_in: Annotated[
        float, typer.Option(min=0, metavar="PRICE", help="Of a million tokens of prompts, for the estimate.")
    ] = 0.0,
    price_out: Annotated[
        float, typer.Option(min=0, metavar="PRICE", help="Of a million tokens of answers.")
    ] = 0.0,
    track: Annotated[
        bool, typer.Option("--track", help="Log the scores to Trackio or Weights & Biases, if installed.")
    ] = False,
    config: Annotated[  # noqa: ARG001  it has been taken by now
        Path | None,
        typer.Option(
            metavar="FILE",
            is_eager=True,
            callback=take_from_file,
            help="TOML with options by their names, or a run's manifest.json; the command line goes before.",
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Measure models on a suite. The same command again measures only what is missing."""
    from sampler_bench import api
    from sampler_bench.models.server_options import ServerOptions
    from sampler_bench.report.costs import costs
    from sampler_bench.report.leaderboard import leaderboard
    from sampler_bench.report.progress import Display

    server = ServerOptions(
        base_url or (), api_key, timeout, port, vllm_arg or (), chat_template_kwargs or {}, samples_only,
        extra_body or {}, max_tokens_total, same_weights, engine, loras=lora or (),
    )  # fmt: skip
    logs_to = _tracker() if track else None
    with saying_what_is_kept("what was measured"), joined(ray) as executor, Display(quiet) as display:
        prepared = api.prepare(
            suite, model, arm or api.ARMS, decoders=decoder or api.DECODERS, seed=seed, out=out,
            numbers=numbers, samples=samples, server=server, task_folders=tasks or (), executor=executor,
            listener=display, control=control, irrelevant_traces=irrelevant_traces,
        )  # fmt: skip
        lines = costs(prepared.forecasts(), price_in, price_out, prepared.seconds_a_request())
        if dry_run:
            console.print("\n".join(lines) or NO_REQUESTS, soft_wrap=True)
            return
        for line in lines:
            display.say(line)
        measured = prepared.run()
    print_tables(leaderboard(measured.scores.assign(run=(out or Path(suite)).resolve().name)))
    folder = out or api.RESULTS
    publish([folder], folder, show=False)
    if logs_to:
        from sampler_bench.tracking import track as log

        console.print(f"logged to {logs_to.__name__}: {log(measured, logs_to)} experiments")


def _tracker() -> "ModuleType | None":
    """What --track logs to; where there is none, that is said before anything is measured."""
    from sampler_bench.tracking import TRACKERS, tracker

    found = tracker()
    if found is None:
        say(f"--track: neither {' nor '.join(TRACKERS)} is installed, so that nothing will be logged")
    return found


@app.command()
def score(
    run: Annotated[Place, typer.Argument(metavar="DIR", parser=place, help="A run's folder, or its URL.")],
    ray: RayAddress = None,
) -> None:
    """Score a run again from its records. Nothing is measured; the leaderboard is printed."""
    from sampler_bench.publish import rescore

    with joined(ray) as executor:
        rescore(run, executor)
    publish([run], run, show=True)


@app.command()
def serve(
    model: Annotated[
        str, typer.Argument(help="smollm2-135m, a model folder, a GGUF file or a Hugging Face id.")
    ] = "smollm2-135m",
    port: Annotated[
        int | None, typer.Option(help="Port; 8000 by default, on a cluster any free one.")
    ] = None,
    replicas: Annotated[int, typer.Option(min=1, help="Servers on a cluster: with --ray.")] = 1,
    vllm_arg: VllmArgs = None,
    lora: Loras = None,
    ray: RayAddress = None,
) -> None:
    """Serve a model with vLLM until Ctrl-C. On this machine, or on a Ray cluster."""
    from sampler_bench.models.finding import find_model
    from sampler_bench.models.server_options import ServerOptions
    from sampler_bench.models.serving.replicas import start_replicas
    from sampler_bench.report.progress import Display

    if replicas > 1 and not ray:
        raise InputError("--replicas is for a Ray cluster: say which with --ray ADDRESS")
    source = find_model(model, ServerOptions(port=port or (None if ray else 8000), vllm_args=vllm_arg or ()))
    if not source.needs_server:
        kind = "a reference sampler" if source.reference else "an object of an installed package"
        raise InputError(f"{model} is {kind}; it runs inside sampler-bench and needs no server")
    source = source.with_adapters(lora or ())
    names = ", ".join([source.name, *(adapter.name for adapter in source.adapters)])
    say = Display().say
    if not ray:
        with source.serve(say) as server:
            console.print(f"{names} at {server.base_url}; Ctrl-C stops it")
            server.wait()
        return
    with Ray(ray) as cluster, start_replicas(cluster, source, replicas, say) as urls:
        console.print(f"{names} at {', '.join(urls)}; Ctrl-C stops it", soft_wrap=True)
        signal.pause()


@app.command()
def doctor(base_url: BaseUrl = None) -> None:
    """Say what this machine lacks for a run. Exit code 1 if it lacks anything that is needed."""
    from sampler_bench.doctor import examine

    table = Table(box=None, show_header=False)
    checks = [*examine(base_url)]
    for check in checks:
        table.add_row(_mark(check), check.what, check.found)
        if check.advice:
            table.add_row("", "", f"→ {check.advice}")
    console.print(table)
    raise typer.Exit(1 if any(check.advice and check.needed for check in checks) else 0)


def _mark(check: "Check") -> Text:
    if not check.advice:
        return Text("✓", style="green")
    return Text("✗", style="red") if check.needed else Text("–")
