"""Answers are computed once, whichever process asks, and never mistaken for another's."""

import multiprocessing

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sampler_bench.errors import StoreError
from sampler_bench.files import cache_folder
from sampler_bench.targets.tables import make_table, read_table
from sampler_bench.targets.truth_cache import ORIGINS, kept
from sampler_bench.targets.windows import window

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SAMPLER_BENCH_CACHE", str(tmp_path / "cache"))


def test_an_answer_is_computed_once():
    before = ORIGINS.copy()
    first = kept("what is it?", lambda: np.array([3, 1, 2]))
    again = kept("what is it?", lambda: pytest.fail("computed twice"))
    other = kept("what else?", lambda: np.array([7.5]))
    assert (first.tolist(), again.tolist(), other.tolist()) == ([3, 1, 2], [3, 1, 2], [7.5])
    assert ORIGINS["computed"] - before["computed"] == 2
    assert ORIGINS["read"] - before["read"] == 1


def test_nothing_is_kept_of_a_computation_that_fails():
    with pytest.raises(ZeroDivisionError):
        kept("one by nought?", lambda: np.array([1 // 0]))
    assert not list(cache_folder().rglob("*.parquet"))
    assert kept("one by nought?", lambda: np.array([0])).tolist() == [0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"half a fil"),
        lambda path: pq.write_table(pa.table({"answer": [1]}), path),
        lambda path: pq.write_table(
            pa.table({"answer": [1]}).replace_schema_metadata({"question": "another"}), path
        ),
    ],
    ids=["cut", "no question", "another question"],
)
def test_a_damaged_answer_is_refused(damage):
    kept("what is it?", lambda: np.array([3]))
    (path,) = cache_folder().rglob("*.parquet")
    damage(path)
    with pytest.raises(StoreError, match="delete it"):
        kept("what is it?", lambda: np.array([3]))


def _ask_for_window(_: int) -> tuple[list[int], int]:
    before = ORIGINS["computed"]
    return window("twin-primes", 10**40, 3 * 10**5).tolist(), ORIGINS["computed"] - before


def test_two_processes_that_ask_at_once_compute_once():
    with SPAWN.Pool(2) as pool:
        answers = pool.map(_ask_for_window, range(2), chunksize=1)
    assert answers[0][0] == answers[1][0] != []
    assert sorted(computed for _, computed in answers) == [0, 1]


def _ask_for_table(_: int) -> int:
    return int(read_table(make_table("primes", 9, 3)).counts.sum())


def test_two_processes_that_make_one_table_at_once_get_the_same():
    with SPAWN.Pool(2) as pool:
        assert pool.map(_ask_for_table, range(2), chunksize=1) == [50847534 - 5761455] * 2
    assert [path.suffix for path in (cache_folder() / "tables").glob("[!.]*")] == [".parquet"]
