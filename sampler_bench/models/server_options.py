"""Where models are served, and how they are asked: what a user says of it, checked."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sampler_bench.errors import InputError
from sampler_bench.integers import shown
from sampler_bench.models.engines.spending import ANSWER_LENGTHS, Spending
from sampler_bench.models.engines.transport import TIMEOUT_SECONDS
from sampler_bench.secrets import quoted, remember, secret_field, without_secrets

VLLM, TRANSFORMERS = ENGINES = "vllm", "transformers"  # what models that are not served elsewhere run in
USUAL_ROOM = 8192  # tokens, where nobody says what will be asked
OPTIONS = {
    "base_urls": "--base-url",
    "vllm_args": "--vllm-arg",
    "loras": "--lora",
}  # that may be given several times
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
    ``engine``: ``transformers`` runs weights inside this process, slowly and without a server.
    ``room``: tokens that one text may need at a server started here, prompt and response together; a run
    reckons it from what it will ask. ``loras``: adapters (``NAME=FOLDER``) of the one model that is served
    here, each a model of its own.

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
    engine: str = VLLM
    room: int = USUAL_ROOM
    loras: Sequence[str] = ()
    spending: Spending | None = field(default=None, repr=False, compare=False)

    def __post_init__(self):
        remember(self.api_key)
        if self.spending is None:  # else it is one of several models that are charged to the same
            object.__setattr__(self, "spending", Spending(self.max_tokens_total))
        if self.engine not in ENGINES:
            raise InputError(f"--engine {shown(self.engine)}: there are {' and '.join(ENGINES)}")
        for name in ("base_urls", "vllm_args", "loras", "port", "max_tokens_total"):
            if self.engine == TRANSFORMERS and getattr(self, name):
                raise InputError(
                    f"{OPTIONS.get(name) or _option(name)} is for servers, and with --engine transformers "
                    "there is none"
                )
        for name in ("samples_only", "extra_body"):
            if getattr(self, name) and not self.base_urls:
                raise InputError(f"{_option(name)} is for a server that runs elsewhere: give its --base-url")
        for name, value in self.extra_body.items():
            if name in ("model", "messages", "n", "stream"):
                raise InputError(f"--extra-body: {name} is ours to say; leave it out")
            if name in ANSWER_LENGTHS and (type(value) is not int or value < 1):
                raise InputError(f"--extra-body: {name} = {value!r} is no number of tokens")
        for name in ("extra_body", "chat_template_kwargs"):
            if field_name := secret_field(getattr(self, name)):
                raise InputError(
                    f"{_option(name)}: {quoted(field_name)} looks like a secret, and what is given there is "
                    "stored in the manifest; a key goes into the environment variable VLLM_API_KEY"
                )
        if self.samples_only and self.same_weights:
            raise InputError(
                "--same-weights compares what weights answer to one question, and of a chat API nothing can "
                "be asked that would tell weights apart; leave it out"
            )
        if self.samples_only and self.chat_template_kwargs:
            raise InputError(
                "--chat-template-kwargs is for vLLM; with --samples-only, what the server takes for it goes "
                "into --extra-body"
            )

    def told(self) -> dict:
        """What was asked for, by the names of options, without what is secret or of this machine."""
        said = {
            "base-url": list(self.base_urls),
            "engine": "" if self.engine == VLLM else self.engine,
            "timeout": self.timeout,
            "vllm-arg": [without_secrets(argument) for argument in self.vllm_args],
            "chat-template-kwargs": dict(self.chat_template_kwargs),
            "samples-only": self.samples_only,
            "extra-body": dict(self.extra_body),
            "max-tokens-total": self.max_tokens_total,
            "same-weights": self.same_weights,
            "lora": list(self.loras),
        }
        return {name: value for name, value in said.items() if value}

    @property
    def key(self) -> str | None:
        return self.api_key or os.environ.get("VLLM_API_KEY")


def check_arguments(vllm_args: Sequence[str]) -> None:
    """Raise InputError if one is a secret, in any spelling that vLLM takes: _ for -, a name's beginning."""
    for argument in vllm_args:
        name = re.split(r"[=.+\s]", argument, maxsplit=1)[0].replace("_", "-").lower()
        for secret, variable in SECRET_ARGUMENTS.items():
            if name.startswith(secret) or (len(name) > len("--") and secret.startswith(name)):
                raise InputError(
                    f"others on this machine would see a secret given as --vllm-arg; {secret} goes into the "
                    f"environment variable {variable}"
                )


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
