"""GGUF files, converted: laws and tokens of the model that they were written of."""

import hashlib
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("gguf")
pytest.importorskip("torch")

import gguf
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from sampler_bench.errors import InputError, ModelError
from sampler_bench.models.finding import find_model
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.models.weights import conversion
from sampler_bench.models.weights.gguf import convert
from tests.models import gguf_files
from tests.models.gguf_files import (
    GEMMA_4B,
    LINEAR,
    LLAMA3,
    gemma_words,
    llama2_words,
    llama3_words,
    qwen_words,
)

HERE = ServerOptions()
TEXTS = ["7", "649217", "A: the 12 and\nthe 123456.\n\n 99", " 0.5  the"]
IDS = torch.tensor([[5, 260, 17, 261, 40, 262, 8, 33, 259, 21, 100, 64, 2, 70, 150, 11, 12, 13, 14, 15]])
MODELS = {
    "llama": ("llama", gguf_files.llama, llama3_words, {"tie_word_embeddings": False}),
    "llama tied": ("llama", gguf_files.llama, llama2_words, {"tie_word_embeddings": True}),
    "llama 3.2": ("llama", gguf_files.llama, llama3_words, {"rope_parameters": LLAMA3}),
    "qwen2": ("qwen2", gguf_files.qwen2, qwen_words, {"tie_word_embeddings": False}),
    "qwen2 tied": ("qwen2", gguf_files.qwen2, qwen_words, {"tie_word_embeddings": True}),
    "qwen3": ("qwen3", gguf_files.qwen3, qwen_words, {"tie_word_embeddings": True}),
    "gemma3": ("gemma3", gguf_files.gemma3, gemma_words, {}),
    "gemma3 4b": ("gemma3", gguf_files.gemma3, gemma_words, {"rope_parameters": GEMMA_4B}),
    "llama, linear": ("llama", gguf_files.llama, llama2_words, {"rope_parameters": LINEAR}),
}


def logits(model, ids=IDS) -> np.ndarray:
    with torch.no_grad():
        return model(ids % model.config.vocab_size).logits.numpy()


@pytest.fixture(params=MODELS)
def converted(request, tmp_path):
    """The original model, its words, and the folder made of its GGUF file."""
    architecture, make, make_words, more = MODELS[request.param]
    words = make_words()
    model = make(words, **more)
    path = gguf_files.write(tmp_path / "tiny.gguf", architecture, model, words)
    convert(path, tmp_path / "folder")
    return model, words, tmp_path / "folder"


def test_laws_are_those_of_the_model_and_tokens_those_of_its_tokenizer(converted):
    model, words, folder = converted
    served = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    assert type(served) is type(model)
    assert logits(model).std() > 0.1
    np.testing.assert_allclose(logits(served), logits(model), atol=1e-3)
    far = torch.arange(400)[None] * 7
    np.testing.assert_allclose(logits(served, far), logits(model, far), atol=1e-3)

    tokenizer = AutoTokenizer.from_pretrained(folder)
    for text in TEXTS:
        expected = words.tokenizer.encode(text, add_special_tokens=False)
        assert len(expected) > 0
        assert tokenizer.encode(text, add_special_tokens=False) == expected
        assert tokenizer.encode(text) == words.start + expected
        assert tokenizer.decode(expected) == words.tokenizer.decode(expected)
    assert tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False) == "Hi"


def test_quantised_weights_are_dequantised_to_bfloat16(tmp_path):
    words = qwen_words()
    model = gguf_files.qwen2(words)
    path = gguf_files.write(
        tmp_path / "tiny.gguf", "qwen2", model, words, stored=gguf.GGMLQuantizationType.Q8_0
    )
    convert(path, tmp_path / "folder")
    served = AutoModelForCausalLM.from_pretrained(tmp_path / "folder").state_dict()
    for name, weight in model.state_dict().items():
        value = weight.numpy()
        if value.ndim > 1:
            blocks = value.reshape(-1, 32)
            scale = (np.abs(blocks).max(1, keepdims=True) / 127).astype(np.float16).astype(np.float32)
            assert np.abs(served[name].float().numpy() - value).max() < 0.51 * scale.max() + 2**-8
            value = (np.round(blocks / scale) * scale).reshape(value.shape)
            off = np.abs(served[name].float().numpy() - value) > 2**-8 * np.abs(value)
            assert off.mean() < 0.01  # where rounding fell the other way
        else:
            assert torch.equal(served[name], weight.bfloat16())


