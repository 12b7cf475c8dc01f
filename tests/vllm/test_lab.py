"""A model of the lab, served by vLLM: its laws are those of a forward pass in transformers."""

import asyncio

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from sampler_bench.lab.training import Training, train
from sampler_bench.models.finding import find_models
from sampler_bench.models.model import Prompt
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.targets import DIGITS
from sampler_bench.tasks import Catalog

pytestmark = pytest.mark.vllm
CATALOG = Catalog()
PREFIXES = ["", "6", "64", "649", "6492", "64921"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return train(
        Training(CATALOG.world("even-6"), CATALOG, 20_000, 5_000), tmp_path_factory.mktemp("lab") / "even"
    )


def prompts() -> list[Prompt]:
    task = CATALOG.task("even-6")
    return [
        Prompt(task, arm, wording)
        for arm in map(CATALOG.arm, ("direct", "few-shot"))
        for wording in arm.paraphrases[:2]
    ]


def by_forward_passes(folder, prompt: Prompt) -> np.ndarray:
    """Probabilities of the digits after the prompt and each prefix; shape (prefixes, 10)."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    text = prompt.text or tokenizer.apply_chat_template(
        prompt.messages, add_generation_prompt=True, tokenize=False
    )
    digits = tokenizer.convert_tokens_to_ids(list(DIGITS))
    with torch.inference_mode():
        logits = [
            model(tokenizer(text + prefix, return_tensors="pt")["input_ids"]).logits[0, -1]
            for prefix in PREFIXES
        ]
    return torch.softmax(torch.stack(logits).double(), dim=-1)[:, digits].numpy()


async def laws(entering):
    async with entering as model:
        return [await model.conditionals(prompt, PREFIXES) for prompt in prompts()]


def test_vllm_and_this_process_read_the_laws_of_transformers(folder):
    found = {}
    for engine in ("vllm", "transformers"):
        [source] = find_models([str(folder)], ServerOptions(engine=engine))
        with source.open(lambda _: None) as entering:
            found[engine] = asyncio.run(laws(entering))
    for place, prompt in enumerate(prompts()):
        expected = by_forward_passes(folder, prompt)
        assert np.allclose(found["vllm"][place][:, :10], expected, atol=1e-4)
        assert np.allclose(found["transformers"][place][:, :10], expected, atol=1e-6)
