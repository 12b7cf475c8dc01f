"""From the name, or the object, that a user gives to something that can be measured.

A name is a reference sampler, the built-in model, one that an installed package offers, a local folder, a
Hugging Face id, or (with base URLs) whatever running servers call their model. An object stands for itself.
"""

import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path

from sampler_bench.errors import InputError, ModelError
from sampler_bench.files import cache_folder, is_writable
from sampler_bench.models.engines.chat import ChatModel, suits_chat
from sampler_bench.models.engines.endpoint import Say, base_url
from sampler_bench.models.engines.exchange import speaks_vllm
from sampler_bench.models.engines.spending import Spending
from sampler_bench.models.engines.transport import TIMEOUT_SECONDS, Transport
from sampler_bench.models.engines.vllm import UNMASKED, VllmModel
from sampler_bench.models.model import DigitModel, OwnModel
from sampler_bench.models.objects import ObjectModel, find_installed, installed_names
from sampler_bench.models.reference import NUMBERED, REFERENCES, Reference, find_reference
from sampler_bench.models.serving.server import HOST, VllmServer, serving_arguments
from sampler_bench.models.weights import smollm2
from sampler_bench.models.weights.folders import WEIGHTS, folder_identity
from sampler_bench.secrets import remember, without_secrets
from sampler_bench.tasks import Arm

HUGGING_FACE_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
# Arguments of vLLM that are secrets, and where it takes them from as well.
SECRET_ARGUMENTS = {"--api-key": "VLLM_API_KEY", "--hf-token": "HF_TOKEN"}


@dataclass(frozen=True)
class ServerOptions:
    """Where models are served: at ``base_urls``, the load spread over them, else by a server started here.

    ``api_key``: of these servers, and asked for by one started here; VLLM_API_KEY of the environment where
    none is given. ``timeout``: seconds after which a request without its whole answer counts as failed.
    ``chat_template_kwargs``: given to the chat template of every prompt. ``samples_only``: the base URLs are
    those of a chat API, which gives answers and no laws; ``extra_body``: further fields of its requests.
    ``max_tokens_total``: what all requests of a run may cost together, in tokens in and out.
    ``same_weights``: what is served is what the run was begun with, elsewhere: only its answer to the probe
    is compared.

    Raises
    ------
    InputError
        If these do not go together.
    """

    base_urls: Sequence[str] = ()
    api_key: str | None = field(default=None, repr=False)
    timeout: float = TIMEOUT_SECONDS
    port: int | None = None
    vllm_args: Sequence[str] = ()
    chat_template_kwargs: Mapping[str, object] = field(default_factory=dict)
    samples_only: bool = False
    extra_body: Mapping[str, object] = field(default_factory=dict)
    max_tokens_total: int | None = None
    same_weights: bool = False
    spending: Spending = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        remember(self.api_key)
        object.__setattr__(self, "spending", Spending(self.max_tokens_total))
        for name in ("samples_only", "extra_body"):
            if getattr(self, name) and not self.base_urls:
                raise InputError(f"{_option(name)} is for a server that runs elsewhere: give its --base-url")
        if self.samples_only and self.chat_template_kwargs:
            raise InputError(
                "--chat-template-kwargs is for vLLM; with --samples-only, what the server takes for it goes "
                "into --extra-body"
            )

    def told(self) -> dict:
        """What was asked for, by the names of options, without what is secret or of this machine."""
        said = {
            "base-url": list(self.base_urls),
            "vllm-arg": [without_secrets(argument) for argument in self.vllm_args],
            "chat-template-kwargs": dict(self.chat_template_kwargs),
            "samples-only": self.samples_only,
            "extra-body": dict(self.extra_body),
        }
        return {name: value for name, value in said.items() if value}

    @property
    def key(self) -> str | None:
        return self.api_key or os.environ.get("VLLM_API_KEY")


