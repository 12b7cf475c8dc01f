"""Probabilities that stay with Arrow: the same numbers as objects of Python's, and the same scores."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from sampler_bench.runs.laws_in_arrow import frame, packed, stacked, unpacked, with_arrays
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


def test_a_table_that_is_packed_is_the_same_frame_in_less_memory():
    many = table(np.tile(LAWS, (1000, 1)))
    small = packed(many)
    pd.testing.assert_frame_equal(unpacked(small), frame(many), check_exact=True)
    pd.testing.assert_frame_equal(unpacked(small, ["q"]), frame(many)[["q"]], check_exact=True)
    assert len(small) < many.nbytes / 2


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
