"""Convert a GGUF file into a Hugging Face folder.

``python -m sampler_bench.models.weights.gguf SOURCE FOLDER``

Run as a process of its own: torch's memory is given back, and nothing it prints reaches the caller but, as
the last line of stderr, why it failed. Quantised weights become bfloat16, others stay what they are.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sampler_bench.errors import ModelError, SamplerBenchError
from sampler_bench.models.weights.gguf_architectures import Architecture, architecture_of
from sampler_bench.models.weights.gguf_file import GgufFile
from sampler_bench.models.weights.gguf_tokenizer import stop_tokens, tokenizer_of

if TYPE_CHECKING:
    import torch

NAMED = 3  # tensors, in a sentence


def convert(source: Path, folder: Path) -> None:
    """Write configuration, weights, tokenizer and chat template of a GGUF file to a folder.

    Raises
    ------
    ModelError
        If the file is damaged, or of an architecture, with a tokenizer or with tensors that are not known.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    file = GgufFile(source)
    architecture = architecture_of(file)
    tokenizer = tokenizer_of(file)
    config = AutoConfig.for_model(architecture.model_type, **architecture.settings)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=_dtype(file))
    _fill(model, file, architecture)
    model.generation_config.eos_token_id = stop_tokens(file)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _fill(model: "torch.nn.Module", file: GgufFile, architecture: Architecture) -> None:
    """Give the model its weights; all of them, and no others."""
    import torch

    weights = {
        architecture.name_of(name): torch.from_numpy(architecture.value_of(name, file.tensor(name)).copy())
        .to(_dtype(file))
        for name in file.shapes
        if name not in architecture.beside
    }  # fmt: skip
    try:
        found = model.load_state_dict(weights, strict=False, assign=True)
    except RuntimeError as error:
        raise ModelError(f"its tensors do not have the shapes that it declares: {error}") from error
    tied = {"lm_head.weight"} if architecture.settings["tie_word_embeddings"] else set()
    for what, names in (
        ("lacks tensors that its architecture has", set(found.missing_keys) - tied),
        ("holds tensors that its architecture does not have", set(found.unexpected_keys)),
    ):
        if names:
            raise ModelError(f"it {what}: {', '.join(sorted(names)[:NAMED])}")
    model.tie_weights()  # pyright: ignore[reportCallIssue]  of transformers' models


def _dtype(file: GgufFile) -> "torch.dtype":
    import torch

    types = {file.types[name] for name, shape in file.shapes.items() if len(shape) > 1}
    if types <= {"F32"}:
        return torch.float32
    return torch.float16 if types <= {"F32", "F16"} else torch.bfloat16


if __name__ == "__main__":
    try:
        convert(Path(sys.argv[1]), Path(sys.argv[2]))
    except SamplerBenchError as error:
        sys.exit(" ".join(str(error).split()))
