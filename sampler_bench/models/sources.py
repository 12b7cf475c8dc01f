"""From the name a user gives to something that can be measured.

A name is a reference sampler, the built-in model, a local folder, a Hugging Face id, or (with base URLs)
whatever running servers call their model.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

from sampler_bench.errors import InputError, ModelError
from sampler_bench.files import cache_folder
from sampler_bench.models import smollm2
from sampler_bench.models.base import DigitModel
from sampler_bench.models.reference import NUMBERED, REFERENCES, Reference, find_reference
from sampler_bench.models.transport import TIMEOUT_SECONDS, Transport
from sampler_bench.models.vllm_client import UNMASKED, VllmModel
from sampler_bench.models.vllm_server import HOST, VllmServer, serving_arguments

HUGGING_FACE_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
WEIGHTS = ("*.safetensors", "*.bin", "*.gguf", "*.pt")

Say = Callable[[str], None]


@dataclass(frozen=True)
class ServerOptions:
    """Where models are served: at ``base_urls``, the load spread over them, else by a server started here.

    ``timeout``: seconds of silence after which a request counts as failed.
    """

    base_urls: Sequence[str] = ()
    api_key: str | None = None
    timeout: float = TIMEOUT_SECONDS
    port: int | None = None
    vllm_args: Sequence[str] = ()


class Source:
    """A model that has been found but not started.

    ``reference`` is the sampler that stands behind the name, if one does. ``served`` is the folder or Hugging
    Face id to serve; None stands for the built-in model. ``options`` say where.
    """

    def __init__(
        self,
        name: str,
        options: ServerOptions,
        served: str | None = None,
        reference: Reference | None = None,
    ):
        self.name = name
        self.reference = reference
        self._served = served
        self.options = options

    @property
    def needs_server(self) -> bool:
        """Whether one is to be started: it is neither a reference sampler nor served somewhere already."""
        return not (self.reference or self.options.base_urls)

    def at(self, base_urls: Sequence[str]) -> "Source":
        """The same, served at these URLs."""
        return Source(
            self.name, replace(self.options, base_urls=tuple(base_urls)), self._served, self.reference
        )

    @contextmanager
    def open(self, say: Say) -> Iterator[AbstractAsyncContextManager[DigitModel]]:
        """Make the model ready (start its server, if it needs one) and yield it, to be entered.

        Raises
        ------
        ModelError, ServerError
            If it cannot be fetched, or its server does not start.
        """
        options = self.options
        if self.reference:
            yield nullcontext(self.reference)
        elif options.base_urls:
            transport = Transport(options.base_urls, options.api_key, say=say, timeout=options.timeout)
            yield VllmModel(transport, self.name)
        else:
            with self.serve(say) as server:
                key = os.environ.get("VLLM_API_KEY")  # the server has read it too
                transport = Transport([server.base_url], key, server, say, options.timeout)
                yield VllmModel(transport, self.name)

    @contextmanager
    def serve(self, say: Say, host: str = HOST) -> Iterator[VllmServer]:
        """Serve the model on this machine, at one of its addresses."""
        model = self._served or str(smollm2.fetch(say))
        options = self.options
        logs = cache_folder() / "logs"
        with VllmServer(model, self.name, logs, options.port, options.vllm_args, host) as server:
            server.start(say)
            yield server

    def describe(self) -> dict:
        """What the manifest says of the model; ``identity`` tells one set of weights from another."""
        if self.reference:
            return {"kind": "reference", "identity": self.name}
        common = {"kind": "vllm", "unmasked": UNMASKED}
        if self.options.base_urls:
            urls = [_without_secrets(url) for url in self.options.base_urls]
            return {**common, "identity": self.name, "base_urls": urls}
        return {
            **common,
            "identity": self._identity(),
            "vllm_arguments": serving_arguments(self.options.vllm_args),
        }

    def _identity(self) -> str:
        if self._served is None:
            source = json.loads((smollm2.model_folder() / smollm2.SOURCE_FILE).read_text())
            return "sha256:" + source["weights_sha256"]["model.safetensors"]
        if Path(self._served).is_dir():
            return _folder_identity(Path(self._served))
        return _hub_revision(self._served)


def find_model(name: str, options: ServerOptions) -> Source:
    """The model that a name stands for; nothing is started or fetched yet.

    Raises
    ------
    InputError
        If the name stands for nothing.
    ModelError
        If it is a folder without weights.
    """
    if any(argument.startswith("--api-key") for argument in options.vllm_args):
        raise InputError("give the API key in the environment variable VLLM_API_KEY, not as --vllm-arg")
    reference = find_reference(name)
    if reference:
        return Source(name, options, reference=reference)
    if options.base_urls:
        for url in options.base_urls:
            if not url.startswith(("http://", "https://")):
                raise InputError(f"base URL {url!r} does not start with http:// or https://")
        return Source(name, options)
    if name == smollm2.NAME:
        return Source(name, options)
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        _check_folder(folder)
        return Source(folder.resolve().name, options, served=str(folder.resolve()))
    if HUGGING_FACE_ID.fullmatch(name) and not name.startswith("."):
        return Source(name, options, served=name)
    known = ", ".join([*REFERENCES, *(f"{kind}-N" for kind in NUMBERED), smollm2.NAME])
    raise InputError(
        f"unknown model {name!r}: neither {known}, nor a folder here, nor a Hugging Face id "
        "such as HuggingFaceTB/SmolLM2-360M-Instruct"
    )


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} is not a model folder: it holds no config.json")
    if not any(next(folder.glob(pattern), None) for pattern in WEIGHTS):
        raise ModelError(f"{folder} holds no weights ({', '.join(WEIGHTS)})")


def _folder_identity(folder: Path) -> str:
    """A hash over the configuration and the names and sizes of the weights, not their contents."""
    digest = hashlib.sha256((folder / "config.json").read_bytes())
    for path in sorted(path for pattern in WEIGHTS for path in folder.glob(pattern)):
        digest.update(f"{path.name} {path.stat().st_size}\n".encode())
    return "config-and-sizes:" + digest.hexdigest()[:24]


def _hub_revision(model: str) -> str:
    """The commit of a Hugging Face model in the local cache, where vLLM has put it."""
    try:
        config = import_module("huggingface_hub").try_to_load_from_cache(model, "config.json")
    except ImportError:
        config = None
    return f"{model}@{Path(config).parent.name}" if isinstance(config, str) else f"{model}@unknown"


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
