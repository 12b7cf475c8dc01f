"""Records of many files as one sorted sequence: nothing is lost or out of place, and little is held."""

import shutil
from itertools import chain, groupby, pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sampler_bench import run
from sampler_bench.publish import rescore
from sampler_bench.runs import merging
from sampler_bench.runs.merging import TOGETHER, Piece, by_value, merged
from sampler_bench.runs.records import MEASURED
from sampler_bench.runs.store import RunFolder
from tests.measure.conftest import MODELS

KEYS = ("name", "place")


def table(rows) -> pa.Table:
    names, places = zip(*rows, strict=True)
    return pa.table({"name": pa.array(names, pa.string()), "place": pa.array(places, pa.int64())})


def piece(rows, read=None, in_order=False) -> Piece:
    def reads():
        if read is not None:
            read.append(min(rows))
        return table(rows)

    return Piece(min(rows), max(rows), reads, in_order)


def rows_of(found: pa.Table) -> list[tuple]:
    return [tuple(row.values()) for row in found.to_pylist()]


@pytest.fixture
def little(monkeypatch):
    """Tables are given out as soon as may be."""
    monkeypatch.setattr(merging, "HELD", 1)


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize("at_once", [1, 5])
def test_pieces_that_overlap_or_do_not_are_sorted(at_once):
    rng = np.random.default_rng(1)
    for _ in range(50):
        rows = [(str(name), int(place)) for name, place in zip(*rng.integers(30, size=(2, 60)), strict=True)]
        cuts = sorted({0, 60, *rng.integers(60, size=9).tolist()})
        if rng.random() < 0.7:  # pieces that overlap little, or not
            rows.sort()
        pieces = [piece(rows[i:j]) for i, j in pairwise(cuts)]
        found = [rows_of(each) for each in merged(pieces[::-1], KEYS, at_once)]
        assert [*chain(*found)] == sorted(rows)
        assert all(one[-1] < other[0] for one, other in pairwise(found))


@pytest.mark.usefixtures("little")
def test_what_is_in_order_is_not_sorted_again():
    """Rows that are said to be in order, and are not, come as they are."""
    one, other = [("a", 2), ("a", 1)], [("b", 1), ("b", 0)]
    said = [Piece(("a", 1), ("a", 2), lambda: table(one), in_order=True), piece(other)]
    assert [rows_of(each) for each in merged(said, KEYS)] == [one, other[::-1]]
    overlapping = [*said[:1], piece([("a", 1), ("c", 0)])]
    assert [rows_of(each) for each in merged(overlapping, KEYS)] == [[("a", 1), ("a", 1), ("a", 2), ("c", 0)]]


@pytest.mark.usefixtures("little")
def test_pieces_are_read_when_they_are_wanted():
    read = []
    found = merged([piece([("a", place)], read) for place in range(100)], KEYS)
    assert rows_of(next(found)) == [("a", 0)]
    assert len(read) <= 2
    assert len([*found]) == 99


def test_small_tables_are_joined():
    many = 2 * TOGETHER + 1
    found = [*merged([piece([("a", place)]) for place in range(many)[::-1]], KEYS)]
    assert [rows_of(each) for each in found] == [[("a", place) for place in range(many)]]


def test_nothing_is_no_table():
    assert [*merged([], KEYS)] == []
    assert [*by_value([], "name")] == []


def test_tables_are_cut_by_value():
    tables = [table([("a", 1), ("a", 2)]), table([("a", 3), ("b", 4), ("c", 5)]), table([("c", 6)])]
    assert [each["place"].to_pylist() for each in by_value(tables, "name")] == [[1, 2, 3], [4], [5, 6]]


@pytest.mark.usefixtures("little")
def test_a_run_in_many_row_groups_is_the_same_run(finished, copy, tmp_path):
    one = shutil.copytree(finished, tmp_path / "one")
    assert rescore(copy).equals(rescore(one))
    for models in (MODELS, [*MODELS, "sieve-5"]):
        run("twin-primes-3", models, out=one, samples=6)
        run("twin-primes-3", models, out=copy, samples=6)
        for kind in MEASURED:
            assert pq.read_metadata(copy / f"{kind}.parquet").num_row_groups > 1
            assert RunFolder(copy).read(kind).equals(RunFolder(one).read(kind))


@pytest.fixture
def of_suite(tmp_path, monkeypatch):
    monkeypatch.setattr(merging, "HELD", 1)
    run("quick", ["oracle", "uniform-digits"], out=tmp_path, numbers=2, samples=2)
    return RunFolder(tmp_path)


def test_records_come_task_by_task(of_suite):
    for kind in MEASURED:
        each = [*of_suite.tables(kind)]
        tasks = [part["task"].unique().to_pylist() for part in each]
        assert [task for task, _ in groupby(tasks)] == [[task] for task in sorted(of_suite.manifest().tasks)]
        assert pa.concat_tables(each).equals(of_suite.table(kind))
        assert len(each) > len(of_suite.manifest().tasks)


def test_what_comes_after_a_task_is_not_read_with_it(of_suite, monkeypatch):
    """But for one row group, which tells where a table ends."""
    read, read_groups = [], pq.ParquetFile.read_row_groups

    def reads(file, places, columns=None, **options):
        rows = read_groups(file, places, columns, **options)
        if "q" in rows.column_names:
            read.extend(rows["task"].unique().to_pylist())
        return rows

    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", reads)
    tasks = sorted(of_suite.manifest().tasks)
    for rows in of_suite.tables("conditionals"):
        place = tasks.index(rows["task"][0].as_py())
        assert {*tasks[: place + 1]} <= {*read} <= {*tasks[: place + 2]}
