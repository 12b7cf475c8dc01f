"""Laws in pieces, packed or not: the same records, numbers whole, the same scores to the bit."""

import itertools
import pickle
from unittest import mock

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sampler_bench import run
from sampler_bench.publish import truth_of
from sampler_bench.runs.files_of_records import KEYS
from sampler_bench.runs.laws_in_arrow import frame
from sampler_bench.runs.store import RunFolder
from sampler_bench.score import divergence, laws_in_pieces
from sampler_bench.score.laws_in_pieces import Laws
from sampler_bench.score.scores import score
from sampler_bench.score.truth import Truth
from tests.score import test_traces
from tests.score.made_up import is_reference
from tests.score.test_traces import LEFT, OTHER, RIGHT

RECORDS = 20  # of a piece, in the tests that make it small


@pytest.fixture
def small_pieces(monkeypatch):
    """A piece is of RECORDS records."""
    monkeypatch.setattr(laws_in_pieces, "PIECE", RECORDS * numbers([3]).pipe(of_arrow).nbytes // 3)


def numbers(lengths, paraphrase="a", **of) -> pd.DataFrame:
    """Records of numbers that have so many."""
    of_each = [(number, at) for number, length in enumerate(lengths) for at in range(length)]
    rows = pd.DataFrame(of_each, columns=["number_id", "position"])
    return rows.assign(paraphrase=paraphrase, row=range(len(rows)), **of)


def of_arrow(rows: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(rows, preserve_index=False)


def cut(rows: pd.DataFrame, places) -> list[pa.Table]:
    table = of_arrow(rows)
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
        assert all(len(piece) <= RECORDS for piece in pieces)
        assert len(pieces) <= len(rows) / (RECORDS - 12) + 1
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
        assert [*held.apart(["size", "paraphrase"])] == [("1", "a"), ("1", "b"), ("2", "a")]
        for (wording, size), each in found.items():
            wanted = rows[(rows["paraphrase"] == wording) & (rows["size"] == size)]
            assert each.frame().to_numpy().tolist() == wanted.to_numpy().tolist()
            assert [[*piece] for piece in each.pieces(["row"])] == [["row"]] * len([*each.pieces()])


@pytest.mark.parametrize("many", [False, True])
def test_of_many_pieces_none_is_left_unpacked(many, monkeypatch):
    """However many models a task has; where there is but one piece, its frames are kept."""
    rows = pd.concat([numbers([5] * 9, model=model, blind=blind) for model in "ab" for blind in (0, 1)])
    monkeypatch.setattr(laws_in_pieces, "PIECE", of_arrow(rows).nbytes // (5 if many else 1) + 1)
    for each in Laws.packed(cut(rows, [])).apart(["model", "blind"]).values():
        one, other = [*each.pieces()], [*each.pieces()]
        made_anew = [first is not second for first, second in zip(one, other, strict=True)]  # if packed
        assert made_anew == [many] * len(one)


@pytest.fixture
def measured(tmp_path) -> RunFolder:
    run("quick", ["oracle", "uniform-digits"], out=tmp_path, numbers=4, samples=4)
    return RunFolder(tmp_path)


def truths_of(folder: RunFolder) -> list:
    return [truth_of(name, task) for name, task in folder.manifest().tasks.items()]


def same(one, other):
    for mine, others in zip(one, other, strict=True):
        pd.testing.assert_frame_equal(mine, others, check_exact=True)


@pytest.mark.parametrize("size", [1, 2**14, 2**24])
def test_scores_are_the_same_whoever_holds_the_laws(measured, monkeypatch, size):
    """Objects of Python's, Arrow, or pieces of a number or more."""
    truths, samples = truths_of(measured), measured.read("samples")
    held = measured.read("conditionals"), frame(measured.table("conditionals"))
    one, other = (score("s", truths, records, samples, is_reference) for records in held)
    same(one, other)
    monkeypatch.setattr(laws_in_pieces, "PIECE", size)
    same(one, score("s", truths, measured.tables("conditionals"), samples, is_reference))


def test_few_laws_are_compared_at_a_time(measured, monkeypatch):
    truths, samples = truths_of(measured), measured.read("samples")
    one = score("s", truths, measured.read("conditionals"), samples, is_reference)
    monkeypatch.setattr(divergence, "AT_ONCE", 3)
    same(one, score("s", truths, measured.read("conditionals"), samples, is_reference))


@pytest.mark.parametrize("size", [1, 5000, 2**24])
def test_scores_of_controls_and_traces_are_the_same_in_pieces(monkeypatch, size):
    """Of two models, in two wordings; a piece is a number, some numbers of several kinds, or all."""
    laws = pd.concat(
        test_traces.records(traces, 1, wording, traces_of).assign(model=model, blind=blind)
        for model, wording in itertools.product("mn", "ab")
        for traces, traces_of, blind in (
            ([LEFT, RIGHT, LEFT], "", False),
            ([OTHER, OTHER, RIGHT if model == "m" else LEFT], "", True),
            ([RIGHT, OTHER], "other", False),
        )
    ).sort_values([*KEYS["conditionals"]], ignore_index=True)
    truth = Truth("t", test_traces.TARGET, test_traces.TARGET.information(), 3)
    monkeypatch.setattr(laws_in_pieces, "PIECE", size)
    again = mock.Mock(side_effect=laws_in_pieces.table_of)
    monkeypatch.setattr(laws_in_pieces, "table_of", again)
    nothing = measured_nothing()
    one, other = (
        score("s", [truth], records, nothing, lambda _: False) for records in (laws, cut(laws, [7, 20, 50]))
    )
    same(one, other)
    assert again.called is (size == 5000)
    wanted = {"uptake", "content-blind", "content-irrelevant", "content-traces-2", "content-limit", "forced"}
    assert wanted <= set(one.scores["metric"])


def measured_nothing() -> pd.DataFrame:
    return pd.DataFrame(columns=["task", "model", "arm", "decoder", "blind"]).astype({"blind": bool})


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
