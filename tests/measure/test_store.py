"""Run folders: whole files, locks, and refusals in a sentence."""

import json
import resource
import shutil
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sampler_bench import load_task, run
from sampler_bench.cli import answer
from sampler_bench.errors import StoreError
from sampler_bench.files import write_whole
from sampler_bench.measure.listener import Silence
from sampler_bench.publish import read_scores, rescore
from sampler_bench.runs.records import ADDED, MEASURED
from sampler_bench.runs.store import RunFolder
from sampler_bench.runs.stored_truth import with_truth
from tests.models.own_models import Both

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


MODELS = ["oracle", "uniform-digits"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A run that was stopped before its end."""
    out = tmp_path_factory.mktemp("measured") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "compact", lambda _: None)
        run("twin-primes-3", MODELS, out=out, samples=6)
    return out


@pytest.fixture(scope="module")
def finished(measured, tmp_path_factory):
    out = shutil.copytree(measured, tmp_path_factory.mktemp("finished") / "run")
    run("twin-primes-3", MODELS, out=out, samples=6)
    return out


@pytest.fixture
def copy(measured, tmp_path):
    return shutil.copytree(measured, tmp_path / "copy")


@pytest.fixture
def older(copy):
    """The run as a version would have written it that had the truth in each record, and no checksums."""
    for part in (copy / "conditionals").glob("*.parquet"):
        truths = RunFolder(copy).truths()
        pq.write_table(with_truth(pq.read_table(part), truths, copy), part)
    for part in [*copy.glob("*/*.parquet")]:
        table = pq.read_table(part)
        pq.write_table(table.select([name for name in table.column_names if name not in ADDED]), part)
    (copy / "truths.parquet").unlink()
    for path in copy.rglob("*.parquet"):
        table = pq.read_table(path)
        ours = (b"sampler_bench_answers", b"sampler_bench_sha256")
        kept = {key: value for key, value in table.schema.metadata.items() if key not in ours}
        pq.write_table(table.replace_schema_metadata(kept), path, compression="zstd")
    manifest = json.loads((copy / "manifest.json").read_text())
    del manifest["scored"], manifest["sampler_bench_sha256"], manifest["truths"], manifest["units_form"]
    for task in manifest["tasks"].values():
        del task["control"]
    manifest["schema_version"] = 2
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert b"sampler_bench_sha256" not in b"".join(path.read_bytes() for path in copy.rglob("*.parquet"))
    return copy


def first_part(folder, kind="conditionals"):
    return min((folder / kind).glob("*.parquet"))


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


def test_a_run_of_an_older_version_is_read_as_it_is(older, measured):
    assert read_scores(older).equals(read_scores(measured))
    for kind in MEASURED:
        assert RunFolder(older).read(kind).equals(RunFolder(measured).read(kind))


def test_the_answers_of_a_run_of_an_older_version_are_shown(older, measured, capsys):
    for folder in (older, measured):
        assert answer(["show", str(folder), "--answers", "--model", "uniform-digits"]) == 0
    of_older, of_newer = capsys.readouterr().out.split("responses 1 to 6 of 6\n")[:2]
    assert of_older == of_newer
    assert of_older.count("wording ") == 6


def test_a_run_of_an_older_version_gets_its_checksums_when_it_is_scored(older, measured):
    rescore(older)
    for kind in MEASURED:
        assert RunFolder(older).read(kind).equals(RunFolder(measured).read(kind))
        assert not (older / kind).exists()
    path = older / "conditionals.parquet"
    pq.write_table(pq.read_table(path), path)
    with pytest.raises(StoreError, match=f"{path.name} carries no checksum"):
        RunFolder(older).read("conditionals")


def test_a_run_of_an_older_version_is_not_gone_on_with_and_stays_as_it_is(older):
    before = {path: path.read_bytes() for path in older.rglob("*") if path.is_file() and path.name != ".lock"}
    with pytest.raises(StoreError, match="was measured by an older version: it can be read and scored"):
        run("twin-primes-3", [*MODELS, "sieve-5"], out=older, samples=6)
    assert {path: path.read_bytes() for path in before} == before


def test_a_part_of_an_older_version_that_is_there_twice_is_refused(older):
    part = first_part(older)
    shutil.copy(part, part.with_name("0.parquet"))
    with pytest.raises(StoreError, match="holds a part twice, under two names"):
        rescore(older)


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


def test_a_finished_run_is_a_file_a_kind(finished, measured):
    names = {path.name for path in finished.iterdir()}
    assert {"conditionals.parquet", "samples.parquet", "truths.parquet", "manifest.json"} <= names
    assert not {"conditionals", "samples"} & names
    for kind in MEASURED:
        assert RunFolder(finished).read(kind).equals(RunFolder(measured).read(kind))


def test_truth_is_stored_once_for_each_prefix(finished):
    truths = pq.read_table(finished / "truths.parquet").to_pandas()
    records = RunFolder(finished).read("conditionals")
    assert len(truths) == records["prefix"].nunique() < len(records)
    target = load_task("twin-primes-3").target
    members = [number for number in range(100, 1000) if target.contains(str(number))]
    for prefix, p in zip(truths["prefix"], truths["p"], strict=True):
        following = [str(member)[len(prefix) :][:1] for member in members if str(member).startswith(prefix)]
        expected = [following.count(symbol) / len(following) for symbol in [*"0123456789", ""]]
        assert p.tolist() == pytest.approx(expected)


def test_a_stop_between_any_two_files_of_making_compact_loses_nothing(copy, finished, monkeypatch):
    """Whichever write or removal is the last before the power goes."""
    survived = 0
    for steps in range(100):
        folder = shutil.copytree(copy, copy.with_name(f"stopped-{steps}"))
        with monkeypatch.context() as patch:
            left = iter(range(steps))
            for of, name in (
                (RunFolder, "_write_compact"),
                (type(folder), "unlink"),
                (type(folder), "rmdir"),
            ):
                patch.setattr(of, name, stopping(getattr(of, name), left))
            try:
                RunFolder(folder).compact()
            except KeyboardInterrupt:
                survived += 1
            else:
                break
        for kind in MEASURED:
            assert RunFolder(folder).read(kind).equals(RunFolder(finished).read(kind))
        RunFolder(folder).compact()
        for kind in MEASURED:
            assert (folder / f"{kind}.parquet").read_bytes() == (finished / f"{kind}.parquet").read_bytes()
    assert survived > len(MEASURED)


def stopping(function, left):
    def stops(*arguments, **options):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return function(*arguments, **options)

    return stops


def test_a_finished_run_goes_on_with_another_model(finished, tmp_path):
    folder = shutil.copytree(finished, tmp_path / "more")
    found = run("twin-primes-3", ["sieve-5"], out=folder, samples=6)
    alone = run("twin-primes-3", ["sieve-5"], out=tmp_path / "alone", samples=6)
    records = found.conditionals
    assert set(records["model"]) == {*MODELS, "sieve-5"}
    assert records[records["model"] == "sieve-5"].reset_index(drop=True).equals(alone.conditionals)
    assert not list(folder.glob("*/*.parquet"))


@pytest.mark.parametrize("name", ["conditionals", "samples", "truths"])
def test_a_compact_file_of_other_settings_or_with_a_changed_bit_is_refused(finished, tmp_path, name):
    folder = shutil.copytree(finished, tmp_path / "copy")
    run("twin-primes-3", MODELS, out=tmp_path / "other", samples=8)
    path = folder / f"{name}.parquet"
    whole = path.read_bytes()
    shutil.copy(tmp_path / "other" / path.name, path)
    with pytest.raises(StoreError, match=f"holds {name} of twin-primes-3, .* 8 samples, not .* 6 samples"):
        rescore(folder)
    path.write_bytes(whole[:-99] + bytes([whole[-99] ^ 1]) + whole[-98:])
    with pytest.raises(StoreError, match=f"{name}.parquet is damaged.*; delete this file"):
        rescore(folder)
    path.unlink()
    run("twin-primes-3", MODELS, out=folder, samples=6)
    assert path.read_bytes() == whole


def test_truths_that_were_deleted_are_computed_by_the_commands_that_measured(tmp_path):
    def again(arm):
        return run("even-6", [Both()], [arm], out=tmp_path, numbers=8, samples=4)

    again("cot")
    before = again("direct").conditionals
    assert RunFolder(tmp_path).manifest().truths == {"even-6": [2, 8]}
    (tmp_path / "truths.parquet").unlink()
    with pytest.raises(StoreError, match=r"lacks the truth of even-6 .*; delete its truths.parquet"):
        again("cot")
    assert again("direct").conditionals.equals(before)


def test_truths_are_kept_if_their_computation_is_stopped(tmp_path):
    class Hurried(Silence):
        def advance(self, *_):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("quick", ["oracle"], out=tmp_path, numbers=2, samples=2, listener=Hurried())
    assert len(RunFolder(tmp_path).truths()) > 0
    found = run("quick", ["oracle"], out=tmp_path, numbers=2, samples=2)
    assert set(found.conditionals["task"]) == set(found.manifest.tasks)


def test_records_whose_manifest_is_lost_are_not_to_be_deleted(finished, tmp_path):
    folder = shutil.copytree(finished, tmp_path / "copy")
    (folder / "manifest.json").unlink()
    with pytest.raises(StoreError, match=r"holds records, but no manifest.json: bring back a copy"):
        run("twin-primes-3", MODELS, out=folder, samples=6)


def test_a_foreign_file_among_the_parts_is_named(copy):
    foreign = copy / "conditionals" / "Kopie – é.parquet"
    shutil.copy(first_part(copy), foreign)
    with pytest.raises(StoreError, match=f"{foreign.name} holds conditionals of unit"):
        run("twin-primes-3", MODELS, out=copy, samples=6)


def test_responses_that_are_not_there_are_a_sentence(finished):
    with pytest.raises(StoreError, match="lacks the responses of unit 0123"):
        RunFolder(finished).responses("0123", 4)
