"""A whole benchmark: a suite, models and arms in; records, scores and a leaderboard out."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pandas as pd

from sampler_bench.cluster import Cluster
from sampler_bench.errors import InputError
from sampler_bench.measure.decoders import Ancestral, parse_decoder
from sampler_bench.measure.execute import execute
from sampler_bench.measure.manifest import claim, must_agree, must_be_close, new_session, now
from sampler_bench.measure.on_cluster import execute_on
from sampler_bench.measure.plan import Plan, Settings, Unit, Units
from sampler_bench.measure.store import RunFolder
from sampler_bench.models.base import DigitModel
from sampler_bench.models.replicas import reach
from sampler_bench.models.sources import ServerOptions, Source, find_model
from sampler_bench.models.vllm_client import VllmModel
from sampler_bench.publish import score_run
from sampler_bench.report.progress import Display
from sampler_bench.score.scores import unanswered
from sampler_bench.tasks import Catalog

RESULTS = Path("results")
REFERENCE_ARM = "direct"  # reference samplers read no prompt: they are measured once, under this arm


def run(
    suite: str,
    models: Sequence[str],
    arms: Sequence[str] = ("direct", "cot"),
    *,
    decoders: Sequence[str] = ("ancestral",),
    seed: int = 0,
    out: Path | str | None = None,
    numbers: int | None = None,
    samples: int | None = None,
    server: ServerOptions | None = None,
    task_folders: Sequence[Path] = (),
    cluster: Cluster | None = None,
    quiet: bool = True,
) -> pd.DataFrame:
    """Measure models on a suite, score them and write everything to a run folder.

    Running again with the same arguments measures only what is missing.

    Parameters
    ----------
    suite : str
        Name of a suite, or of a single task.
    models : sequence of str
        Reference samplers, ``smollm2-135m``, local folders, Hugging Face ids, or names served at
        ``server.base_urls``.
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
    cluster : Cluster, optional
        Where to work; by default in this process. The records are the same.
    quiet : bool
        Say nothing while working.

    Returns
    -------
    DataFrame
        The scores, one row a figure; also in ``scores.csv`` and ``scores.parquet``.

    Raises
    ------
    SamplerBenchError
        For anything a user can cause or cure. What was measured before it is kept.
    """
    plan = _load(Catalog(task_folders), suite, arms, decoders, seed, numbers, samples)
    options = server or ServerOptions()
    sources = [find_model(name, options) for name in dict.fromkeys(models)]
    if not sources:
        raise InputError("no model to measure: name at least one with --model")
    folder = RunFolder(out or RESULTS / plan.suite.name)
    with folder.locked(), Display(quiet) as display:
        manifest = claim(folder, plan)
        session = new_session()
        for source in sources:
            _measure(source, plan, folder, manifest, session, display, cluster)
        session["finished"] = now()
        scores = score_run(folder, manifest, cluster)
        folder.write_manifest(manifest)
        for line in unanswered(scores):
            display.say(line)
    return scores


def _load(
    catalog: Catalog,
    suite: str,
    arms: Sequence[str],
    decoders: Sequence[str],
    seed: int,
    numbers: int | None,
    samples: int | None,
) -> Plan:
    definition = catalog.suite(suite)
    settings = Settings(
        seed=seed,
        numbers=definition.numbers if numbers is None else numbers,
        samples=definition.samples if samples is None else samples,
    )
    for name, value, least in (
        ("seed", seed, 0),
        ("numbers", settings.numbers, 1),
        ("samples", settings.samples, 1),
    ):
        if value < least:
            raise InputError(f"{name} = {value}: it must be at least {least}")
    plan = Plan(
        suite=definition,
        tasks=[catalog.task(name) for name in definition.tasks],
        arms=[arm for name in dict.fromkeys(arms) for arm in catalog.arms(name)],
        reference_arm=catalog.arm(REFERENCE_ARM),
        decoders=[parse_decoder(text) for text in dict.fromkeys(decoders)],
        settings=settings,
    )
    for decoder in plan.decoders:
        if not any(decoder.suits(arm) for arm in plan.arms):
            names = ", ".join(arm.name for arm in plan.arms)
            raise InputError(
                f"decoder {decoder.name} suits none of the arms {names}; it draws one number, from the start "
                "of the response: choose an arm such as direct"
            )
    return plan


def _measure(
    source: Source,
    plan: Plan,
    folder: RunFolder,
    manifest: dict,
    session: dict,
    display: Display,
    cluster: Cluster | None,
) -> None:
    """Measure what is missing of one model; the session enters the manifest if anything is."""
    units = _units(source, plan)
    before = folder.done()
    there = sum(unit.id in before for unit in units)
    display.begin(source.name, there, len(units))
    if there == len(units):
        return

    def tell(unit: Unit, records: int) -> None:
        display.advance(*_what(unit), records)

    async def work(entering: AbstractAsyncContextManager[DigitModel], describe: Callable[[], dict]) -> None:
        asyncio.get_running_loop().set_exception_handler(_say_but_interrupts)
        async with entering as model:
            _enter(model, describe(), source.name, folder, manifest, session)
            if served is None:
                await execute(units, before, model, folder, tell)
            else:
                execute_on(cluster, served, source.needs_server, units, before, folder, tell)

    served = None
    if cluster is None:
        with source.open(display.say) as entering:
            _run_to_end(work(entering, source.describe))
    else:
        with reach(cluster, source, display.say) as served, served.source.open(display.say) as entering:
            _run_to_end(work(entering, lambda: served.description))


def _units(source: Source, plan: Plan) -> Units:
    """Raises InputError if a reference sampler is defined for no task."""
    if source.reference is None:
        return Units(plan.tasks, plan.arms, plan.decoders, source.name, plan.settings)
    tasks = [task for task in plan.tasks if source.reference.suits(task.target)]
    if not tasks:
        raise InputError(f"{source.name} is defined for none of the tasks of {plan.suite.name}")
    arm = plan.reference_arm.in_one_wording()
    return Units(tasks, [arm], [parse_decoder("ancestral")], source.name, plan.settings)


def _enter(
    model: DigitModel, description: dict, name: str, folder: RunFolder, manifest: dict, session: dict
) -> None:
    """Enter the model and the session into the manifest; StoreError if another model is behind the name."""
    known = manifest["models"].get(name, description)
    must_agree(folder, f"model behind {name!r}", known["identity"], description["identity"])
    if isinstance(model, VllmModel):
        description |= model.describe()
        must_be_close(folder, name, known.get("probe"), model.probe)
    manifest["models"][name] = description
    if session not in manifest["sessions"]:
        manifest["sessions"].append(session)
    folder.write_manifest(manifest)


def _say_but_interrupts(loop: asyncio.AbstractEventLoop, context: dict) -> None:
    """What asyncio has to say of tasks that failed unseen, but for those that Ctrl-C fell upon."""
    if not isinstance(context.get("exception"), KeyboardInterrupt):
        loop.default_exception_handler(context)


def _what(unit: Unit) -> tuple[str, str]:
    """What a unit measures, and the kind of its records."""
    decoder = "" if isinstance(unit.decoder, Ancestral) else f" {unit.decoder.name}"
    return f"{unit.prompt.task.name} {unit.prompt.arm.name}{decoder}", unit.kind


def _run_to_end(work: Coroutine) -> None:
    """Run a coroutine, also where an event loop is running already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work)
        return
    failure: list[BaseException] = []

    def target() -> None:
        try:
            asyncio.run(work)
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
