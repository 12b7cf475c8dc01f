"""From the name, or the object, that a user gives to something that can be measured.

A name is a reference sampler, the built-in model, one that an installed package offers, a local folder or
GGUF file, a Hugging Face id, or (with base URLs) whatever running servers call their model. An object stands
for itself.
"""

import os
import re
import tempfile
from collections.abc import Iterator, Sequence, Set
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sampler_bench.errors import InputError, ModelError
from sampler_bench.files import cache_folder, is_writable
from sampler_bench.machine import quiet_transformers
from sampler_bench.models.engines.chat import ChatModel, suits_chat
from sampler_bench.models.engines.endpoint import Say, base_url
from sampler_bench.models.engines.exchange import speaks_vllm
from sampler_bench.models.engines.language_model import UNMASKED
from sampler_bench.models.engines.spending import Spending
from sampler_bench.models.engines.transport import Transport
from sampler_bench.models.engines.vllm import VllmModel
from sampler_bench.models.model import DigitModel, OwnModel
from sampler_bench.models.objects import ObjectModel, find_installed, installed_names
from sampler_bench.models.reference import NUMBERED, REFERENCES, Reference, find_reference
from sampler_bench.models.server_options import TRANSFORMERS, ServerOptions, check_arguments
from sampler_bench.models.serving.server import HOST, VllmServer, serving_arguments
from sampler_bench.models.weights import smollm2
from sampler_bench.models.weights.adapters import Adapter, find_adapter, lora_arguments, module_arguments
from sampler_bench.models.weights.weight_kinds import BuiltIn, HubModel, Weights, find_folder, find_gguf
from sampler_bench.secrets import without_secrets
from sampler_bench.tasks import Arm

if TYPE_CHECKING:
    from sampler_bench.models.engines.in_process import InProcessModel

GGUF = ".gguf"
HUGGING_FACE_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


