"""Tiny random models, and GGUF files of them as llama.cpp writes them."""

from dataclasses import dataclass, field
from pathlib import Path

import gguf
import numpy as np
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GemmaTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen2Tokenizer,
    Qwen3Config,
    Qwen3ForCausalLM,
)

SIZES = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-6,
}
NORMAL, CONTROL, BYTE = (
    int(kind) for kind in (gguf.TokenType.NORMAL, gguf.TokenType.CONTROL, gguf.TokenType.BYTE)
)
LLAMA3 = {
    "rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0,
    "high_freq_factor": 4.0, "original_max_position_embeddings": 8192,
}  # fmt: skip


LINEAR = {"rope_type": "linear", "rope_theta": 1e6, "factor": 8.0}
GEMMA_4B = {"full_attention": LINEAR, "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}


@dataclass
class Words:
    """A tokenizer of transformers, and what llama.cpp writes of it. ``start``: ids before every text."""

    tokenizer: PreTrainedTokenizerFast
    kind: str
    tokens: list[str]
    types: list[int]
    merges: list[str] = field(default_factory=list)
    keys: dict = field(default_factory=dict)
    start: list[int] = field(default_factory=list)


def llama3_words() -> Words:
    """Digits by threes, some of them tokens to which no merge leads."""
    groups = [str(i).zfill(width) for width in (1, 2, 3) for i in range(10**width)]
    letters = [byte for byte in sorted(pre_tokenizers.ByteLevel.alphabet()) if not byte.isdigit()]
    tokens = [*letters, *groups, "th", "the", "<start>", "<end>"]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    merges = [("t", "h"), ("th", "e"), ("1", "2")]
    backend = Tokenizer(models.BPE(vocabulary, merges=merges, ignore_merges=True))
    split = pre_tokenizers.Split(Regex(r"\d{1,3}|\s|[^\d\s]+"), "isolated")
    letters_of = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.pre_tokenizer = pre_tokenizers.Sequence([split, letters_of])
    backend.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<start>", eos_token="<end>")
    types = [CONTROL if token in ("<start>", "<end>") else NORMAL for token in tokens]
    keys = {"pre": "llama-bpe", "bos": vocabulary["<start>"], "eos": vocabulary["<end>"]}
    return Words(tokenizer, "gpt2", tokens, types, [" ".join(pair) for pair in merges], keys, [keys["bos"]])


def qwen_words() -> Words:
    """Every digit alone; nothing stands before a text."""
    tokens = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "th", "the", "12", "<|endoftext|>", "<|im_end|>"]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    merges = [("t", "h"), ("th", "e"), ("1", "2")]
    tokenizer = Qwen2Tokenizer(vocab=vocabulary, merges=merges)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_end|>"]})
    types = [CONTROL if token.startswith("<|") else NORMAL for token in tokens]
    keys = {
        "pre": "qwen2",
        "bos": vocabulary["<|endoftext|>"],
        "eos": vocabulary["<|im_end|>"],
        "add_bos": False,
    }
    return Words(tokenizer, "gpt2", tokens, types, [" ".join(pair) for pair in merges], keys)


def gemma_words() -> Words:
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    merged = ["th", "the", "▁the"]
    tokens, types = _sentencepiece(special, merged)
    merges = [("t", "h"), ("th", "e"), ("▁", "the")]
    tokenizer = GemmaTokenizer(vocab={token: i for i, token in enumerate(tokens)}, merges=merges)
    return Words(tokenizer, "llama", tokens, types, keys={"bos": 2, "eos": 1, "add_bos": True}, start=[2])


def llama2_words() -> Words:
    """The file does not say that a text begins with a mark; in llama.cpp such a one does."""
    special = ["<unk>", "<s>", "</s>"]
    merged = ["th", "the", "▁the"]
    tokens, types = _sentencepiece(special, merged)
    merges = [("t", "h"), ("th", "e"), ("▁", "the")]
    tokenizer = LlamaTokenizer(vocab={token: i for i, token in enumerate(tokens)}, merges=merges)
    return Words(tokenizer, "llama", tokens, types, keys={"bos": 1, "eos": 2}, start=[1])


def _sentencepiece(special: list[str], merged: list[str]) -> tuple[list[str], list[int]]:
    held = [f"<0x{byte:02X}>" for byte in range(256)]
    single = ["▁", *"abcdefghijklmnopqrstuvwxyzA0123456789:.\n"]
    tokens = [*special, *held, *merged, *single]
    return tokens, [CONTROL] * len(special) + [BYTE] * 256 + [NORMAL] * (len(merged) + len(single))


