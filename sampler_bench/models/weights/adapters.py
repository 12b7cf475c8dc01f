"""LoRA adapters in PEFT's format: changes to the weights of a base model, served with it."""

import json
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sampler_bench.errors import InputError, ModelError
from sampler_bench.models.weights.folders import folder_identity

CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
HEADER = struct.Struct("<Q")  # what a safetensors file begins with: how long its table of contents is
LONGEST_HEADER = 10**8  # bytes
OUTPUT = "lm_head"
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)  # bounds that vLLM knows


@dataclass(frozen=True)
class Adapter:
    """A LoRA adapter.

    ``rank``: the largest of its matrices' inner sizes. ``modules``: the kinds of layers that it changes.
    """

    name: str
    folder: Path
    rank: int
    modules: frozenset[str]

    @property
    def identity(self) -> str:
        """A hash of its files' contents. Raises ModelError if they cannot be read."""
        return folder_identity(self.folder)


def find_adapter(text: str) -> Adapter:
    """The adapter that ``NAME=FOLDER`` stands for.

    Raises
    ------
    InputError
        If the text is of another form, or there is no such folder.
    ModelError
        If the folder holds no LoRA adapter, or one that vLLM does not serve, or not rightly.
    """
    name, _, place = text.partition("=")
    if not name.strip() or not place:
        raise InputError(
            f"--lora {text!r}: an adapter is given as NAME=FOLDER, as in --lora mine=./my-adapter"
        )
    folder = Path(os.path.expanduser(place))
    if not os.path.isdir(folder):
        raise InputError(f"--lora {name}: there is no folder {place}")
    rank = _rank(folder)
    modules = _modules(folder / ADAPTER_WEIGHTS)
    if rank > RANKS[-1]:
        raise ModelError(f"{folder} is an adapter of rank {rank}; vLLM serves ranks up to {RANKS[-1]}")
    if OUTPUT in modules:
        raise ModelError(
            f"{folder} changes the output layer ({OUTPUT}), and vLLM leaves such a change out of the "
            "log-probabilities of prompts, or dies of it: merge the adapter into its base and serve that"
        )
    return Adapter(name, folder.resolve(), rank, modules)


def _rank(folder: Path) -> int:
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text())
    except OSError as error:
        raise ModelError(f"{folder} is no LoRA adapter: {CONFIG} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"{path} is no JSON: {error}") from error
    kind = config.get("peft_type") if isinstance(config, dict) else None
    if kind != "LORA":
        raise ModelError(f"{path} is not that of a LoRA adapter: peft_type is {kind!r}, not 'LORA'")
    ranks = [config.get("r"), *(config.get("rank_pattern") or {}).values()]
    if not all(isinstance(rank, int) and rank > 0 for rank in ranks):
        raise ModelError(
            f"{path} says no rank of the adapter: r is {config.get('r')!r}, not a number above 0"
        )
    return max(ranks)


def _modules(path: Path) -> frozenset[str]:
    """The last parts of the names of the layers that the file has matrices for."""
    try:
        with path.open("rb") as handle:
            (length,) = HEADER.unpack(handle.read(HEADER.size))
            names = list(json.loads(handle.read(min(length, LONGEST_HEADER))))
    except OSError as error:
        raise ModelError(f"{path.parent} holds no adapter's weights: {path.name} cannot be read") from error
    except (struct.error, ValueError) as error:
        raise ModelError(f"{path} is damaged or no safetensors file: {error}") from error
    layers = [name.partition(".lora_")[0] for name in names if ".lora_" in name]
    if not layers:
        raise ModelError(f"{path} holds no matrices of a LoRA adapter")
    return frozenset(layer.rpartition(".")[2] for layer in layers)


def lora_arguments(adapters: Sequence[Adapter]) -> list[str]:
    """What vLLM is told so that it can serve adapters; nothing where there are none."""
    if not adapters:
        return []
    rank = next(bound for bound in RANKS if bound >= max(adapter.rank for adapter in adapters))
    sizes = ["--max-lora-rank", str(rank), "--max-loras", str(len(adapters))]
    # No other layer: with the output layer among them vLLM 0.32 dies of log-probabilities of prompts.
    modules = sorted(frozenset().union(*(adapter.modules for adapter in adapters)))
    return ["--enable-lora", *sizes, "--lora-target-modules", *modules]


def module_arguments(adapters: Sequence[Adapter]) -> list[str]:
    """What vLLM is told of where adapters are, and of what they are called."""
    said = [json.dumps({"name": adapter.name, "path": str(adapter.folder)}) for adapter in adapters]
    return ["--lora-modules", *said] if said else []
