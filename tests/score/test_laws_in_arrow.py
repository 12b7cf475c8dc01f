"""Probabilities that stay with Arrow: the same numbers as objects of Python's, and the same scores."""

import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sampler_bench import run
from sampler_bench.publish import truth_of
from sampler_bench.runs.laws_in_arrow import Packed, frame, stacked, with_arrays
from sampler_bench.runs.store import RunFolder
from sampler_bench.score.scores import score
from tests.score.made_up import is_reference
from tests.score.test_traces import LEFT, OTHER, RIGHT, records, scored

LAWS = np.random.default_rng(0).dirichlet(np.ones(11), 6)


def table(laws: np.ndarray = LAWS) -> pa.Table:
    kind = pa.list_(pa.float64(), 11)
    return pa.table({"row": range(len(laws)), "q": pa.array([*laws], kind)})


@pytest.mark.parametrize("made", [frame, pa.Table.to_pandas])
def test_a_column_of_laws_is_an_array(made):
    rows = made(table())
    assert np.array_equal(stacked(rows["q"]), LAWS)
    assert np.array_equal(stacked(rows.sort_values("row", ascending=False)["q"]), LAWS[::-1])
    assert np.array_equal(stacked(rows[rows["row"] % 2 == 1]["q"]), LAWS[1::2])
    assert np.array_equal(stacked(rows.iloc[2:4]["q"]), LAWS[2:4])
    assert np.array_equal(stacked(pd.concat([rows, rows])["q"]), np.concatenate([LAWS, LAWS]))


def test_arrow_keeps_them_in_their_own_bytes():
    many = frame(table(np.tile(LAWS, (1000, 1))))["q"]
    assert many.memory_usage(index=False, deep=True) < 6000 * 11 * 8 * 1.1


def test_scores_are_the_same_whoever_holds_the_laws(tmp_path):
    run("even-6", ["oracle", "uniform-digits"], out=tmp_path, numbers=8, samples=4)
    folder = RunFolder(tmp_path)
    truths = [truth_of(name, task) for name, task in folder.manifest().tasks.items()]
    kept = folder.read("conditionals"), frame(folder.table("conditionals"))
    one, other = (score("s", truths, records, folder.read("samples"), is_reference) for records in kept)
    same(one, other)


def same(one, other):
    for mine, others in zip(one, other, strict=True):
        pd.testing.assert_frame_equal(mine, others, check_exact=True)


def test_scores_are_the_same_task_by_task_and_at_once(tmp_path):
    """In whatever order tasks come, and where one of them has no laws, or is none of these."""
    run("quick", ["oracle", "uniform-digits"], out=tmp_path, numbers=4, samples=4)
    folder = RunFolder(tmp_path)
    truths = [truth_of(name, task) for name, task in folder.manifest().tasks.items()][1:]
    laws, samples = folder.read("conditionals").query("task != 'powers-of-2-6'"), folder.read("samples")
    at_once = score("s", truths, laws, samples, is_reference)
    each = [*folder.by_task("conditionals")]
    each = [rows for rows in each if rows["task"][0].as_py() != "powers-of-2-6"]
    assert len(each) == len(truths)
    same(at_once, score("s", truths, reversed(each), samples, is_reference))
    assert set(at_once.scores["task"]) >= {truth.task for truth in truths}


def test_a_table_that_is_packed_is_the_same_frame_in_less_memory():
    many = table(np.tile(LAWS, (1000, 1)))
    packed = pickle.dumps(Packed(many))
    pd.testing.assert_frame_equal(pickle.loads(packed).frame(), frame(many), check_exact=True)
    assert len(packed) < many.nbytes / 2


def test_laws_by_trace_are_read_from_arrow_too():
    rows = records([LEFT, RIGHT, OTHER], forced=1)
    held = frame(pa.Table.from_pandas(rows, preserve_index=False))
    assert isinstance(held["q_by_trace"].dtype, pd.ArrowDtype)
    pd.testing.assert_frame_equal(scored(held), scored(rows), check_exact=True)


def test_metrics_from_outside_find_arrays():
    """One of Arrow's lists, twice, would be a list of 22."""
    rows = with_arrays(frame(table())[2:5])
    assert np.array_equal(np.stack([2 * law for law in rows["q"]]), 2 * LAWS[2:5])
    assert rows["q"].iloc[0].sum() == pytest.approx(1)