def llama(words: Words, **more) -> PreTrainedModel:
    return _random(LlamaForCausalLM(LlamaConfig(**_common(words), **more)))


def qwen2(words: Words, **more) -> PreTrainedModel:
    return _random(Qwen2ForCausalLM(Qwen2Config(**_common(words), **more)))


def qwen3(words: Words, **more) -> PreTrainedModel:
    return _random(Qwen3ForCausalLM(Qwen3Config(**_common(words), head_dim=32, **more)))


def gemma3(words: Words, **more) -> PreTrainedModel:
    """Five layers that look back 8 tokens, and one that sees them all."""
    common = _common(words) | {"num_hidden_layers": 6}
    scale = {"head_dim": 32, "query_pre_attn_scalar": 32, "sliding_window": 8}
    return _random(Gemma3ForCausalLM(Gemma3TextConfig(**common, **scale, **more)))


def _common(words: Words) -> dict:
    ends = {"bos_token_id": words.keys["bos"], "eos_token_id": words.keys["eos"], "pad_token_id": None}
    return {**SIZES, "num_hidden_layers": 2, "vocab_size": len(words.tokens), **ends}


def _random(model: PreTrainedModel) -> PreTrainedModel:
    """All weights random, biases and norms too, so that none can be left out unseen."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.normal_(1.0 if "norm" in name else 0.0, 0.2)
    return model.eval()


def write(
    path: Path,
    architecture: str,
    model: PreTrainedModel,
    words: Words,
    stored: gguf.GGMLQuantizationType = gguf.GGMLQuantizationType.F32,
    **keys: object,
) -> Path:
    """A GGUF file of the model; matrices stored as asked, and further metadata."""
    config = model.config
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_embedding_length(config.hidden_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    rope = config.rope_parameters
    rope = rope.get("full_attention", rope)
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    if config.model_type in ("qwen3", "gemma3_text"):
        writer.add_key_length(config.head_dim)
    if architecture == "gemma3":
        writer.add_sliding_window(config.sliding_window)
    for key, value in keys.items():
        add = writer.add_string if isinstance(value, str) else writer.add_float32
        add(f"{architecture}.{key.replace('__', '.')}", value)
    _write_words(writer, words)
    names = gguf.get_tensor_name_map(
        gguf.MODEL_ARCH[config.model_type.removesuffix("_text").upper()], config.num_hidden_layers
    )
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        value = _as_llama_cpp(architecture, name, weight.numpy(), config)
        kind = stored if value.ndim > 1 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(
            names.get_name(name, (".weight", ".bias")),
            gguf.quantize(value, kind),
            raw_dtype=kind,
        )
    if rope["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", _llama3_factors(rope, config.head_dim))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _write_words(writer: gguf.GGUFWriter, words: Words) -> None:
    writer.add_tokenizer_model(words.kind)
    writer.add_token_list(words.tokens)
    writer.add_token_types(words.types)
    if words.merges:
        writer.add_token_merges(words.merges)
    else:
        writer.add_token_scores([float(-rank) for rank in range(len(words.tokens))])
    if "pre" in words.keys:
        writer.add_tokenizer_pre(words.keys["pre"])
    writer.add_bos_token_id(words.keys["bos"])
    writer.add_eos_token_id(words.keys["eos"])
    if "add_bos" in words.keys:
        writer.add_add_bos_token(words.keys["add_bos"])
    writer.add_chat_template("{% for m in messages %}{{ m.content }}{% endfor %}")


def _as_llama_cpp(architecture: str, name: str, value: np.ndarray, config) -> np.ndarray:
    """As its convert_hf_to_gguf.py changes the values."""
    if architecture == "gemma3" and name.endswith("norm.weight"):
        return value + 1
    heads = {"q_proj": config.num_attention_heads, "k_proj": config.num_key_value_heads}.get(
        name.split(".")[-2]
    )
    if architecture == "llama" and heads:
        halves = value.reshape(heads, 2, value.shape[0] // heads // 2, *value.shape[1:])
        return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(value.shape))
    return value


def _llama3_factors(rope: dict, head_size: int) -> np.ndarray:
    """As its convert_hf_to_gguf.py computes them."""
    trained, low, high = (
        rope[key] for key in ("original_max_position_embeddings", "low_freq_factor", "high_freq_factor")
    )
    factors = []
    for i in range(0, head_size, 2):
        wavelength = 2 * np.pi * rope["rope_theta"] ** (i / head_size)
        if wavelength < trained / high:
            factors.append(1.0)
        elif wavelength > trained / low:
            factors.append(rope["factor"])
        else:
            smooth = (trained / wavelength - low) / (high - low)
            factors.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return np.array(factors, np.float32)
