"""The tokenizer of a GGUF file, as its metadata have it: vocabulary, how text is split, how a text begins."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sampler_bench.errors import ModelError
from sampler_bench.models.weights.gguf_file import GgufFile

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

SENTENCEPIECE, BYTE_LEVEL = "llama", "gpt2"  # kinds of tokenizers, by the names that llama.cpp has for them
LETTERS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+"
OTHERS = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPLITS = {  # digits by threes in Llama 3, each alone in Qwen
    "llama-bpe": rf"{LETTERS}|\p{{N}}{{1,3}}|{OTHERS}",
    "qwen2": rf"{LETTERS}|\p{{N}}|{OTHERS}",
}
SAME_SPLIT = {"llama3": "llama-bpe", "llama-v3": "llama-bpe", "deepseek-r1-qwen": "qwen2"}
SMOLLM = "smollm"  # digits each alone, all else as in GPT-2
SPECIAL = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}
UNNAMED = {"qwen2": "qwen2", "qwen3": "qwen2"}  # where the file does not say, by architecture


def tokenizer_of(file: GgufFile) -> "PreTrainedTokenizerFast":
    """The tokenizer, with the chat template.

    Raises
    ------
    ModelError
        If it is of a kind that is not known, or what was made of it does not begin a text, or write digits,
        as the file says.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    kind = file["tokenizer.ggml.model"]
    if kind not in (SENTENCEPIECE, BYTE_LEVEL):
        raise ModelError(f"its tokenizer is of kind {kind!r}, which is not known here")
    with tempfile.TemporaryDirectory() as alone:  # apart from files that lie beside it
        (Path(alone) / "model.gguf").symlink_to(file.path.resolve())
        loaded = AutoTokenizer.from_pretrained(alone, gguf_file="model.gguf")
    backend = _without_added(loaded.backend_tokenizer, len(file["tokenizer.ggml.tokens"]))
    if kind == BYTE_LEVEL:
        _split(backend, _split_name(file))
    start, end = _mark(file, "bos", _begins_with_mark(file)), _mark(file, "eos", False)
    _put_marks(backend, start, end)
    made = PreTrainedTokenizerFast(
        tokenizer_object=backend, clean_up_tokenization_spaces=False, **_special_tokens(file)
    )
    made.chat_template = file.metadata.get("tokenizer.chat_template")
    _must_be_as_said(made, file, [token for token, _ in start])
    return made


def stop_tokens(file: GgufFile) -> int | list[int]:
    """What ends a response: the end of a text, and of a turn where that is another token."""
    end = file["tokenizer.ggml.eos_token_id"]
    turn = file.metadata.get("tokenizer.ggml.eot_token_id", end)
    return end if turn == end else [end, turn]


def _special_tokens(file: GgufFile) -> dict[str, str]:
    ids = {name: file.metadata.get(f"tokenizer.ggml.{key}_token_id") for name, key in SPECIAL.items()}
    return {name: file["tokenizer.ggml.tokens"][number] for name, number in ids.items() if number is not None}


def _without_added(backend: "Tokenizer", size: int) -> "Tokenizer":
    """Without the special tokens that transformers puts after a vocabulary in which they do not stand."""
    from tokenizers import Tokenizer

    described = json.loads(backend.to_str())
    described["added_tokens"] = [token for token in described["added_tokens"] if token["id"] < size]
    return Tokenizer.from_str(json.dumps(described))


def _split_name(file: GgufFile) -> str:
    said = file.metadata.get("tokenizer.ggml.pre", UNNAMED.get(file["general.architecture"], "default"))
    name = SAME_SPLIT.get(said, said)
    if name not in (*SPLITS, SMOLLM):
        known = ", ".join([*SPLITS, SMOLLM, *SAME_SPLIT])
        raise ModelError(f"its tokenizer splits text as {said!r}, and only {known} are known")
    return name


def _split(backend: "Tokenizer", name: str) -> None:
    from tokenizers import Regex, pre_tokenizers

    if name == SMOLLM:
        first = pre_tokenizers.Digits(individual_digits=True)
    else:
        first = pre_tokenizers.Split(Regex(SPLITS[name]), "isolated")
    letters = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=name == SMOLLM)
    backend.pre_tokenizer = pre_tokenizers.Sequence([first, letters])
    backend.model.ignore_merges = (
        name == "llama-bpe"
    )  # what is a token is one, whether merges lead there or not


def _begins_with_mark(file: GgufFile) -> bool:
    """Whether a text begins with the mark of its beginning, if the file does not say: as llama.cpp does."""
    return file["tokenizer.ggml.model"] == SENTENCEPIECE or _split_name(file) == "llama-bpe"


def _mark(file: GgufFile, which: str, otherwise: bool) -> list[tuple[str, int]]:
    """The mark of a text's beginning or end with its id, if one is put there."""
    if not file.metadata.get(f"tokenizer.ggml.add_{which}_token", otherwise):
        return []
    number = file[f"tokenizer.ggml.{which}_token_id"]
    return [(file["tokenizer.ggml.tokens"][number], number)]


def _put_marks(backend: "Tokenizer", start: list[tuple[str, int]], end: list[tuple[str, int]]) -> None:
    from tokenizers.processors import TemplateProcessing

    before, after = [token for token, _ in start], [token for token, _ in end]
    backend.post_processor = TemplateProcessing(
        single=[*before, "$A", *after],
        pair=[*before, "$A", *after, *before, "$B", *after],
        special_tokens=[*start, *end],
    )


def _must_be_as_said(made: "PreTrainedTokenizerFast", file: GgufFile, start: list[str]) -> None:
    tokens = file["tokenizer.ggml.tokens"]
    ids = [number for number, token in enumerate(tokens) if len(token) == 1 and token in "0123456789"]
    found = made.convert_ids_to_tokens(ids)
    if len(made) != len(tokens) or found != [tokens[number] for number in ids]:
        raise ModelError("its tokenizer cannot be converted: tokens come out with other numbers than it says")
    begun = made.convert_ids_to_tokens(made.encode("7"))
    if begun[: len(start)] != start or len(begun) < 1 + len(start):
        raise ModelError(f"its tokenizer cannot be converted: a text begins with {begun}, not with {start}")
