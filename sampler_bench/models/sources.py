"""Models that have been found but not started: where they run, how they are served, what is said of them."""

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
from sampler_bench.models.model import DigitModel
from sampler_bench.models.objects import ObjectModel
from sampler_bench.models.reference import Reference
from sampler_bench.models.server_options import TRANSFORMERS, ServerOptions
from sampler_bench.models.serving.server import HOST, VllmServer, forcing_arguments, serving_arguments
from sampler_bench.models.weights.adapters import Adapter, find_adapter, lora_arguments, module_arguments
from sampler_bench.models.weights.folders import check_reads
from sampler_bench.models.weights.weight_kinds import Folder, Weights
from sampler_bench.secrets import without_secrets
from sampler_bench.tasks import Arm, Task

if TYPE_CHECKING:
    from sampler_bench.models.engines.in_process import InProcessModel


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

    def check_reads(self, tasks: Sequence[Task], arms: Sequence[Arm]) -> None:
        """Raise InputError if it is a model of the lab that lacks letters of what it would be asked."""
        if isinstance(self.weights, Folder):
            wordings = [wording for arm in arms for wording in arm.paraphrases]
            shown = [wording.text or wording.messages[-1].content for wording in wordings]
            for text in [*shown, *(task.phrase for task in tasks), *(task.control_phrase for task in tasks)]:
                check_reads(self.weights.path, self.name, text)

    @property
    def needs_server(self) -> bool:
        """Whether one is to be started: it runs neither in this process nor at base URLs already."""
        return not (self.here or self.options.base_urls)

    @property
    def forces(self) -> bool:
        """Whether answers can be forced, as far as is known before it is asked."""
        return self.needs_server and bool(forcing_arguments(self._arguments()))

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


def _log_folder() -> Path:
    """Where servers' logs go: into the cache or, if that cannot be written, into a folder of their own."""
    folder = cache_folder() / "logs"
    return folder if is_writable(folder) else Path(tempfile.mkdtemp(prefix="sampler-bench-logs-"))
