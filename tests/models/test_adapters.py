"""LoRA adapters: what is one, whose it is, and what vLLM is told of it."""

import json
import shutil

import numpy as np
import pytest

pytest.importorskip("safetensors")

from safetensors.numpy import save_file

from sampler_bench.errors import InputError, ModelError
from sampler_bench.models.finding import find_model, find_models
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.models.weights.adapters import find_adapter, lora_arguments

CONFIG = {"peft_type": "LORA", "r": 12, "lora_alpha": 24, "target_modules": ["q_proj"]}


@pytest.fixture
def adapter(tmp_path):
    folder = tmp_path / "my-adapter"
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps(CONFIG))
    save(folder, "q_proj")
    return folder


def save(folder, *modules: str, value: float = 1.0) -> None:
    names = [
        f"base_model.model.model.layers.0.x.{module}.lora_{side}.weight"
        for module in modules
        for side in "AB"
    ]
    save_file({name: np.full((2, 2), value) for name in names}, folder / "adapter_model.safetensors")


@pytest.fixture
def base(tmp_path):
    folder = tmp_path / "my-base"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"123")
    return folder


def test_base_and_adapters_are_models_of_their_own(base, adapter, tmp_path):
    shutil.copytree(adapter, tmp_path / "other")
    save(tmp_path / "other", "q_proj", value=2.0)
    loras = [f"mine={adapter}", f"other={tmp_path / 'other'}"]
    found = find_models(["oracle", str(base)], ServerOptions(loras=loras))
    assert [source.name for source in found] == ["oracle", "my-base", "mine", "other"]
    assert [source.base for source in found[2:]] == ["my-base", "my-base"]
    plain = find_model(str(base), ServerOptions()).describe()
    assert found[1].describe() == plain
    mine, other = found[2].describe(), found[3].describe()
    assert mine["identity"].startswith(plain["identity"] + " + contents:")
    assert len({plain["identity"], mine["identity"], other["identity"]}) == 3
    assert [word for word in mine["vllm_arguments"] if word not in plain["vllm_arguments"]] == (
        ["--enable-lora", "--max-lora-rank", "16", "--max-loras", "1", "--lora-target-modules", "q_proj"]
    )


@pytest.mark.parametrize(
    ("ranks", "bound"), [([1], "1"), ([2], "8"), ([8], "8"), ([9, 200], "256"), ([512], "512")]
)
def test_the_rank_that_vllm_is_told_fits_all(adapter, ranks, bound):
    found = []
    for rank in ranks:
        (adapter / "adapter_config.json").write_text(json.dumps(CONFIG | {"r": rank}))
        found.append(find_adapter(f"m={adapter}"))
    assert lora_arguments(found)[1:3] == ["--max-lora-rank", bound]


def test_the_rank_of_some_modules_counts(adapter):
    (adapter / "adapter_config.json").write_text(json.dumps(CONFIG | {"rank_pattern": {"v_proj": 40}}))
    assert find_adapter(f"m={adapter}").rank == 40


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("", "is no JSON"),
        ("[]", "peft_type is None, not 'LORA'"),
        ('{"peft_type": "IA3"}', "peft_type is 'IA3', not 'LORA'"),
        ('{"peft_type": "LORA"}', "r is None, not a number above 0"),
        ('{"peft_type": "LORA", "r": 0}', "r is 0, not a number above 0"),
        ('{"peft_type": "LORA", "r": 513}', "rank 513; vLLM serves ranks up to 512"),
    ],
)
def test_a_folder_that_is_no_adapter_is_refused(adapter, config, said):
    (adapter / "adapter_config.json").write_text(config)
    with pytest.raises(ModelError, match=said):
        find_adapter(f"mine={adapter}")


def test_layers_that_adapters_change_are_told_and_the_output_layer_is_refused(adapter, tmp_path):
    shutil.copytree(adapter, tmp_path / "other")
    save(tmp_path / "other", "v_proj", "q_proj")
    both = [find_adapter(f"m={folder}") for folder in (adapter, tmp_path / "other")]
    assert lora_arguments(both)[3:] == ["--max-loras", "2", "--lora-target-modules", "q_proj", "v_proj"]
    save(adapter, "q_proj", "lm_head")
    with pytest.raises(ModelError, match=r"changes the output layer .* merge the adapter into its base"):
        find_adapter(f"m={adapter}")


@pytest.mark.parametrize("content", [b"", b"123", b"\x05" + bytes(7) + b"[1, 2", b"\x02" + bytes(7) + b"{}"])
def test_damaged_weights_of_an_adapter_are_a_sentence(adapter, content):
    (adapter / "adapter_model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match=r"damaged or no safetensors file|holds no matrices"):
        find_adapter(f"m={adapter}")


def test_what_lacks_its_files_is_refused(adapter, base, tmp_path):
    with pytest.raises(ModelError, match=r"is no LoRA adapter: adapter_config\.json cannot be read"):
        find_adapter(f"mine={base}")
    (adapter / "adapter_model.safetensors").unlink()
    with pytest.raises(ModelError, match="holds no adapter's weights"):
        find_adapter(f"mine={adapter}")
    for place in (tmp_path / "nowhere", "x" * 5000, "~nobody-here/x", "a\0"):
        with pytest.raises(InputError, match="there is no folder"):
            find_adapter(f"mine={place}")
    for text in ("mine", "=folder", "mine="):
        with pytest.raises(InputError, match="NAME=FOLDER"):
            find_adapter(text)


def test_adapters_want_one_base_that_is_served_here(adapter, base):
    mine = [f"mine={adapter}"]
    with pytest.raises(InputError, match="none of them would be served"):
        find_models(["oracle"], ServerOptions(loras=mine))
    with pytest.raises(InputError, match=r"my-base, smollm2-135m would be served"):
        find_models([str(base), "smollm2-135m"], ServerOptions(loras=mine))
    with pytest.raises(InputError, match=r"--model NAME"):
        find_models(["my-base"], ServerOptions(["http://host:1"], loras=mine))
    for name in ("my-base", "oracle"):
        with pytest.raises(InputError, match=f"two models are called '{name}'"):
            find_models(["oracle", str(base)], ServerOptions(loras=[f"{name}={adapter}"]))
    with pytest.raises(InputError, match="two models are called 'mine'"):
        find_models([str(base)], ServerOptions(loras=mine * 2))
