"""How much of what a server is given: context for what will be asked, memory for it, and the cores there are.

The context is what is needed, in steps of 1,024 tokens, at most what the model declares. On a CPU, the space
for keys and values (KV) is 2 GiB, or more if one text as long as the context needs more; never more than is
free beside the weights. What the user says, as an argument of vLLM or in the environment, goes before.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from sampler_bench import machine
from sampler_bench.models.weights.folders import WEIGHTS

STEP = 1024  # tokens
CONTEXT_KEYS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "n_ctx")
GIB = 2**30
USUAL_KV = 2  # GiB
VLLM_ITSELF = 3 * GIB  # its processes, beside weights, keys and values
FLOAT_BYTES = 4  # of a weight, a key or a value on a CPU, where all is float32
STORED_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}  # of a weight in a file


@dataclass(frozen=True)
class Sizes:
    """What vLLM is started with: arguments, and variables of its environment."""

    arguments: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)


def sizes(model: str, room: int, vllm_args: Sequence[str], on_cpu: bool, say: Callable[[str], None]) -> Sizes:
    """What to start vLLM with for a folder or Hugging Face id.

    Parameters
    ----------
    room : int
        Tokens that one text may need, prompt and response together.
    vllm_args : sequence of str
        The user's.
    """
    folder = _folder(model)
    config = _read(folder, "config.json")
    declared = _declared(config, _read(folder, "tokenizer_config.json"))
    context = said = asked_for("--max-model-len", vllm_args)
    arguments = []
    if said is None and declared:
        context = str(min(declared, math.ceil(room / STEP) * STEP))
        arguments = ["--max-model-len", context]
    if not on_cpu:
        return Sizes(arguments)
    tokens = int(context) if context and context.isdecimal() else declared or 0
    return Sizes(arguments, _cores() | _memory(model, folder, config, tokens, say))


def asked_for(name: str, arguments: Sequence[str]) -> str | None:
    """The value of an argument, the last counts. vLLM takes it as one word or two, and _ for -."""
    value = None
    for place, argument in enumerate(arguments):
        word, equals, rest = argument.partition("=")
        if word.replace("_", "-") == name:
            value = rest if equals else "".join(arguments[place + 1 : place + 2])
    return value


def _folder(model: str) -> Path | None:
    """Where the model's configuration lies; that of a Hugging Face id is fetched, for vLLM wants it too."""
    if Path(model).is_dir():
        return Path(model)
    try:
        return Path(import_module("huggingface_hub").hf_hub_download(model, "config.json")).parent
    except Exception:  # whatever hinders: vLLM will run into it, and say it
        return None


def _read(folder: Path | None, name: str) -> dict:
    try:
        found = json.loads((folder / name).read_text()) if folder else {}
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _text_part(config: dict) -> dict:
    """Of a model for images and text, what is said of the text."""
    part = config.get("text_config")
    return config | (part if isinstance(part, dict) else {})


def _declared(config: dict, tokenizer: dict) -> int | None:
    """The longest context that the model declares, tokens."""
    said = [_text_part(config).get(key) for key in CONTEXT_KEYS]
    found = [length for length in said if isinstance(length, int) and length > 0][:1]
    limit = tokenizer.get("model_max_length")
    if found and isinstance(limit, int) and limit > 0:
        found.append(limit)
    return min(found, default=None)


def _cores() -> dict[str, str]:
    """Threads bound to the cores that are ours; to none of them where a quota of time is less than all."""
    mine, worth = machine.affinity(), machine.cores()
    if worth < len(mine):
        return {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": str(worth)}
    return {"VLLM_CPU_OMP_THREADS_BIND": ",".join(map(str, mine))}


def _memory(
    model: str, folder: Path | None, config: dict, tokens: int, say: Callable[[str], None]
) -> dict[str, str]:
    """Space for keys and values, GiB."""
    weights = _weight_bytes(folder, config)
    left = (machine.free_memory() - weights - VLLM_ITSELF) // GIB
    needed = math.ceil(tokens * _token_bytes(config) / GIB)
    if needed > left:
        say(
            f"memory may not do for {Path(model).name}: about {weights / GIB:.1f} GiB of weights, "
            f"{needed} GiB for a text of {tokens} tokens and {VLLM_ITSELF // GIB} GiB for vLLM itself, of "
            f"{machine.free_memory() / GIB:.1f} GiB that are free; a smaller --vllm-arg=--max-model-len=N "
            "needs less"
        )
    return {"VLLM_CPU_KVCACHE_SPACE": str(max(1, min(left, max(USUAL_KV, needed))))}


def _token_bytes(config: dict) -> int:
    """Of the keys and values of one token, in all layers; 0 where the configuration does not say."""
    said = _text_part(config)
    try:
        heads = said["num_attention_heads"]
        size = said.get("head_dim") or said["hidden_size"] // heads
        return 2 * said["num_hidden_layers"] * (said.get("num_key_value_heads") or heads) * size * FLOAT_BYTES
    except (KeyError, TypeError, ZeroDivisionError):
        return 0


def _weight_bytes(folder: Path | None, config: dict) -> int:
    """Of the weights in memory, by the first kind of file that there is; 0 while they are to be fetched."""
    for pattern in WEIGHTS:
        stored = sum(path.stat().st_size for path in folder.glob(pattern)) if folder else 0
        if stored:
            kind = _text_part(config).get("dtype") or _text_part(config).get("torch_dtype")
            return stored * FLOAT_BYTES // STORED_BYTES.get(str(kind), 2)
    return 0
