"""A log of inspect_ai as a run of ours: what was asked and answered there is measured again, from the log."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from inspect_ai.log import EvalLog, EvalSample, read_eval_log
from inspect_ai.model import ModelName
from pydantic import BaseModel, Field, ValidationError

from sampler_bench.benchmark import Benchmark
from sampler_bench.errors import InputError
from sampler_bench.executor.executor import Executor
from sampler_bench.measure.decoders import parse_decoder
from sampler_bench.measure.listener import Listener, Silence
from sampler_bench.measure.parsing import parse_answers
from sampler_bench.measure.plan import CHUNK, Controls, Plan, Unit
from sampler_bench.models.model import BOTH, NATURAL, SAMPLES, Prompt, Response, SamplingOptions
from sampler_bench.models.objects import ObjectModel
from sampler_bench.models.reference import find_reference
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.models.sources import Source
from sampler_bench.plain import one_line
from sampler_bench.plugins.inspect_asking import (
    DECODER,
    answers_of,
    name_of,
    seed_of_part,
    units_of_plan,
    wholes,
)
from sampler_bench.plugins.inspect_laws import READ
from sampler_bench.plugins.inspect_scorers import written
from sampler_bench.plugins.inspect_tasks import FORM, LOGGED
from sampler_bench.runs.manifest import Settings
from sampler_bench.runs.reading import Run
from sampler_bench.runs.store import RunFolder
from sampler_bench.targets.base import SYMBOLS
from sampler_bench.targets.values import explain
from sampler_bench.tasks import Arm, Suite, Task

ENDED = {"max_tokens": "length", "model_length": "length"}  # as our records say it
TOLD = ("probe", "server_version", "digits", "start", "thinking")  # of a model whose laws were read


def import_log(
    path: Path, out: Path | str, executor: Executor | None = None, listener: Listener | None = None
) -> Run:
    """Make a run of a log, or add it to the run in the folder; all is judged and scored anew.

    Parameters
    ----------
    path : path
        Of a log (``.eval``, or ``.json``) of one of our tasks.
    out : path or URL
        The run's folder. One that holds a run of the same suite, settings and seed is added to.
    executor, listener
        As of ``api.run``.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If the file is no log of our tasks, lacks answers, or judges one otherwise than is judged here.
    StoreError
        If the folder holds another run, or this log already.
    """
    log = _read(path)
    plan = _plan(log, path)
    name = _model_of(log, path)
    source = Source(name, ServerOptions(), own=ObjectModel(_Logged(name, log, plan, path)))
    folder = RunFolder(out)
    if folder.manifest() is not None:
        done = folder.done()
        units = units_of_plan(plan, source.name, source.can == BOTH)
        if all(unit.id in done for unit in units):
            raise InputError(
                f"{out} holds what {source.name} answered under arm {plan.arms[0].name} already; choose "
                "another --out"
            )
    told = {
        "imported": path.name,
        "eval": log.eval.eval_id,
        "created": log.eval.created,
        "packages": log.eval.packages,
        "suite": plan.suite.name,
        "model": [source.name],
        "arm": [arm.name for arm in plan.arms],
        **plan.settings.model_dump(),
    }
    return Benchmark(plan, [source], folder, executor, listener or Silence(), told).run()


def _read(path: Path) -> EvalLog:
    """Raises InputError if there is no whole log."""
    try:
        if not path.is_file():
            raise InputError(f"{path}: there is no such file; inspect_ai writes its logs to ./logs")
        if path.suffix != ".json" and not zipfile.is_zipfile(path):
            raise InputError(f"{path} is no log of inspect_ai: those end in .eval or .json")
        log = read_eval_log(str(path), resolve_attachments=True, exclude_fields={"events"})
    except InputError:
        raise
    except Exception as error:  # whatever a file makes a reader of JSON, of zip archives and of schemas say
        raise InputError(f"{path} is no log of inspect_ai: {one_line(str(error))[:200]}") from error
    if log.status != "success":
        raise InputError(
            f"{path} is the log of an evaluation that did not end well ({log.status}); `inspect eval-retry` "
            "goes on with it"
        )
    return log


def _model_of(log: EvalLog, path: Path) -> str:
    """What its rows are called. Raises InputError if nobody, or a reference sampler, is called so."""
    try:
        name = name_of(ModelName(log.eval.model))
    except ValueError as error:
        raise InputError(f"{path} is of the model {log.eval.model!r}: {one_line(str(error))}") from error
    if find_reference(name):
        raise InputError(f"{path} is of a model called {name}, which is the name of a reference sampler")
    return name


def _plan(log: EvalLog, path: Path) -> Plan:
    """What was asked, from the log alone."""
    logged = (log.eval.metadata or {}).get(LOGGED)
    if not isinstance(logged, dict):
        raise InputError(
            f"{path} is the log of {log.eval.task}, which is none of our tasks (sampler_bench/...)"
        )
    if logged.get("form") != FORM:
        raise InputError(
            f"{path} was written by another version of sampler_bench; this one reads form {FORM}"
        )
    try:
        return Plan(
            suite=Suite.model_validate(logged["suite"]),
            tasks=[Task.model_validate(each) for each in logged["tasks"]],
            arms=[Arm.model_validate(logged["arm"])],
            reference_arm=Arm.model_validate(logged["reference_arm"]),
            decoders=[parse_decoder(DECODER)],
            settings=Settings.model_validate(logged["settings"]),
            controls=Controls(),
        )
    except ValidationError as error:
        raise InputError(f"{path} does not say what was asked: {explain(error, [])}") from error
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} does not say what was asked: {one_line(str(error))[:200]}") from error


Law = Annotated[list[float], Field(min_length=SYMBOLS, max_length=SYMBOLS)]


class _Told(BaseModel):
    """What ``read_laws`` tells, as far as it is made a run of."""

    q: dict[str, Law]
    blind: dict[str, Law] | None = None
    probe: list[float]
    server_version: str
    digits: Any = None
    start: Any = None
    thinking: Any = None


class _Logged:
    """The model of a log, as an object: it says again what it said there, when it is asked the same."""

    def __init__(self, name: str, log: EvalLog, plan: Plan, path: Path):
        self.name = name
        self._log, self._path = log, path
        samples = {(each.id, each.epoch): each for each in log.samples or []}
        self._laws = _laws(samples, plan)
        self.can = BOTH if self._laws else frozenset({SAMPLES})
        self._responses: dict[tuple, list[Response]] = {}
        lacking = 0
        for (task, wording), units in wholes(plan, self.name, bool(self._laws)).items():
            whole = answers_of(units)
            said = [samples.get((f"{task}:{wording}", place + 1)) for place in range(whole.size)]
            lacking += sum(each is None or each.output.empty for each in said)
            self._keep(
                whole, [_response(each, whole.prompt) for each in said if each and not each.output.empty]
            )
        if lacking:
            raise InputError(
                f"{path} lacks {lacking} responses of those that its evaluation was to have, as one with "
                "--limit, --epochs or errors does; import a whole one"
            )

    def describe(self) -> dict:
        """What is known of the model: its name with inspect_ai, and what was met when its laws were read."""
        spec = self._log.eval
        first: Any = next(iter(self._laws.values()), {})
        met = {name: first[name] for name in TOLD if name in first}
        described = {"kind": "inspect", "identity": spec.model, "inspect_base_url": spec.model_base_url or ""}
        return described | met

    async def sample(
        self, prompt: Prompt, size: int, seed: int, options: SamplingOptions = NATURAL
    ) -> list[Response]:
        return self._responses[prompt.task.name, prompt.paraphrase.name, seed][:size]

    async def conditionals(self, prompt: Prompt, prefixes: Sequence[str], trace: str = "") -> np.ndarray:
        told = self._laws[prompt.task.name, prompt.paraphrase.name].get(READ[prompt.blind], {})
        if not all(prefix in told for prefix in prefixes):
            raise InputError(
                f"{self._path} lacks laws of {prompt.task.name} that it should have: the numbers are drawn "
                "otherwise by this version of sampler_bench"
            )
        return np.array([told[prefix] for prefix in prefixes], float)

    def _keep(self, whole: Unit, responses: list[Response]) -> None:
        """By the seeds with which they are asked for, alone or with the others of their unit."""
        task, wording = whole.prompt.task.name, whole.prompt.paraphrase.name
        for start in range(0, len(responses), CHUNK):
            self._responses[task, wording, whole.part(start).seed()] = responses[start : start + CHUNK]
        if whole.prompt.arm.gives_seeds:
            for place, response in enumerate(responses):
                self._responses[task, wording, seed_of_part(whole, place)] = [response]


def _laws(samples: dict, plan: Plan) -> dict[tuple[str, str], dict]:
    """What was read of laws, by task and wording; nothing if it is not there of all."""
    found = {}
    for task in plan.tasks:
        for wording in plan.arms[0].paraphrases:
            sample = samples.get((f"{task.name}:{wording.name}", 1))
            told = sample.store.get("laws") if sample else None
            if not isinstance(told, str):
                return {}
            try:
                found[task.name, wording.name] = _Told.model_validate_json(told).model_dump(exclude_none=True)
            except ValidationError as error:
                raise InputError(f"the laws of {task.name} are none: {explain(error, [])}") from error
    return found


def _response(sample: EvalSample, prompt: Prompt) -> Response:
    """A response as our records have it. Raises InputError if it was judged otherwise than it is here."""
    thinking, text = written(sample.output)
    usage, seed = sample.output.usage, sample.store.get("seed")
    tokens_in = tokens_out = 0
    if usage:
        tokens_in = usage.input_tokens + sum(
            tokens or 0 for tokens in (usage.input_tokens_cache_read, usage.input_tokens_cache_write)
        )
        tokens_out = usage.output_tokens
    _must_be_judged_alike(sample, prompt, text)
    return Response(
        text=text,
        seed=seed if isinstance(seed, int) else 0,
        finish_reason=ENDED.get(sample.output.stop_reason, sample.output.stop_reason),
        prompt_tokens=tokens_in,
        completion_tokens=tokens_out,
        seconds=float(sample.output.time or sample.store.get("seconds") or 0.0),
        thinking=thinking,
        forward_passes=tokens_out,
    )


def _must_be_judged_alike(sample: EvalSample, prompt: Prompt, text: str) -> None:
    score = (sample.scores or {}).get("answers")
    judged = (score.metadata or {}).get("answers") if score else None
    if judged is None:  # it was not scored
        return
    target = prompt.task.target
    here = [
        {"answer": answer, "valid": answer is not None and target.contains(answer)}
        for answer in parse_answers(text, prompt.arm)
    ]
    listed = isinstance(judged, list) and all(isinstance(each, dict) for each in judged)
    if not listed or [{name: each.get(name) for name in ("answer", "valid")} for each in judged] != here:
        raise InputError(
            f"the log judges the response {sample.epoch} to {sample.id} otherwise than this version of "
            "sampler_bench does: it was edited, or written by another version"
        )
