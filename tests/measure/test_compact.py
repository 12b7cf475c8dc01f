"""A finished run is one file a kind, and goes on from there."""

import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sampler_bench import load_task, run
from sampler_bench.errors import StoreError
from sampler_bench.measure.listener import Silence
from sampler_bench.publish import rescore
from sampler_bench.runs.merging import TOGETHER
from sampler_bench.runs.records import MEASURED
from sampler_bench.runs.store import RunFolder
from tests.measure.conftest import MODELS, first_part
from tests.models.own_models import Both


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


def test_truths_that_are_stored_again_stay_as_they_were(finished, tmp_path):
    folder = RunFolder(shutil.copytree(finished, tmp_path / "copy"))
    before = folder.truths()
    rows = [before.slice(place, 1) for place in [*range(len(before))] * 2]
    folder.add_truths(iter(rows))
    assert folder.truths().equals(before)
    assert not (folder.path / "truths").exists()


@pytest.mark.parametrize("tables", [TOGETHER - 1, TOGETHER, TOGETHER + 1, 2 * TOGETHER])
def test_any_number_of_tables_of_truths_is_stored(finished, tmp_path, tables):
    folder = RunFolder(shutil.copytree(finished, tmp_path / "copy"))
    row = folder.truths().slice(0, 1)
    of_other_task = [row.set_column(1, "prefix", pa.array([f"9{place:03}"])) for place in range(tables)]
    before = len(folder.truths())
    folder.add_truths(of_other_task)
    assert len(folder.truths()) == before + tables


def test_truths_are_written_as_they_come(finished, tmp_path):
    folder = RunFolder(shutil.copytree(finished, tmp_path / "copy"))
    row, written = folder.truths().slice(0, 1), []

    def tables():
        for place in range(2 * TOGETHER + 1):
            written.append(len([*folder.path.glob("truths/*.parquet")]))
            yield row.set_column(1, "prefix", pa.array([f"9{place:03}"]))

    folder.add_truths(tables())
    assert [written[place] for place in (0, TOGETHER - 1, TOGETHER, 2 * TOGETHER)] == [0, 0, 1, 2]


def test_truths_of_very_long_numbers_are_stored(finished, tmp_path):
    """Of values above 4,096 bytes Parquet has no statistics."""
    folder = RunFolder(shutil.copytree(finished, tmp_path / "copy"))
    row, before = folder.truths().slice(0, 1), len(folder.truths())
    for digits in (5000, 6000):
        folder.add_truths([row.set_column(1, "prefix", pa.array(["9" * digits]))])
    assert len(folder.truths()) == before + 2
    assert folder.read("conditionals").equals(RunFolder(finished).read("conditionals"))


@pytest.mark.parametrize("opened", ["before", "after"])
def test_a_run_that_is_made_compact_while_it_is_read_is_read_whole_or_refused(copy, monkeypatch, opened):
    """``opened``: the reader's compact file, before the writer makes its own or after."""
    whole, compact = RunFolder(copy).read("conditionals"), RunFolder._compact
    writer, reader = RunFolder(copy), RunFolder(copy)

    def races(folder, kind):
        file = compact(folder, kind) if opened == "before" or folder is writer else None
        if folder is reader and kind == "conditionals" and (copy / kind).exists():
            writer.compact()
        return file or compact(folder, kind) if opened == "after" else file

    monkeypatch.setattr(RunFolder, "_compact", races)
    if opened == "after":
        assert reader.read("conditionals").equals(whole)
    else:
        with pytest.raises(StoreError, match=r"cannot be read: .*No such file"):
            reader.read("conditionals")
    assert not (copy / "conditionals").exists()


def test_truths_of_a_run_that_was_killed_are_found(finished, tmp_path):
    """Before they were made one file: the parts are read, and go into it when they can."""
    folder = RunFolder(shutil.copytree(finished, tmp_path / "copy"))
    truths = folder.truths()
    for name, some in (("0", truths.slice(5)), ("1", truths.slice(0, 9))):
        folder._write_part("truths", name, [some])
    (folder.path / "truths.parquet").unlink()
    assert folder.read("conditionals").equals(RunFolder(finished).read("conditionals"))
    folder.compact()
    assert folder.truths().equals(truths)
    assert not (folder.path / "truths").exists()


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
