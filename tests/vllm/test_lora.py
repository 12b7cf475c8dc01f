"""A LoRA adapter, served: its laws are those of the base with the adapter's products added to its weights."""

import asyncio
import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from sampler_bench import runs
from sampler_bench.models.engines import digit_laws
from sampler_bench.models.engines.transport import Transport
from sampler_bench.models.engines.vllm import VllmModel
from sampler_bench.models.finding import find_models
from sampler_bench.models.model import Prompt
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.targets import DIGITS
from sampler_bench.tasks import Catalog
from tests.vllm import checkpoints

pytestmark = pytest.mark.vllm
RANK, ALPHA = 4, 8
MODULES = ["self_attn.q_proj", "self_attn.v_proj", "mlp.gate_proj", "mlp.down_proj"]
ARM = Catalog().arm("few-shot")
PROMPT = Prompt(Catalog().task("even-6"), ARM, ARM.paraphrases[0])
PREFIXES = ["", "6", "64", "649", "6492", "64921", "649214"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A base model, an adapter in PEFT's format, and the base with the adapter merged into it."""
    root = tmp_path_factory.mktemp("lora")
    base, adapter, merged = root / "tiny-base", root / "adapter", root / "merged"
    checkpoints.save(base, checkpoints.single_digits(), checkpoints.random_model)
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    torch.manual_seed(1)
    tensors = {}
    for number, layer in enumerate(model.model.layers):
        for module in MODULES:
            weight = layer.get_submodule(module).weight
            a, b = torch.randn(RANK, weight.shape[1]) * 0.2, torch.randn(weight.shape[0], RANK) * 0.2
            name = f"base_model.model.model.layers.{number}.{module}"
            tensors |= {f"{name}.lora_A.weight": a, f"{name}.lora_B.weight": b}
            weight.data += ALPHA / RANK * b @ a
    adapter.mkdir()
    save_file(tensors, adapter / "adapter_model.safetensors")
    targets = [module.split(".")[1] for module in MODULES]
    config = {"peft_type": "LORA", "r": RANK, "lora_alpha": ALPHA, "target_modules": targets, "bias": "none"}
    (adapter / "adapter_config.json").write_text(json.dumps(config))
    model.save_pretrained(merged)
    return base, adapter, merged


def expected(folder, tokenizer) -> np.ndarray:
    """By forward passes in transformers; shape (prefixes, 10)."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    digits = [tokenizer.convert_tokens_to_ids(digit) for digit in DIGITS]
    rows = []
    for prefix in PREFIXES:
        with torch.no_grad():
            logits = model(torch.tensor([tokenizer.encode(PROMPT.text + prefix)])).logits[0, -1]
        rows.append(torch.softmax(logits.double(), dim=-1)[digits].numpy())
    return np.array(rows)


def test_laws_through_the_adapter_are_those_of_the_merged_weights(folders, monkeypatch):
    """Read prefix by prefix, and in one pass over each number."""
    base, adapter, merged = folders
    _, mine = find_models([str(base)], ServerOptions(loras=[f"mine={adapter}"]))

    async def laws(server, name, pass_costs):
        monkeypatch.setattr(digit_laws, "TOKENS_A_REQUEST", pass_costs)
        async with VllmModel(Transport([server.base_url]), name) as model:
            return (await model.conditionals(PROMPT, PREFIXES))[:, :10]

    with mine.serve(print) as server:
        found = {
            (name, costs): asyncio.run(laws(server, name, costs))
            for name in ("mine", "tiny-base")
            for costs in (0, 10**6)
        }
    tokenizer = AutoTokenizer.from_pretrained(base)
    of_base, of_merged = expected(base, tokenizer), expected(merged, tokenizer)
    assert np.abs(of_base - of_merged).max() > 0.01
    for (name, _), laws_found in found.items():
        assert np.abs(laws_found - (of_merged if name == "mine" else of_base)).max() < 1e-4


def test_a_run_measures_the_base_and_the_adapter(folders, cli, tmp_path):
    base, adapter, _ = folders
    size = ["--arm", "few-shot", "--numbers", 2, "--samples", 2, "--out", tmp_path / "run"]
    done = cli("run", "even-6", "--model", base, "--lora", f"mine={adapter}", *size)
    assert done.returncode == 0, done.stderr
    run = runs.read(tmp_path / "run")
    laws = {name: np.stack(rows["q"].to_list()) for name, rows in run.conditionals.groupby("model")}
    assert set(laws) == {"tiny-base", "mine"}
    assert np.abs(laws["mine"] - laws["tiny-base"]).max() > 0.01
    models = json.loads((tmp_path / "run" / "manifest.json").read_text())["models"]
    assert models["mine"]["identity"].startswith(models["tiny-base"]["identity"] + " + ")
    again = cli("run", "even-6", "--model", base, "--lora", f"mine={adapter}", *size)
    assert again.returncode == 0
    assert "vLLM" not in again.stderr