@dataclass(frozen=True, eq=False)
class Source:
    """A model that has been found but not started.

    ``reference`` is the sampler that stands behind the name, ``own`` the object, if one does. ``weights`` are
    those to serve, if they are served here, with ``adapters``; ``base`` is what they are called without.
    ``options`` say where.
    """

    name: str
    options: ServerOptions
    weights: Weights | None = None
    reference: Reference | None = None
    own: ObjectModel | None = None
    adapters: Sequence[Adapter] = ()
    base: str = ""

    @property
    def can(self) -> Set[str]:
        """``LAWS``, ``SAMPLES`` or both: what it can do."""
        served = ChatModel if self.options.samples_only else VllmModel
        return (self.own or self.reference or served).can

    def suits(self, arm: Arm) -> bool:
        """Whether it can be asked by an arm; of others the run says that they are left out."""
        return bool(self.own or self.reference or not self.options.samples_only) or suits_chat(arm)

    @property
    def needs_server(self) -> bool:
        """Whether one is to be started: it runs neither in this process nor at base URLs already."""
        return not (self.here or self.options.base_urls)

    @property
    def here(self) -> bool:
        """Whether it runs inside sampler-bench, and is asked without a server."""
        return bool(self.own or self.reference) or self.options.engine == TRANSFORMERS

    def recognised(self, say: Say) -> "Source":
        """The same, where base URLs turn out to be of a chat API as one of which answers are had alone.

        Raises
        ------
        InputError
            If something is asked for that a vLLM server has no use for.
        """
        options = self.options
        if self.here or not options.base_urls or options.samples_only:
            return self
        if any(speaks_vllm(base_url(url), options.key) for url in options.base_urls):
            if options.extra_body:
                raise InputError(
                    "--extra-body is for --samples-only: it may change the laws of a vLLM server"
                )
            return self
        say(
            f"{options.base_urls[0]} is no vLLM server, so it is asked through its chat API: there are "
            f"answers to be had, and no laws (--samples-only says so from the start)"
        )
        return self._with(samples_only=True)

    def at(self, base_urls: Sequence[str]) -> "Source":
        """The same, served at these URLs."""
        return self._with(base_urls=tuple(base_urls))

    def with_key(self) -> "Source":
        """The same for another machine, which does not have this one's environment."""
        return self._with(api_key=self.options.key)

    def with_adapters(self, loras: Sequence[str]) -> "Source":
        """The same, served with adapters (``NAME=FOLDER``) beside it. Raises as ``find_adapter`` does."""
        return replace(self, adapters=[find_adapter(lora) for lora in loras])

    def adapted(self, adapter: Adapter) -> "Source":
        """The model that its weights and an adapter make."""
        return replace(self, name=adapter.name, adapters=[adapter], base=self.name)

    def with_room(self, tokens: int) -> "Source":
        """The same, for texts of up to so many tokens."""
        return self._with(room=tokens)

    def _with(self, **options: object) -> "Source":
        return replace(self, options=replace(self.options, **options))

    @contextmanager
    def open(
        self, say: Say, probe: Sequence[float] = (), refused: Sequence[str] = ()
    ) -> Iterator[AbstractAsyncContextManager[DigitModel]]:
        """Make the model ready (start its server, if it needs one) and yield it, to be entered.

        If they are known already: ``probe``, its answer to the probe; ``refused``, fields that its chat API
        does not take.

        Raises
        ------
        ModelError, ServerError
            If it cannot be fetched, or its server does not start.
        """
        options = self.options
        if self.own:
            yield self.own
        elif self.reference:
            yield nullcontext(self.reference)
        elif self.here:
            yield self._in_process(say)
        elif options.base_urls:
            transport = Transport(options.base_urls, options.key, None, say, *self._limits)
            if options.samples_only:
                yield ChatModel(transport, self.name, options.extra_body, refused)
            else:
                yield self._vllm(transport, probe)
        else:
            with self.serve(say) as server:
                transport = Transport([server.base_url], options.key, server, say, *self._limits)
                yield self._vllm(transport, probe)

    def _in_process(self, say: Say) -> "InProcessModel":
        assert self.weights  # there are no base URLs
        try:
            quiet_transformers()
            from sampler_bench.models.engines.in_process import InProcessModel
        except ImportError as error:
            raise ModelError(
                f"--engine {TRANSFORMERS} needs transformers and torch ({error}): "
                "pip install 'sampler-bench[lab]'"
            ) from error
        return InProcessModel(self.weights.fetch(say), self.name, self.options.chat_template_kwargs, say)

    @property
    def _limits(self) -> tuple[float, Spending | None]:
        return self.options.timeout, self.options.spending

    def _vllm(self, transport: Transport, probe: Sequence[float]) -> VllmModel:
        return VllmModel(transport, self.name, probe, self.options.chat_template_kwargs)

    @contextmanager
    def serve(self, say: Say, host: str = HOST) -> Iterator[VllmServer]:
        """Serve the model on this machine, at one of its addresses."""
        options, weights = self.options, self.weights
        assert weights  # of all that needs a server
        arguments = [*self._arguments(), *module_arguments(self.adapters)]
        name = self.base or self.name
        with VllmServer(
            name, _log_folder(), options.port, arguments, host, options.key
        ) as server:  # its port is taken before a model is fetched
            server.start(weights.fetch(say), options.room, say)
            yield server

    def describe(self) -> dict:
        """What the manifest says of the model; ``identity`` tells one set of weights from another."""
        itself = self.own or self.reference
        if itself:
            return itself.describe()
        if self.options.samples_only:
            return {
                "kind": "chat",
                "identity": self.name,
                "base_urls": list(self.options.base_urls),
                "extra_body": dict(self.options.extra_body),
            }
        common = {
            "kind": self.options.engine,
            "unmasked": UNMASKED,
            "chat_template_kwargs": dict(self.options.chat_template_kwargs),
        }
        if self.options.base_urls:
            return {**common, "identity": self.name, "base_urls": list(self.options.base_urls)}
        assert self.weights  # of all that is served here
        identity = " + ".join([self.weights.identity(), *(adapter.identity for adapter in self.adapters)])
        if self.here:
            return {**common, "identity": identity}
        arguments = [without_secrets(argument) for argument in serving_arguments(self._arguments())]
        return {**common, "identity": identity, "vllm_arguments": arguments}

    def _arguments(self) -> list[str]:
        """Of vLLM, that can change what is measured."""
        return [*lora_arguments(self.adapters), *self.options.vllm_args]


