"""Run folders: whole files, locks, and refusals in a sentence."""

import resource
import subprocess
import sys

import pyarrow as pa
import pytest

from sampler_bench import load_task
from sampler_bench.errors import StoreError
from sampler_bench.files import write_whole
from sampler_bench.runs.records import MEASURED
from sampler_bench.runs.store import RunFolder

SAMPLE = {
    "task": "t", "task_version": 1, "model": "m", "arm": "a", "paraphrase": "p", "decoder": "ancestral",
    "sample_id": 0, "response_id": 0, "seed": 2**63 - 1, "prompt_hash": "h", "thinking": "",
    "text": "<b>12</b>", "answer": None, "parse": "none", "valid": False, "log_weight": None,
    "finish_reason": "stop", "prompt_tokens": 3, "completion_tokens": 2, "forward_passes": 2, "seconds": 0.5,
}  # fmt: skip


def samples(*rows: dict) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=MEASURED["samples"])


def test_records_come_back_as_written(tmp_path):
    folder = RunFolder(tmp_path / "run")
    with folder.locked():
        folder.write_part("samples", "b", samples({**SAMPLE, "sample_id": 1}))
        folder.write_part("samples", "a", samples(SAMPLE))
    assert [unit_id in folder.done() for unit_id in ("a", "b", "c", "")] == [True, True, False, False]
    records = folder.read("samples")
    assert records["sample_id"].tolist() == [0, 1]
    assert records["seed"].tolist() == [2**63 - 1] * 2
    assert records["answer"].isna().all()
    assert records["text"][0] == "<b>12</b>"
    assert records["log_weight"].isna().all()
    assert "text" not in folder.read("samples", without=["text"])


def test_a_folder_being_written_is_closed_to_another_run(tmp_path):
    first, second = RunFolder(tmp_path), RunFolder(tmp_path)
    with first.locked(), pytest.raises(StoreError, match="another run is writing"), second.locked():
        pass
    with second.locked():
        pass


def test_leftovers_of_a_killed_run_are_cleared(tmp_path):
    (tmp_path / "samples").mkdir()
    leftover = tmp_path / "samples" / ".abc.parquet-x1y2"
    leftover.write_bytes(b"half")
    with RunFolder(tmp_path).locked():
        assert not leftover.exists()


def test_a_file_where_the_folder_should_be_is_refused(tmp_path):
    (tmp_path / "run").write_text("")
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(StoreError, match=r"cannot write .*run: .*choose another --out"), folder.locked():
        pass


def test_a_folder_that_cannot_be_written_is_refused():
    with pytest.raises(StoreError, match="cannot write /proc/run"), RunFolder("/proc/run").locked():
        pass


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "file"
    path.write_text("before")

    def fail(scratch):
        scratch.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="No space left on device; what was measured before is kept"):
        write_whole(path, fail)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
    assert path.read_text() == "before"


FILL_THE_DISK = """
import resource, sys
from sampler_bench.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.argv = ["sampler-bench", "run", "quick", "--model", "oracle", "--quiet", "--out", sys.argv[1]]
main()
"""


def test_a_file_system_that_takes_no_more_is_a_sentence_and_loses_nothing(tmp_path):
    """A limit on file size stands for the full disk: the system refuses the write in the middle."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    load_task("twin-primes-3").target.count("")  # so that the kernels are compiled and cached already
    done = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, tmp_path / "run"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot write ")
    assert done.stderr.count("\n") == 1
    kept = list((tmp_path / "run").glob("*/*.parquet"))
    assert kept
    assert not RunFolder(tmp_path / "run").read("conditionals").empty


def test_a_damaged_part_is_named(tmp_path):
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "x.parquet").write_bytes(b"not parquet")
    with pytest.raises(StoreError, match=r"x\.parquet is damaged: .*; delete this file and run the same"):
        RunFolder(tmp_path).read("samples")
