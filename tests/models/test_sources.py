"""From names to models."""

import os
import shutil

import pytest

from sampler_bench.errors import InputError, ModelError
from sampler_bench.models import sources
from sampler_bench.models.finding import find_model
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.models.weights import folders

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


@pytest.mark.parametrize("remembered", [0, 10**9], ids=["remembered", "read each time"])
def test_a_folder_is_known_by_the_contents_of_its_files(tmp_path, monkeypatch, remembered):
    monkeypatch.setenv("SAMPLER_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(folders, "REMEMBERED", remembered)
    folder, copy = tmp_path / "my-model", tmp_path / "copy"
    folder.mkdir()
    for name in ("config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"):
        (folder / name).write_bytes(b"123")
    shutil.copytree(folder, copy)

    def identity(of):
        return find_model(str(of), HERE).describe()["identity"]

    first = identity(folder)
    assert identity(folder) == identity(copy) == first
    for changed in ("model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja"):
        times = (copy / changed).stat()
        (copy / changed).write_bytes(b"124")  # a fine-tune of the same size
        os.utime(copy / changed, ns=(times.st_atime_ns, times.st_mtime_ns))  # and of the same date
        assert identity(copy) != first
        shutil.copy2(folder / changed, copy / changed)
        assert identity(copy) == first
    (copy / "notes.md").write_text("what is no part of the model")
    assert identity(copy) == first


def test_large_weights_are_read_once_and_a_line_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SAMPLER_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(folders, "REMEMBERED", 0)
    monkeypatch.setattr(folders, "LONG", 1)
    (tmp_path / "config.json").write_bytes(b"")
    (tmp_path / "model.safetensors").write_bytes(b"123")
    first = folders.folder_identity(tmp_path)
    assert "reading model.safetensors" in capsys.readouterr().err
    monkeypatch.setattr(folders.hashlib, "file_digest", None)
    assert folders.folder_identity(tmp_path) == first


def test_logs_go_elsewhere_where_the_cache_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for cache, inside in ((tmp_path / "cache", True), (tmp_path / "file", False)):
        monkeypatch.setenv("SAMPLER_BENCH_CACHE", str(cache))
        logs = sources._log_folder()
        (logs / "vllm.log").write_text("")
        assert (logs == cache / "logs") is inside


def test_a_folder_without_weights_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"holds no config\.json"):
        find_model(str(tmp_path), HERE)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="holds no weights"):
        find_model(str(tmp_path), HERE)


@pytest.mark.parametrize(
    "name", ["smollm", "./nowhere", "/nowhere/at/all", "a/b/c", "", "../x", "x" * 5000, "~nobody-here/x"]
)
def test_a_name_that_stands_for_nothing_is_refused(name, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(InputError, match=r"unknown model .*oracle, uniform-digits"):
        find_model(name, HERE)


def test_secrets_stay_out_of_what_is_recorded():
    options = ServerOptions(base_urls=["http://host:8000/v1"], api_key="secret")
    described = find_model("any", options).describe()
    assert described["base_urls"] == ["http://host:8000/v1"]
    assert "secret" not in str(described)
    for wrong in ({"vllm_args": ["--api-key=secret"]}, {"base_urls": ["http://user:secret@host:8000/v1"]}):
        with pytest.raises(InputError, match="VLLM_API_KEY"):
            find_model("smollm2-135m", ServerOptions(**wrong))