def find_models(
    models: Sequence[str | OwnModel], options: ServerOptions, elsewhere: bool = False
) -> list[Source]:
    """What names and objects stand for, each once. ``elsewhere``: they are measured by other processes.

    Raises
    ------
    InputError
        If there is none, an object or adapter is named as another model is, an object is to be measured
        elsewhere, or adapters are not of one model that is served here; and as ``find_model`` and
        ``find_adapter`` do.
    ModelError
        As these do.
    """
    known = {model if isinstance(model, str) else id(model): model for model in models}
    sources = [find_model(model, options) for model in known.values()]
    if not sources:
        raise InputError("no model to measure: name at least one with --model")
    sources += _adapted(sources, options)
    names = [source.name for source in sources]
    for source in sources:
        if (source.own or source.adapters) and names.count(source.name) > 1:
            raise InputError(f"two models are called {source.name!r}; give one of them another name")
        if source.own and elsewhere:
            raise InputError(
                f"model {source.name!r} is an object of this process and is measured in it; leave out the "
                "cluster, or measure it in a run of its own"
            )
    return sources


def find_model(model: str | OwnModel, options: ServerOptions) -> Source:
    """The model that a name, or an object, stands for; nothing is started or fetched yet.

    Raises
    ------
    InputError
        If the name stands for nothing, a base URL is none, or vLLM is to be given a secret as an argument; if
        an object, given or of an entry point, is not what it must be.
    ModelError
        If it is a folder without weights, or a file that is no GGUF file.
    """
    check_arguments(options.vllm_args)
    for url in options.base_urls:
        base_url(url)
    if not isinstance(model, str):
        return _of_object(ObjectModel(model), options)
    name, reference = model, find_reference(model)
    if reference:
        return Source(name, options, reference=reference)
    if options.base_urls:
        return Source(name, options)
    if name == smollm2.NAME:
        return Source(name, options, BuiltIn())
    own = find_installed(name)
    if own:
        return _of_object(own, options)
    path = Path(os.path.expanduser(name))
    if name and os.path.isdir(path):  # unlike Path.is_dir, takes any name
        return Source(path.resolve().name, options, find_folder(path))
    if path.suffix == GGUF:
        return Source(path.stem, options, find_gguf(path))
    if HUGGING_FACE_ID.fullmatch(name) and not name.startswith("."):
        return Source(name, options, HubModel(name))
    known = ", ".join([*REFERENCES, *NUMBERED, smollm2.NAME, *installed_names()])
    raise InputError(
        f"unknown model {name!r}: neither {known}, nor a folder or GGUF file here, nor a Hugging "
        "Face id such as HuggingFaceTB/SmolLM2-360M-Instruct"
    )


def _adapted(sources: Sequence[Source], options: ServerOptions) -> list[Source]:
    """The models that adapters make of the one that is served here."""
    if not options.loras:
        return []
    if options.base_urls:
        raise InputError(
            "--lora is for a server started here; at --base-url an adapter is measured by the name it is "
            "served under: --model NAME"
        )
    served = [source for source in sources if source.needs_server]
    if len(served) != 1:
        named = ", ".join(source.name for source in served) or "none of them"
        raise InputError(
            f"--lora adapts one model that is served here, and of those to measure {named} would be served: "
            "name the adapters' base, and no other, with --model"
        )
    return [served[0].adapted(find_adapter(lora)) for lora in options.loras]


def _of_object(own: ObjectModel, options: ServerOptions) -> Source:
    if own.name == smollm2.NAME or find_reference(own.name):
        raise InputError(f"a model of one's own is called {own.name}, as a built-in one is; rename it")
    return Source(own.name, options, own=own)


def _log_folder() -> Path:
    """Where servers' logs go: into the cache or, if that cannot be written, into a folder of their own."""
    folder = cache_folder() / "logs"
    return folder if is_writable(folder) else Path(tempfile.mkdtemp(prefix="sampler-bench-logs-"))
