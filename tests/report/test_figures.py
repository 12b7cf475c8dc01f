"""The figure: its lines carry the right numbers, and the same records give the same picture."""

import math

import numpy as np
import pandas as pd
import pytest

from sampler_bench.report.figures import digit_profile, save_png

P = [0, 0.5, 0.5, *[0] * 8]  # 1 or 2
UNIFORM = [0, *[1 / 9] * 9, 0]
DONE = [*[0] * 10, 1]


@pytest.fixture
def records() -> pd.DataFrame:
    rows = []
    for task in ("first", "second"):
        for model, q in (("knows", P), ("guesses", UNIFORM)):
            for position, (p, mine) in enumerate([(P, q), (DONE, DONE)]):
                rows.append((task, model, "direct", "ancestral", position, "1"[:position], p, mine))
    columns = ["task", "model", "arm", "decoder", "position", "prefix", "p", "q"]
    return pd.DataFrame(rows, columns=columns).assign(paraphrase="plain", number_id=0, weight=1.0, bound=0.0)


def test_a_panel_a_task_with_entropy_and_cross_entropy(records):
    rows = [("knows", "direct", "ancestral"), ("guesses", "direct", "ancestral")]
    figure = digit_profile(records, ["first", "second"], rows)
    panels = [panel for panel in figure.axes if panel.get_title()]
    assert [panel.get_title() for panel in panels] == ["first", "second"]
    for panel in panels:
        lines = {line.get_label(): line.get_ydata() for line in panel.get_lines()}
        assert lines["truth (entropy)"] == pytest.approx([math.log(2)])
        assert lines["knows"] == pytest.approx([math.log(2)])
        assert lines["guesses"] == pytest.approx([math.log(9)])  # cross-entropy of uniform 1..9
        assert np.array_equal(panel.get_lines()[0].get_xdata(), [1])


def test_a_digit_that_may_follow_is_shown_though_no_number_drawn_has_it(records):
    may_go_on = [*[0.05] * 10, 0.5]
    cut = records["position"] == 1
    records.loc[cut, ["p", "q"]] = records[cut][["p", "q"]].map(lambda _: may_go_on)
    (panel,) = digit_profile(records, ["first"], [("knows", "direct", "ancestral")]).axes
    truth = {line.get_label(): line.get_ydata() for line in panel.get_lines()}["truth (entropy)"]
    assert truth == pytest.approx([math.log(2), math.log(10) / 2])


def test_the_same_records_give_the_same_bytes(records, tmp_path):
    for name in ("a.png", "b.png"):
        save_png(digit_profile(records, ["first"], [("knows", "direct", "ancestral")]), tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
