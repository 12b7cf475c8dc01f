"""Tiny Llama checkpoints: random ones whose tokenizers group digits, and one with a law known beforehand."""

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

START_TOKEN, END_TOKEN = "<start>", "<end>"
CHAT = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:\n"
HIDDEN = 64


def digit_groups() -> Tokenizer:
    """Up to three digits a token, from the left, and a mark before every text, as Llama 3 writes them."""
    groups = [str(i).zfill(width) for width in (1, 2, 3) for i in range(10**width)]
    letters = [byte for byte in sorted(pre_tokenizers.ByteLevel.alphabet()) if not byte.isdigit()]
    vocabulary = {piece: i for i, piece in enumerate([END_TOKEN, *letters, *groups])}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges=[], ignore_merges=True))
    split = pre_tokenizers.Split(Regex(r"\d{1,3}|\D"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.add_special_tokens([START_TOKEN])
    start = (START_TOKEN, tokenizer.token_to_id(START_TOKEN))
    tokenizer.post_processor = processors.TemplateProcessing(f"{START_TOKEN} $A", special_tokens=[start])
    return tokenizer


def digit_merges() -> Tokenizer:
    """Byte-pair encoding that merges digits as they come, as GPT-2 does."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    draw = random.Random(0)
    lines = ["".join(draw.choices("0123456789", [9, 5, 4, 3, 1, 4, 3, 1, 1, 6], k=9)) for _ in range(4000)]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        lines, trainers.BpeTrainer(vocab_size=450, initial_alphabet=sorted(alphabet), show_progress=False)
    )
    tokenizer.add_special_tokens([END_TOKEN])
    return tokenizer


def single_digits() -> Tokenizer:
    """Every byte a token of its own."""
    vocabulary = [END_TOKEN, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(models.BPE({piece: i for i, piece in enumerate(vocabulary)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return tokenizer


def random_model(config: LlamaConfig) -> LlamaForCausalLM:
    """Weights large enough that next-token laws differ from place to place."""
    torch.manual_seed(0)
    return LlamaForCausalLM(config)


def constant_law(law: dict[int, float]) -> Callable[[LlamaConfig], LlamaForCausalLM]:
    """A model that writes each token with its probability, whatever came before.

    Every embedding is the vector of ones, attention and MLP add nothing, so the last hidden state is ones
    but for the epsilon of the norm, and a token's logit is the first entry of its row: ln of its probability.
    """

    def model(config: LlamaConfig) -> LlamaForCausalLM:
        made = LlamaForCausalLM(config)
        with torch.no_grad():
            for name, weight in made.named_parameters():
                weight.fill_(1.0 if "norm" in name or "embed" in name else 0.0)
            made.lm_head.weight[:, 0] = -40.0
            for token, probability in law.items():
                made.lm_head.weight[token, 0] = float(np.log(probability))
        return made

    return model


def save(
    folder: Path,
    tokenizer: Tokenizer,
    model: Callable[[LlamaConfig], LlamaForCausalLM],
    context: int = 512,
    chat_template: str | None = None,
) -> Path:
    """Write a checkpoint that vLLM serves, in float32."""
    tokenizer.decoder = decoders.ByteLevel()
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END_TOKEN)
    wrapped.chat_template = chat_template
    end = wrapped.convert_tokens_to_ids(END_TOKEN)
    config = LlamaConfig(
        vocab_size=len(wrapped),
        hidden_size=HIDDEN,
        intermediate_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=context,
        initializer_range=0.25,
        rms_norm_eps=1e-9,
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=None,
    )
    model(config).to(torch.float32).save_pretrained(folder)
    wrapped.save_pretrained(folder)
    return folder
