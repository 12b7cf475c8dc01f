"""What a program calls: a suite, models and arms in; a run out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from sampler_bench.errors import InputError

if TYPE_CHECKING:  # what measures and scores is loaded where a run begins
    from collections.abc import Sequence

    from sampler_bench.benchmark import Benchmark
    from sampler_bench.executor.executor import Executor
    from sampler_bench.measure.listener import Listener
    from sampler_bench.models.model import OwnModel
    from sampler_bench.models.server_options import ServerOptions
    from sampler_bench.runs.reading import Run

RESULTS = Path("results")
ARMS, DECODERS = ("direct", "cot"), ("ancestral",)  # where none are named
BLIND = {None: ("start",), True: ("start", "trace"), False: ()}  # arms with the control, by what is asked


class Options(TypedDict, total=False):
    """What can be said of a benchmark by name; ``run`` says what each means."""

    decoders: Sequence[str]
    seed: int
    out: Path | str | None
    numbers: int | None
    samples: int | None
    server: ServerOptions | None
    task_folders: Sequence[Path]
    executor: Executor | None
    listener: Listener | None
    control: bool | None
    irrelevant_traces: bool


def run(
    suite: str,
    models: Sequence[str | OwnModel],
    arms: Sequence[str] = ARMS,
    **options: Unpack[Options],
) -> Run:
    """Measure models on a suite, score them and write everything to a run folder.

    Running again with the same arguments measures only what is missing.

    Parameters
    ----------
    suite : str
        Name of a suite, or of a single task.
    models : sequence of str or object
        Reference samplers, ``smollm2-135m``, models that installed packages offer, local folders or GGUF
        files, Hugging Face ids, or names served at ``server.base_urls``. Any object with ``name``, ``can``,
        ``describe`` and ``conditionals``, ``sample`` or both (``OwnModel``) stands for itself; what it cannot
        do is left out. An exception of its own comes through as it is.
    arms : sequence of str
        Ways of asking, each in all its paraphrases. Reference samplers read no prompt and are measured
        under ``direct`` and ``ancestral`` alone.
    decoders : sequence of str
        Rules for drawing numbers (``measure/decoders.py``), as in ``feasible`` or
        ``ancestral:temperature=0.7``. Each goes with the arms that suit it.
    seed : int
        Of everything random.
    out : path or URL, optional
        The run's folder; ``results/SUITE`` if not given.
    numbers, samples : int, optional
        In place of the suite's.
    server : ServerOptions, optional
        Where models are served; by default a server is started on this machine.
    task_folders : sequence of path
        Folders with tasks, suites and arms of the user's own.
    executor : Executor, optional
        What works: ``Here``, ``Processes`` or ``Ray``; by default ``Processes()``, all cores of this machine.
        Served models are measured by this process, if not by Ray. The records are the same.
    listener : Listener, optional
        Told how it goes (``measure/listener.py``), as ``report.progress.Display`` is; by default nobody.
    control : bool, optional
        Whether laws are read, too, where the constraint is not spoken of: what ``uptake`` is made of. By
        default in arms that are read from the start of the response; True: in those with traces, too.
    irrelevant_traces : bool
        Whether laws are read, too, after the traces of another task.

    Returns
    -------
    Run
        What the folder holds: ``scores``, ``curves``, ``conditionals`` and ``samples``, each a DataFrame.

    Raises
    ------
    SamplerBenchError
        For anything a user can cause or cure. What was measured before it is kept.
    """
    return prepare(suite, models, arms, **options).run()


def prepare(
    suite: str,
    models: Sequence[str | OwnModel],
    arms: Sequence[str] = ARMS,
    *,
    decoders: Sequence[str] = DECODERS,
    seed: int = 0,
    out: Path | str | None = None,
    numbers: int | None = None,
    samples: int | None = None,
    server: ServerOptions | None = None,
    task_folders: Sequence[Path] = (),
    executor: Executor | None = None,
    listener: Listener | None = None,
    control: bool | None = None,
    irrelevant_traces: bool = False,
) -> Benchmark:
    """What ``run`` runs, of the same arguments; nothing is measured yet. Raises SamplerBenchError."""
    from sampler_bench.benchmark import Benchmark
    from sampler_bench.measure.bundles import is_cluster
    from sampler_bench.measure.listener import Silence
    from sampler_bench.measure.load_plan import load_plan
    from sampler_bench.measure.plan import Controls
    from sampler_bench.models.finding import find_models
    from sampler_bench.models.server_options import ServerOptions
    from sampler_bench.runs.store import RunFolder
    from sampler_bench.tasks import Catalog

    server, listener = server or ServerOptions(), listener or Silence()
    if server.max_tokens_total and is_cluster(executor):
        raise InputError(
            "--max-tokens-total is not kept on a cluster, whose workers do not know what others spend; "
            "leave out --ray"
        )
    controls = Controls(BLIND[control], irrelevant_traces)
    plan = load_plan(Catalog(task_folders), suite, arms, decoders, seed, numbers, samples, controls)
    found = find_models(models, server, elsewhere=is_cluster(executor))
    told = {
        "suite": suite,
        "model": [model if isinstance(model, str) else model.name for model in models],
        "arm": [*arms],
        "decoder": [*decoders],
        "tasks": [str(folder) for folder in task_folders],
        **plan.settings.model_dump(),
        **({} if control is None else {"control": control}),
        "irrelevant-traces": irrelevant_traces,
        **server.told(),
    }
    return Benchmark(
        plan,
        [source.recognised(listener.say) for source in found],
        RunFolder(out or RESULTS / suite),
        executor,
        listener,
        told,
    )
