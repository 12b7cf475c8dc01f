"""Runs that an older version wrote: read and scored as they are, never gone on with."""

import json
import re
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from sampler_bench import run
from sampler_bench.cli import answer
from sampler_bench.errors import StoreError
from sampler_bench.publish import read_scores, rescore
from sampler_bench.runs.records import ADDED, MEASURED
from sampler_bench.runs.store import RunFolder
from sampler_bench.runs.stored_truth import with_truth
from tests.measure.conftest import MODELS, first_part


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


def test_a_part_of_an_older_version_that_is_damaged_is_read_or_named(older):
    """Without a checksum some changed bits are not seen; none is a traceback, or the process's end."""
    part, refusals = first_part(older), []
    whole = part.read_bytes()
    for place in np.random.default_rng(0).integers(8 * len(whole), size=150):
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << place % 8
        part.write_bytes(damaged)
        try:
            RunFolder(older).read("conditionals")
        except StoreError as error:
            refusals.append(str(error))
    assert len(refusals) > 50
    said_of_any = f"{part.name}|lacks the truth|holds a part twice"
    assert not [said for said in refusals if not re.search(said_of_any, said)]


def test_a_part_of_an_older_version_that_is_there_twice_is_refused(older):
    part = first_part(older)
    shutil.copy(part, part.with_name("0.parquet"))
    with pytest.raises(StoreError, match="holds a part twice, under two names"):
        rescore(older)
