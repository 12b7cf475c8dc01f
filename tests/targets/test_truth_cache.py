"""Answers are computed once, whichever process asks, and never mistaken for another's."""

import multiprocessing

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sampler_bench import files
from sampler_bench.files import cache_folder
from sampler_bench.targets.counting.tables import make_table, read_table
from sampler_bench.targets.counting.truth_cache import ORIGINS, kept
from sampler_bench.targets.counting.windows import window

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(autouse=True)
def _cache(cache):
    """Away from the user's own."""


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
    assert not list(cache_folder().glob("truth/*.parquet"))
    assert kept("one by nought?", lambda: np.array([0])).tolist() == [0]


def of_another_question(path):
    kept("what else?", lambda: np.array([5]))
    (other,) = set(path.parent.glob("*.parquet")) - {path}
    other.replace(path)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_bytes(b"half a fil"), "carries no checksum"),
        (lambda path: path.write_bytes(b""), "carries no checksum"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "is damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[1:]), "is damaged"),
        (lambda path: pq.write_table(pa.table({"answer": [1]}), path), "carries no checksum"),
        (of_another_question, "holds what else?, version"),
    ],
    ids=["half", "empty", "cut at the end", "cut at the start", "not ours", "another question"],
)
def test_a_damaged_answer_is_computed_again_and_a_line_says_so(damage, said, capsys):
    kept("what is it?", lambda: np.array([3]))
    (path,) = cache_folder().glob("truth/*.parquet")
    damage(path)
    assert kept("what is it?", lambda: np.array([3])).tolist() == [3]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"note: {path}")
    assert said in line
    assert kept("what is it?", lambda: pytest.fail("computed again")).tolist() == [3]


def test_a_folder_in_the_place_of_an_answer_leaves_it_unkept(capsys, monkeypatch):
    monkeypatch.setattr(files, "_UNKEPT", set())
    kept("what is it?", lambda: np.array([3]))
    (path,) = cache_folder().glob("truth/*.parquet")
    path.unlink()
    path.mkdir()
    for _ in range(2):
        assert kept("what is it?", lambda: np.array([3])).tolist() == [3]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"note: cannot write {path}: Is a directory")


def test_a_link_to_nothing_is_replaced():
    kept("what is it?", lambda: np.array([3]))
    (path,) = cache_folder().glob("truth/*.parquet")
    path.unlink()
    path.symlink_to("nowhere")
    assert kept("what is it?", lambda: np.array([3])).tolist() == [3]
    assert path.is_file()


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
