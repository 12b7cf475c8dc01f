"""Laws in pieces, packed or not: the same records, numbers whole, the same scores to the bit."""

import itertools
import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sampler_bench import run
from sampler_bench.publish import truth_of
from sampler_bench.runs.laws_in_arrow import frame
from sampler_bench.runs.store import RunFolder
from sampler_bench.score import divergence, laws_in_pieces
from sampler_bench.score.laws_in_pieces import Laws
from sampler_bench.score.scores import score
from tests.score.made_up import is_reference

AT_ONCE = 20  # records of a piece, in the tests that make it small


@pytest.fixture
def small_pieces(monkeypatch):
    for module in (laws_in_pieces, divergence):
        monkeypatch.setattr(module, "AT_ONCE", AT_ONCE)


def numbers(lengths, paraphrase="a", **of) -> pd.DataFrame:
    """Records of numbers that have so many."""
    of_each = [(number, at) for number, length in enumerate(lengths) for at in range(length)]
    rows = pd.DataFrame(of_each, columns=["number_id", "position"])
    return rows.assign(paraphrase=paraphrase, row=range(len(rows)), **of)


def cut(rows: pd.DataFrame, places) -> list[pa.Table]:
    table = pa.Table.from_pandas(rows, preserve_index=False)
    return [table.slice(i, j - i) for i, j in itertools.pairwise([0, *places, len(rows)])]


@pytest.mark.usefixtures("small_pieces")
def test_pieces_hold_whole_numbers_and_few_of_them():
    rng = np.random.default_rng(0)
    for _ in range(100):
        rows = pd.concat(
            [numbers(rng.integers(1, 12, size=rng.integers(1, 30)), wording) for wording in "ab"],
            ignore_index=True,
        )
        tables = cut(rows, sorted(set(rng.integers(1, len(rows), size=rng.integers(0, 5)).tolist())))
        pieces = [*Laws.packed(tables).pieces()]
        assert all(piece["position"].iloc[0] == 0 for piece in pieces)
        assert all(len(piece) <= AT_ONCE for piece in pieces)
        assert len(pieces) <= len(rows) / (AT_ONCE - 11) + 1
        pd.testing.assert_frame_equal(
            pd.concat(pieces, ignore_index=True), frame(pa.concat_tables(tables)), check_exact=True
        )


@pytest.mark.usefixtures("small_pieces")
def test_a_number_that_is_longer_than_a_piece_is_one():
    rows = numbers([3, 50, 50, 3])
    assert [len(piece) for piece in Laws.packed(cut(rows, [40, 60])).pieces()] == [3, 50, 50, 3]


def test_none_are_no_piece():
    assert [*Laws.packed([]).pieces()] == []
    assert Laws().apart(["paraphrase"]) == {}


@pytest.mark.usefixtures("small_pieces")
def test_laws_are_taken_apart_by_label():
    rows = pd.concat([numbers([5] * 9, wording, size=size) for wording, size in ("a1", "a2", "b1")])
    for held in (Laws([rows]), Laws.packed(cut(rows, [70])), pickle.loads(pickle.dumps(Laws([rows])))):
        found = held.apart(["paraphrase", "size"])
        assert [*found] == [("a", "1"), ("a", "2"), ("b", "1")]
        for (wording, size), each in found.items():
            wanted = rows[(rows["paraphrase"] == wording) & (rows["size"] == size)]
            assert each.frame().to_numpy().tolist() == wanted.to_numpy().tolist()
            assert [[*piece] for piece in each.pieces(["row"])] == [["row"]] * len([*each.pieces()])


@pytest.fixture
def measured(tmp_path) -> RunFolder:
    run("quick", ["oracle", "uniform-digits"], out=tmp_path, numbers=4, samples=4)
    return RunFolder(tmp_path)


def truths_of(folder: RunFolder) -> list:
    return [truth_of(name, task) for name, task in folder.manifest().tasks.items()]


def same(one, other):
    for mine, others in zip(one, other, strict=True):
        pd.testing.assert_frame_equal(mine, others, check_exact=True)


@pytest.mark.parametrize("at_once", [1, 60, 2**16])
def test_scores_are_the_same_whoever_holds_the_laws(measured, monkeypatch, at_once):
    """Objects of Python's, Arrow, or pieces of a number or more."""
    truths, samples = truths_of(measured), measured.read("samples")
    held = measured.read("conditionals"), frame(measured.table("conditionals"))
    one, other = (score("s", truths, records, samples, is_reference) for records in held)
    same(one, other)
    for module in (laws_in_pieces, divergence):
        monkeypatch.setattr(module, "AT_ONCE", at_once)
    same(one, score("s", truths, measured.tables("conditionals"), samples, is_reference))


def test_scores_are_the_same_task_by_task_and_at_once(measured):
    """In whatever order tasks come, and where one of them has no laws, or is none of these."""
    truths = truths_of(measured)[1:]
    rows, samples = measured.read("conditionals").query("task != 'powers-of-2-6'"), measured.read("samples")
    at_once = score("s", truths, rows, samples, is_reference)
    each = [*measured.tables("conditionals")]
    each = [table for table in each if table["task"][0].as_py() != "powers-of-2-6"]
    assert len(each) == len(truths)
    same(at_once, score("s", truths, reversed(each), samples, is_reference))
    assert set(at_once.scores["task"]) >= {truth.task for truth in truths}
