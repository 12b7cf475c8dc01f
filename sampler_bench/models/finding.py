"""From the name, or the object, that a user gives to something that can be measured.

A name is a reference sampler, the built-in model, one that an installed package offers, a local folder or
GGUF file, a Hugging Face id, or (with base URLs) whatever running servers call their model. An object stands
for itself.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from sampler_bench.errors import InputError
from sampler_bench.models.engines.endpoint import base_url
from sampler_bench.models.model import OwnModel
from sampler_bench.models.objects import ObjectModel, find_installed, installed_names
from sampler_bench.models.reference import NUMBERED, REFERENCES, find_reference
from sampler_bench.models.server_options import ServerOptions, check_arguments
from sampler_bench.models.sources import Source
from sampler_bench.models.weights import smollm2
from sampler_bench.models.weights.adapters import find_adapter
from sampler_bench.models.weights.weight_kinds import BuiltIn, HubModel, find_folder, find_gguf

GGUF = ".gguf"
HUGGING_FACE_ID = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


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
