"""Convert a GGUF checkpoint into a Hugging Face folder.

``python -m sampler_bench.models.weights.gguf SOURCE FOLDER``

Run as a process of its own: torch's memory is given back, and nothing it prints reaches the caller.
"""

import sys
from pathlib import Path


def convert(source: Path, folder: Path) -> None:
    """Dequantise a Llama checkpoint to bfloat16 safetensors, with tokenizer and chat template."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.float32)
    # The loaded model is marked as quantised and refuses to be saved: copy its weights into a fresh one.
    settings = loaded.config.to_dict()
    settings.pop("quantization_config", None)
    fresh = LlamaForCausalLM(LlamaConfig(**settings))
    fresh.load_state_dict(loaded.state_dict())
    fresh.to(torch.bfloat16).save_pretrained(folder)  # pyright: ignore[reportArgumentType]  wrong types
    AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(folder)


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
