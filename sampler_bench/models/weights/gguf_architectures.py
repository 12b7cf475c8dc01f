"""What a GGUF file calls things, and what transformers calls them, for each architecture that is known.

llama.cpp stores the weights of some layers otherwise than transformers does: Llama's queries and keys with
the halves of each head interleaved, Gemma's norms with one added.
"""

import math
import re
from collections.abc import Set
from dataclasses import dataclass
from functools import partial

import numpy as np

from sampler_bench.errors import ModelError
from sampler_bench.models.weights.gguf_file import GgufFile

ARCHITECTURES = {"llama": "llama", "qwen2": "qwen2", "qwen3": "qwen3", "gemma3": "gemma3_text"}
ROPE_FACTORS = "rope_freqs.weight"
WHOLE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "ffn_norm": "post_attention_layernorm",
}
GEMMA_LAYER = {
    **LAYER,
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}
GEMMA_27B_LAYERS = 62  # llama.cpp tells the one Gemma 3 whose attention is scaled otherwise by its layers
# Of Llama 3.1 and later, whose positions are scaled by wavelength: what all of them have.
LLAMA3 = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}


@dataclass(frozen=True)
class Architecture:
    """How to make a model of transformers of a file.

    ``settings`` are those of its configuration. ``beside``: tensors that are no weights.
    """

    model_type: str
    settings: dict
    beside: Set[str] = frozenset({ROPE_FACTORS})

    @property
    def _is_gemma(self) -> bool:
        return self.model_type == "gemma3_text"

    def name_of(self, tensor: str) -> str:
        """What transformers calls a tensor; an unknown one keeps its name."""
        layer = re.fullmatch(r"blk\.(\d+)\.(\w+)\.(weight|bias)", tensor)
        if layer:
            number, part, kind = layer.groups()
            names = GEMMA_LAYER if self._is_gemma else LAYER
            return f"model.layers.{number}.{names.get(part, part)}.{kind}"
        part, _, kind = tensor.rpartition(".")
        return f"{WHOLE.get(part, part)}.{kind}"

    def value_of(self, tensor: str, value: np.ndarray) -> np.ndarray:
        """A tensor as transformers has it."""
        if self._is_gemma and tensor.endswith("norm.weight"):
            return value - 1
        heads = {
            "attn_q": self.settings["num_attention_heads"],
            "attn_k": self.settings["num_key_value_heads"],
        }.get(tensor.split(".")[-2])
        if self.model_type == "llama" and heads:
            paired = value.reshape(heads, value.shape[0] // heads // 2, 2, *value.shape[1:])
            return paired.swapaxes(1, 2).reshape(value.shape)
        return value


def architecture_of(file: GgufFile) -> Architecture:
    """The architecture of a file.

    Raises
    ------
    ModelError
        If it is not known, or the file does not say what it must, or scales positions in a way not known.
    """
    kind = file["general.architecture"]
    if kind not in ARCHITECTURES:
        raise ModelError(f"its architecture is {kind!r}, and only {', '.join(ARCHITECTURES)} are known")
    said = partial(_said, file, kind)
    heads = said("attention.head_count")
    key_value_heads = said("attention.head_count_kv", heads)
    head_size = said("attention.key_length", said("embedding_length") // heads)
    for what, value in (("heads", heads), ("heads of keys", key_value_heads)):
        if not isinstance(value, int):
            raise ModelError(f"its number of {what} differs from layer to layer, which is not known here")
    if said("rope.dimension_count", head_size) != head_size:
        raise ModelError("its positions turn a part of each head alone, which is not known here")
    settings = {
        "vocab_size": _shape(file, "token_embd.weight")[0],
        "hidden_size": said("embedding_length"),
        "intermediate_size": said("feed_forward_length"),
        "num_hidden_layers": said("block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": key_value_heads,
        "head_dim": head_size,
        "max_position_embeddings": said("context_length"),
        "rms_norm_eps": said("attention.layer_norm_rms_epsilon"),
        "rope_theta": said("rope.freq_base", 10_000.0),
        "rope_scaling": _scaling(file, said, head_size),
        "tie_word_embeddings": "output.weight" not in file.shapes,
        "bos_token_id": file.metadata.get("tokenizer.ggml.bos_token_id"),
        "eos_token_id": file["tokenizer.ggml.eos_token_id"],
        "pad_token_id": file.metadata.get("tokenizer.ggml.padding_token_id"),
    }
    if kind == "gemma3":
        narrow = said("embedding_length") // heads
        settings |= {
            "sliding_window": said("attention.sliding_window"),
            "rope_local_base_freq": said("rope.freq_base_swa", 10_000.0),
            "query_pre_attn_scalar": narrow if said("block_count") == GEMMA_27B_LAYERS else head_size,
            "final_logit_softcapping": file.metadata.get("gemma3.final_logit_softcapping"),
        }
    return Architecture(ARCHITECTURES[kind], {k: v for k, v in settings.items() if v is not None})


_NEEDED = object()


def _said(file: GgufFile, kind: str, key: str, otherwise: object = _NEEDED):
    """What the file says of its architecture."""
    full = f"{kind}.{key}"
    return file[full] if otherwise is _NEEDED else file.metadata.get(full, otherwise)


def _shape(file: GgufFile, tensor: str) -> tuple[int, ...]:
    if tensor not in file.shapes:
        raise ModelError(f"it lacks the tensor {tensor}")
    return file.shapes[tensor]


def _scaling(file: GgufFile, said: partial, head_size: int) -> dict | None:
    """How positions are scaled, as transformers says it."""
    kind = said("rope.scaling.type", "none")
    if ROPE_FACTORS in file.shapes:
        factors = file.tensor(ROPE_FACTORS)
        factor = float(factors.max())
        if not np.allclose(factors, _llama3_factors(head_size, said("rope.freq_base"), factor), rtol=1e-4):
            raise ModelError("it scales positions by factors other than Llama 3's, which are not known here")
        return {"rope_type": "llama3", "factor": factor, **LLAMA3}
    if kind == "linear":
        return {"rope_type": "linear", "factor": said("rope.scaling.factor")}
    if kind != "none":
        raise ModelError(f"it scales positions by {kind!r}, which is not known here")
    return None


def _llama3_factors(head_size: int, base: float, factor: float) -> np.ndarray:
    """By what the wavelengths of Llama 3.1 are stretched, shape (head_size / 2,)."""
    wavelength = 2 * math.pi * base ** (np.arange(0, head_size, 2) / head_size)
    low, high, trained = LLAMA3.values()
    smooth = np.clip((trained / wavelength - low) / (high - low), 0, 1)
    return 1 / ((1 - smooth) / factor + smooth)
