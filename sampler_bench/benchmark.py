"""A whole benchmark: a plan and models in; records, scores and a leaderboard out."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, nullcontext

import pyarrow as pa

from sampler_bench.executor.executor import Executor
from sampler_bench.executor.processes import Processes
from sampler_bench.measure.bundles import execute_in_bundles, workers_for
from sampler_bench.measure.claim import claim, enter, new_session, now
from sampler_bench.measure.decoders import Ancestral
from sampler_bench.measure.event_loop import run_to_end
from sampler_bench.measure.execute import execute
from sampler_bench.measure.forecast import Forecast, forecast
from sampler_bench.measure.listener import Listener
from sampler_bench.measure.look import first_looks
from sampler_bench.measure.plan import Plan, Unit
from sampler_bench.measure.pulse import pulse
from sampler_bench.measure.room import tokens_needed
from sampler_bench.measure.scope import left_out, units_of
from sampler_bench.measure.truth_along import truth_along, truths_wanted
from sampler_bench.models.engines.chat import ChatModel
from sampler_bench.models.engines.vllm import VllmModel
from sampler_bench.models.model import DigitModel
from sampler_bench.models.serving.replicas import reach
from sampler_bench.models.sources import Source
from sampler_bench.publish import score_run
from sampler_bench.remarks import remarks
from sampler_bench.runs.manifest import Manifest
from sampler_bench.runs.reading import Run
from sampler_bench.runs.store import RunFolder


class Benchmark:
    """What is to be measured of which models, where it is stored, what works, and who is told.

    Parameters
    ----------
    plan : Plan
        Tasks, arms, decoders and settings.
    sources : sequence of Source
        The models.
    folder : RunFolder
        Of the run; what it holds already is not measured again.
    executor : Executor, optional
        What works; see ``run``.
    listener : Listener
        Who is told how it goes.
    told : mapping, optional
        What the manifest says that was asked for, by the names of options.

    Raises
    ------
    InputError
        If nothing can be measured of a model.
    """

    def __init__(
        self,
        plan: Plan,
        sources: Sequence[Source],
        folder: RunFolder,
        executor: Executor | None,
        listener: Listener,
        told: Mapping[str, object] | None = None,
    ):
        self.plan = plan
        self.told = told or {}
        self._forecasts: dict[str, Forecast] | None = None  # until they are asked for
        units = {source: units_of(plan, source) for source in sources}
        self.units = {source.with_room(tokens_needed(asked)): asked for source, asked in units.items()}
        self.folder = folder
        self.executor = executor
        self.listener = listener

    def run(self) -> Run:
        """Measure what is missing, and score. Raises SamplerBenchError; what was measured before is kept."""
        with self.folder.locked():
            manifest = claim(self.folder, self.plan)
            session = new_session(self.told)
            self._find_truths(manifest)
            for source in self.units:
                self._measure(source, manifest, session)
            session["finished"] = now()
            scores = score_run(self.folder, manifest, self.executor)
            self.folder.write_manifest(manifest)
        for line in remarks(scores):
            self.listener.say(line)
        return Run(self.folder.path)

    def forecasts(self) -> dict[str, Forecast]:
        """What is still to be asked of each model behind a server, by its name. Raises SamplerBenchError."""
        if self._forecasts is None:
            before = self.folder.done()
            served = (source for source in self.units if not source.here)
            self._forecasts = {
                source.name: forecast(self.units[source], before, source.options.extra_body, source.forces)
                for source in served
            }
        return self._forecasts

    def seconds_a_request(self) -> dict[str, float]:
        """As it was when each model was last measured in this run, those under way together counted once."""
        manifest = self.folder.manifest()
        took: dict[str, dict] = {}
        for session in manifest.sessions if manifest else ():
            took |= session.get("took", {})
        return {name: each["seconds"] / each["requests"] for name, each in took.items()}

    def _find_truths(self, manifest: Manifest) -> None:
        """Compute and store the truth along all numbers of the plan, if it is not known yet."""
        if not self.folder.has_truths():
            manifest.truths.clear()
        wanted = truths_wanted((unit for units in self.units.values() for unit in units), manifest.truths)
        if not wanted:
            return
        self.folder.write_manifest(manifest)
        self.listener.begin("truth", 0, len(wanted))

        def computed() -> Generator[pa.Table, None, None]:
            with closing((self.executor or Processes()).map(truth_along, wanted)) as found:
                for unit, table in found:
                    yield table
                    self.listener.advance(unit.prompt.task.name, "truths", len(table))

        with closing(computed()) as tables:
            self.folder.add_truths(tables)
        for unit in wanted:
            sizes = manifest.truths.setdefault(unit.prompt.task.name, [])
            if unit.drawn not in sizes:
                sizes.append(unit.drawn)
        self.folder.write_manifest(manifest)

    def _measure(self, source: Source, manifest: Manifest, session: dict) -> None:
        """Measure what is missing of one model; the session enters the manifest if anything is."""
        units, before = self.units[source], self.folder.done()
        there = sum(whole.part_id(start) in before for whole in units.wholes() for start in whole.starts)
        self.listener.begin(source.name, there, len(units))
        for line in left_out(self.plan, source, units):
            self.listener.say(line)
        if there == len(units):
            return

        refused = [*manifest.models.get(source.name, {}).get("refused", [])]  # by a chat API
        ended = 0

        def tell(unit: Unit, records: int) -> None:
            nonlocal ended
            ended += 1
            self.listener.advance(*_what(unit), records)

        async def work(
            entering: AbstractAsyncContextManager[DigitModel],
            describe: Callable[[], dict],
            units: Iterable[Unit] = (),
        ) -> Sequence[float]:
            """Enter the model, and measure units; returns what it answers to the probe."""
            asyncio.get_running_loop().set_exception_handler(_say_but_interrupts)
            async with entering as model:
                enter(model, describe(), source, self.folder, manifest, session)
                for line in await first_looks(model, self.units[source], before):
                    self.listener.say(line)

                def tell_of(unit: Unit, records: int) -> None:
                    if isinstance(model, ChatModel) and set(model.refused) != {*refused}:
                        refused[:] = model.refused  # met just now
                        enter(model, describe(), source, self.folder, manifest, session)
                    tell(unit, records)

                async with self._timed(source, manifest, session), self._pulse(source, lambda: ended):
                    await execute(units, before, model, self.folder, tell_of)
                return model.probe if isinstance(model, VllmModel) else ()

        workers, say = workers_for(source, self.executor), self.listener.say
        if workers is None:
            with source.open(say, refused=refused) as entering:
                run_to_end(work(entering, source.describe, units))
        else:
            with reach(workers, source, say) as served, served.source.open(say) as entering:
                probe = run_to_end(work(entering, lambda: served.description))
                execute_in_bundles(
                    workers, served, source.needs_server, units, before, self.folder, tell, probe
                )

    @asynccontextmanager
    async def _timed(self, source: Source, manifest: Manifest, session: dict) -> AsyncIterator[None]:
        """The session says how long the requests took that are made meanwhile, however it ends."""
        spending = source.options.spending
        before, started = spending.requests if spending else 0, time.monotonic()
        try:
            yield
        finally:
            requests = spending.requests - before if spending else 0
            if requests:
                took = {"requests": requests, "seconds": round(time.monotonic() - started, 3)}
                session.setdefault("took", {})[source.name] = took
                self.folder.write_manifest(manifest)

    def _pulse(self, source: Source, ended: Callable[[], int]) -> AbstractAsyncContextManager[None]:
        """Signs of life while a served model is measured; ``ended``: units so far."""
        spending = source.options.spending
        if source.here or spending is None:
            return nullcontext()
        expected = self.forecasts()[source.name].requests
        return pulse(self.listener.say, source.name, lambda: spending.requests, expected, ended)


def _say_but_interrupts(loop: asyncio.AbstractEventLoop, context: dict) -> None:
    """What asyncio has to say of tasks that failed unseen, but for those that Ctrl-C fell upon."""
    if not isinstance(context.get("exception"), KeyboardInterrupt):
        loop.default_exception_handler(context)


def _what(unit: Unit) -> tuple[str, str]:
    """What a unit measures, and the kind of its records."""
    decoder = "" if isinstance(unit.decoder, Ancestral) else f" {unit.decoder.name}"
    return f"{unit.prompt.task.name} {unit.prompt.arm.name}{decoder}", unit.kind
