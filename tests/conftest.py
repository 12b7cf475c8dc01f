"""Shared by all tests: the command line as a process, and one real vLLM server a session."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from sampler_bench.cli import answer
from sampler_bench.files import cache_folder
from sampler_bench.models.finding import find_model
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.models.weights import smollm2

KV_SPACE = "VLLM_CPU_KVCACHE_SPACE"
MULTIPROCESSING = "VLLM_ENABLE_V1_MULTIPROCESSING"
SECRET = "key-that-must-not-be-seen"
COMMAND = str(Path(sys.executable).parent / "sampler-bench")


def pytest_configure(config):
    """Where processes test against servers, each has cores of its own: servers that share them crawl.

    Their servers have little memory for keys and values, for there are up to five at once, and their engines
    second process: it would import all of torch once more, a third of the time to start. vLLM calls that not
    supported on CPUs, where it cannot bind threads to cores; the server that most tests ask has both.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker and config.option.markexpr == "vllm":
        number, count = int(worker.removeprefix("gw")), int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        cores = sorted(os.sched_getaffinity(0))
        mine = cores[number * len(cores) // count : (number + 1) * len(cores) // count]
        if mine:
            os.sched_setaffinity(0, mine)
        os.environ.setdefault(KV_SPACE, "1")  # GiB
        os.environ.setdefault(MULTIPROCESSING, "0")


def empty_cache(folder: Path) -> Path:
    """An empty cache folder, but for the kernels' machine code: to compile it takes a quarter of a minute."""
    kernels = cache_folder() / "kernels"
    kernels.mkdir(parents=True, exist_ok=True)
    folder.mkdir()
    (folder / "kernels").symlink_to(kernels)
    return folder


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The cache folder of this test and of the processes that it starts."""
    folder = empty_cache(tmp_path / "cache")
    monkeypatch.setenv("SAMPLER_BENCH_CACHE", str(folder))
    return folder


@pytest.fixture
def cli(tmp_path):
    """Run the command line in an empty folder; returns the finished process."""

    def run(*arguments: object, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        command = [COMMAND, *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, timeout=timeout, check=False
        )

    return run


@pytest.fixture
def here(tmp_path, monkeypatch, capfd):
    """The same in this process, for what is not about processes: none has to start. A fault is raised."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        capfd.readouterr()
        code = answer([*map(str, arguments)])
        return subprocess.CompletedProcess(arguments, code, *capfd.readouterr())

    return run


@pytest.fixture
def start(tmp_path):
    """Start the command line in an empty folder; what still runs at the end of the test is killed."""
    with ExitStack() as started:

        def begin(*arguments: object) -> subprocess.Popen[str]:
            command = [COMMAND, *map(str, arguments)]
            pipe = subprocess.PIPE
            process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=tmp_path)
            started.enter_context(process)
            started.callback(process.kill)
            return process

        yield begin


@pytest.fixture(scope="session")
def server():
    """A vLLM server with smollm2-135m on this machine's CPU (or GPU) that asks for the key SECRET."""
    with ExitStack() as running:
        with _key_in_the_environment() as environment:
            environment.delenv(MULTIPROCESSING, raising=False)
            started = running.enter_context(find_model(smollm2.NAME, ServerOptions()).serve(print))
        yield started


@pytest.fixture(scope="module")
def key():
    """Commands find the key SECRET in the environment, and servers that they start ask for it."""
    with _key_in_the_environment():
        yield


@contextmanager
def _key_in_the_environment() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_API_KEY", SECRET)
        yield patch