def test_a_file_is_known_by_its_contents_and_named_by_its_name(tmp_path, cache):
    words = qwen_words()
    path = gguf_files.write(tmp_path / "my-model.Q8_0.gguf", "qwen2", gguf_files.qwen2(words), words)
    found = find_model(str(path), HERE)
    assert (found.name, found.needs_server) == ("my-model.Q8_0", True)
    assert found.describe()["identity"] == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()

    said = []
    folder = Path(found.weights.fetch(said.append))
    assert folder.parent == cache / "models"
    assert "converting my-model.Q8_0.gguf" in said[0]
    assert AutoModelForCausalLM.from_pretrained(folder).config.model_type == "qwen2"
    path.rename(tmp_path / "renamed.gguf")
    again = find_model(str(tmp_path / "renamed.gguf"), HERE)
    assert again.weights.fetch(pytest.fail) == str(folder)


@pytest.mark.usefixtures("cache")
def test_two_that_convert_at_once_convert_once(tmp_path, monkeypatch):
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    begun = []

    def slowly(command, **_):
        begun.append(command)
        time.sleep(0.5)
        Path(command[-1]).mkdir()
        (Path(command[-1]) / "model.safetensors").write_bytes(b"1")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(conversion.subprocess, "run", slowly)
    found = []

    def fetch():
        found.append(find_model(str(tmp_path / "m.gguf"), HERE).weights.fetch(lambda _: None))

    threads = [threading.Thread(target=fetch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(begun) == 1
    assert len(found) == 2
    assert found[0] == found[1]


def fetched(path):
    return find_model(str(path), HERE).weights.fetch(lambda _: None)


def test_a_damaged_file_is_one_sentence_and_nothing_is_left(tmp_path, cache):
    words = qwen_words()
    path = gguf_files.write(tmp_path / "tiny.gguf", "qwen2", gguf_files.qwen2(words), words)
    whole = path.read_bytes()
    for length in (10, 200, len(whole) - 5000):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError, match=r"^cannot convert tiny\.gguf: the file is damaged") as refused:
            fetched(path)
        assert "\n" not in str(refused.value)
    assert list((cache / "models").iterdir()) == []


def test_what_is_no_gguf_file_is_refused_before_anything_is_done(tmp_path):
    for name in ("nowhere.gguf", "x" * 5000 + ".gguf"):
        with pytest.raises(InputError, match=r"there is no file .*\.gguf"):
            find_model(str(tmp_path / name), HERE)
    (tmp_path / "text.gguf").write_text("a text")
    with pytest.raises(ModelError, match="is no GGUF file"):
        find_model(str(tmp_path / "text.gguf"), HERE)


def test_what_is_not_known_is_refused_by_name(tmp_path):
    words = qwen_words()
    model = gguf_files.qwen2(words)

    def refused(match, architecture="qwen2", model=model, words=words, **keys):
        path = gguf_files.write(tmp_path / "odd.gguf", architecture, model, words, **keys)
        with pytest.raises(ModelError, match=match):
            convert(path, tmp_path / "folder")
        assert not (tmp_path / "folder").exists()

    refused(r"its architecture is 'gemma2', and only llama, qwen2, qwen3, gemma3 are known", "gemma2")
    refused(r"scales positions by 'yarn'", rope__scaling__type="yarn")
    words.keys["pre"] = "tekken"
    refused("splits text as 'tekken'")
    words.keys["pre"] = "qwen2"
    refused(r"holds tensors .* does not have: model\.layers\.0\.self_attn\.k_proj\.bias", "llama")
    refused(r"lacks tensors .* has: model\.layers\.0\.self_attn\.k_norm\.weight", "qwen3")
