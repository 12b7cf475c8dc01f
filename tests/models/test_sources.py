"""From names to models."""

import pytest

from sampler_bench.errors import InputError, ModelError
from sampler_bench.models.sources import ServerOptions, find_model

HERE = ServerOptions()


def test_names_stand_for_references_the_built_in_model_and_hugging_face_ids():
    assert find_model("oracle", HERE).reference.name == "oracle"
    assert find_model("sieve-13", HERE).reference.y == 13
    for name in ("smollm2-135m", "Qwen/Qwen3-0.6B"):
        assert find_model(name, HERE).reference is None
        assert find_model(name, HERE).name == name


def test_a_folder_is_named_by_its_last_part(tmp_path):
    folder = tmp_path / "my-model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"123")
    found = find_model(str(folder), HERE)
    assert found.name == "my-model"
    first = found.describe()["identity"]
    (folder / "model.safetensors").write_bytes(b"1234")
    assert find_model(str(folder), HERE).describe()["identity"] != first


def test_a_folder_without_weights_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"holds no config\.json"):
        find_model(str(tmp_path), HERE)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="holds no weights"):
        find_model(str(tmp_path), HERE)


@pytest.mark.parametrize("name", ["smollm", "./nowhere", "/nowhere/at/all", "a/b/c", "", "../x"])
def test_a_name_that_stands_for_nothing_is_refused(name, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(InputError, match=r"unknown model .*oracle, uniform-digits"):
        find_model(name, HERE)


def test_secrets_stay_out_of_what_is_recorded():
    options = ServerOptions(base_urls=["http://user:secret@host:8000/v1"], api_key="secret")
    described = find_model("any", options).describe()
    assert described["base_urls"] == ["http://host:8000/v1"]
    assert "secret" not in str(described)
    with pytest.raises(InputError, match="VLLM_API_KEY"):
        find_model("smollm2-135m", ServerOptions(vllm_args=["--api-key=secret"]))