class Source:
    """A model that has been found but not started.

    ``reference`` is the sampler that stands behind the name, ``own`` the object, if one does. ``served`` is
    the folder or Hugging Face id to serve; None stands for the built-in model. ``options`` say where.
    """

    def __init__(
        self,
        name: str,
        options: ServerOptions,
        served: str | None = None,
        reference: Reference | None = None,
        own: ObjectModel | None = None,
    ):
        self.name = name
        self.reference = reference
        self.own = own
        self._served = served
        self.options = options

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
        return not (self.own or self.reference or self.options.base_urls)

    def recognised(self, say: Say) -> "Source":
        """The same, where base URLs turn out to be of a chat API as one of which answers are had alone.

        Raises
        ------
        InputError
            If something is asked for that a vLLM server has no use for.
        """
        options = self.options
        if self.own or self.reference or not options.base_urls or options.samples_only:
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

    def _with(self, **options: object) -> "Source":
        return Source(self.name, replace(self.options, **options), self._served, self.reference, self.own)

    @contextmanager
    def open(
        self, say: Say, probe: Sequence[float] = ()
    ) -> Iterator[AbstractAsyncContextManager[DigitModel]]:
        """Make the model ready (start its server, if it needs one) and yield it, to be entered.

        ``probe``: its answer to the probe, if that is known already.

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
        elif options.base_urls:
            yield self._behind(Transport(options.base_urls, options.key, None, say, *self._limits), probe)
        else:
            with self.serve(say) as server:
                transport = Transport([server.base_url], options.key, server, say, *self._limits)
                yield self._behind(transport, probe)

    @property
    def _limits(self) -> tuple[float, Spending]:
        return self.options.timeout, self.options.spending

    def _behind(self, transport: Transport, probe: Sequence[float]) -> ChatModel | VllmModel:
        options = self.options
        if options.samples_only:
            return ChatModel(transport, self.name, options.extra_body)
        return VllmModel(transport, self.name, probe, options.chat_template_kwargs)

    @contextmanager
    def serve(self, say: Say, host: str = HOST) -> Iterator[VllmServer]:
        """Serve the model on this machine, at one of its addresses."""
        options = self.options
        with VllmServer(
            self.name, _log_folder(), options.port, options.vllm_args, host, options.key
        ) as server:  # its port is taken before a model is fetched
            server.start(self._served or str(smollm2.fetch(say)), say)
            yield server

    def describe(self) -> dict:
        """What the manifest says of the model; ``identity`` tells one set of weights from another."""
        here = self.own or self.reference
        if here:
            return here.describe()
        if self.options.samples_only:
            return {
                "kind": "chat",
                "identity": self.name,
                "base_urls": list(self.options.base_urls),
                "extra_body": dict(self.options.extra_body),
            }
        common = {
            "kind": "vllm",
            "unmasked": UNMASKED,
            "chat_template_kwargs": dict(self.options.chat_template_kwargs),
        }
        if self.options.base_urls:
            return {**common, "identity": self.name, "base_urls": list(self.options.base_urls)}
        arguments = [without_secrets(argument) for argument in serving_arguments(self.options.vllm_args)]
        return {**common, "identity": self._identity(), "vllm_arguments": arguments}

    def _identity(self) -> str:
        if self._served is None:
            return smollm2.identity()
        if Path(self._served).is_dir():
            return folder_identity(Path(self._served))
        return _hub_revision(self._served)


def find_models(
    models: Sequence[str | OwnModel], options: ServerOptions, elsewhere: bool = False
) -> list[Source]:
    """What names and objects stand for, each once. ``elsewhere``: they are measured by other processes.

    Raises
    ------
    InputError
        If there is none, an object is named as another model is, or it is to be measured elsewhere; and as
        ``find_model`` does.
    ModelError
        As ``find_model`` does.
    """
    known = {model if isinstance(model, str) else id(model): model for model in models}
    sources = [find_model(model, options) for model in known.values()]
    if not sources:
        raise InputError("no model to measure: name at least one with --model")
    names = [source.name for source in sources]
    for source in sources:
        if source.own and names.count(source.name) > 1:
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
        If it is a folder without weights.
    """
    _check_arguments(options.vllm_args)
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
        return Source(name, options)
    own = find_installed(name)
    if own:
        return _of_object(own, options)
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        _check_folder(folder)
        return Source(folder.resolve().name, options, served=str(folder.resolve()))
    if HUGGING_FACE_ID.fullmatch(name) and not name.startswith("."):
        return Source(name, options, served=name)
    known = ", ".join([*REFERENCES, *NUMBERED, smollm2.NAME, *installed_names()])
    raise InputError(
        f"unknown model {name!r}: neither {known}, nor a folder here, nor a Hugging Face id "
        "such as HuggingFaceTB/SmolLM2-360M-Instruct"
    )


def _of_object(own: ObjectModel, options: ServerOptions) -> Source:
    if own.name == smollm2.NAME or find_reference(own.name):
        raise InputError(f"a model of one's own is called {own.name}, as a built-in one is; rename it")
    return Source(own.name, options, own=own)


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _check_arguments(vllm_args: Sequence[str]) -> None:
    """Raise InputError if one is a secret, in any spelling that vLLM takes: _ for -, a name's beginning."""
    for argument in vllm_args:
        name = re.split(r"[=.+\s]", argument, maxsplit=1)[0].replace("_", "-").lower()
        for secret, variable in SECRET_ARGUMENTS.items():
            if name.startswith(secret) or (len(name) > len("--") and secret.startswith(name)):
                raise InputError(
                    f"others on this machine would see a secret given as --vllm-arg; {secret} goes into the "
                    f"environment variable {variable}"
                )


def _check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} is not a model folder: it holds no config.json")
    if not any(next(folder.glob(pattern), None) for pattern in WEIGHTS):
        raise ModelError(f"{folder} holds no weights ({', '.join(WEIGHTS)})")


def _log_folder() -> Path:
    """Where servers' logs go: into the cache or, if that cannot be written, into a folder of their own."""
    folder = cache_folder() / "logs"
    return folder if is_writable(folder) else Path(tempfile.mkdtemp(prefix="sampler-bench-logs-"))


def _hub_revision(model: str) -> str:
    """The commit of a Hugging Face model in the local cache, where vLLM has put it."""
    try:
        config = import_module("huggingface_hub").try_to_load_from_cache(model, "config.json")
    except ImportError:
        config = None
    return f"{model}@{Path(config).parent.name}" if isinstance(config, str) else f"{model}@unknown"
