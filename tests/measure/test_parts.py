"""Parts of a run that is going on, and its manifest: what was swapped, damaged or edited is refused."""

import shutil

import pytest

from sampler_bench import run
from sampler_bench.errors import StoreError
from sampler_bench.publish import read_scores, rescore
from sampler_bench.runs.records import MEASURED
from sampler_bench.runs.store import RunFolder
from tests.measure.conftest import MODELS, first_part


@pytest.mark.parametrize("kind", MEASURED)
def test_a_part_that_was_copied_or_swapped_is_refused(copy, kind):
    one, other = sorted((copy / kind).glob("*.parquet"))[:2]
    added = one.with_name("0123456789abcdef01234567.parquet")
    shutil.copy(one, added)
    with pytest.raises(
        StoreError, match=f"{added.name} holds {kind} of unit {one.stem}, not .*; delete this file"
    ):
        RunFolder(copy).read(kind)
    added.replace(one)
    assert len(RunFolder(copy).read(kind))
    shutil.copy(other, one)
    with pytest.raises(
        StoreError, match="it was copied or renamed; delete this file and run the same command"
    ):
        rescore(copy)


def test_a_damaged_part_that_is_deleted_is_measured_again(copy, measured):
    part = first_part(copy)
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(
        StoreError, match=f"{part.name} is damaged.*; delete this file and run the same command"
    ):
        run("twin-primes-3", MODELS, out=copy, samples=6)
    part.unlink()
    run("twin-primes-3", MODELS, out=copy, samples=6)
    assert RunFolder(copy).read("conditionals").equals(RunFolder(measured).read("conditionals"))
    assert (copy / "scores.parquet").read_bytes() == (measured / "scores.parquet").read_bytes()


def test_scores_of_another_run_and_damaged_ones_are_refused(copy, tmp_path):
    run("even-6", ["oracle"], out=tmp_path / "other", numbers=4, samples=4)
    whole = (copy / "scores.parquet").read_bytes()
    shutil.copy(tmp_path / "other" / "scores.parquet", copy)
    with pytest.raises(
        StoreError, match=r"another file than the one .*; `sampler-bench score .*copy` makes them"
    ):
        read_scores(copy)
    (copy / "scores.parquet").write_bytes(whole[:500])
    with pytest.raises(StoreError, match=r"scores\.parquet .*; `sampler-bench score"):
        read_scores(copy)
    rescore(copy)
    assert (copy / "scores.parquet").read_bytes() == whole


def test_a_manifest_that_was_edited_is_refused(copy):
    path = copy / "manifest.json"
    path.write_text(path.read_text().replace('"members": "54"', '"members": "55"'))
    with pytest.raises(
        StoreError, match=r"manifest\.json is damaged, or was changed .*; bring back a copy of it"
    ):
        rescore(copy)


@pytest.mark.parametrize("manifest", ["{}", '{"suite": "quick"}', "[]", "null", "", "{", '{"a": {}}'])
def test_what_is_no_manifest_is_refused(tmp_path, manifest):
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(StoreError, match=r"manifest\.json .*choose another --out"):
        rescore(tmp_path)


def test_a_folder_or_a_dangling_link_in_the_place_of_a_part_is_a_sentence(copy):
    part = first_part(copy)
    part.unlink()
    part.mkdir()
    with pytest.raises(StoreError, match=r"cannot be read: .*Is a directory"):
        RunFolder(copy).read("conditionals")
    part.rmdir()
    part.symlink_to("nowhere")
    with pytest.raises(StoreError, match=r"cannot be read: .*No such file"):
        RunFolder(copy).read("conditionals")
