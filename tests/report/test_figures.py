"""Figures: their lines carry the right numbers, and the same scores give the same picture."""

import io
import math

import numpy as np
import pandas as pd
import pytest

from sampler_bench.report.figures.along import along
from sampler_bench.report.figures.arms import arms
from sampler_bench.report.figures.commitment import commitment
from sampler_bench.report.figures.digit_bars import digit_bars
from sampler_bench.report.figures.digit_profile import digit_profile
from sampler_bench.report.figures.forest import forest
from sampler_bench.report.figures.kinds import by_kind
from sampler_bench.report.figures.sieve_levels import sieve_levels
from sampler_bench.report.figures.skill_by_task import knowledge
from sampler_bench.report.figures.style import save
from sampler_bench.report.figures.survival import survival
from sampler_bench.targets import TwinPrimes
from sampler_bench.targets.ladder import sieve_ladder

KNOWS, GUESSES = ("knows", "direct", "ancestral"), ("guesses", "direct", "ancestral")


def curve(
    row: tuple, metric: str, values: list[float], task: str = "first", axis: str = "position"
) -> pd.DataFrame:
    model, arm, decoder = row
    first = 1 if metric == "survival" else 0
    table = pd.DataFrame({"at": range(first, first + len(values)), "value": values})
    of = {"task": task, "model": model, "arm": arm, "decoder": decoder, "axis": axis, "metric": metric}
    return table.assign(low=table["value"] - 0.05, high=table["value"] + 0.05, **of)


def scores_of(row: tuple, task: str, **metrics: float) -> pd.DataFrame:
    model, arm, decoder = row
    table = pd.DataFrame({"metric": [name.replace("_", "-") for name in metrics], "value": metrics.values()})
    return table.assign(
        task=task, model=model, arm=arm, decoder=decoder, low=table["value"] - 0.1, high=table["value"] + 0.1
    )


def lines(panel) -> dict[str, list]:
    return {line.get_label(): list(line.get_ydata()) for line in panel.get_lines()}


@pytest.fixture
def profiles() -> pd.DataFrame:
    """Digits 1 or 2, then the end: one row knows it, the other writes 1..9 alike."""
    parts = []
    for task in ("first", "second"):
        for row, content in ((KNOWS, 0.0), (GUESSES, math.log(9 / 2))):
            parts += [
                curve(row, "entropy", [math.log(2), 0.0], task),
                curve(row, "content", [content, 0.0], task),
            ]
    return pd.concat(parts)


def test_a_panel_a_task_with_entropy_and_cross_entropy(profiles):
    figure = digit_profile(profiles, ["first", "second"], [KNOWS, GUESSES])
    assert [panel.get_title() for panel in figure.axes] == ["first", "second"]
    for panel in figure.axes:
        drawn = lines(panel)
        assert drawn["truth (entropy)"] == drawn["knows"] == pytest.approx([math.log(2)])
        assert drawn["guesses"] == pytest.approx([math.log(9)])  # cross-entropy of uniform 1..9
        assert np.array_equal(panel.get_lines()[0].get_xdata(), [1])


def test_a_digit_that_may_follow_is_shown():
    parts = [curve(KNOWS, "entropy", [0.7, 0.2, 0.0]), curve(KNOWS, "content", [0.0, 0.0, 0.0])]
    (panel,) = digit_profile(pd.concat(parts), ["first"], [KNOWS]).axes
    assert lines(panel)["truth (entropy)"] == [0.7, 0.2]


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_same_scores_give_the_same_bytes(profiles, tmp_path, kind):
    for name in ("a", "b"):
        save(digit_profile(profiles, ["first"], [KNOWS]), kind, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_survivors_start_at_the_first_digit():
    (panel,) = survival(curve(KNOWS, "survival", [1.0, 0.5, 0.25]), ["first"], [KNOWS, GUESSES]).axes
    assert lines(panel) == {"knows": [1.0, 0.5, 0.25]}
    assert panel.get_lines()[0].get_xdata().tolist() == [1, 2, 3]


def test_numbers_of_one_digit_have_one_tick():
    parts = [curve(row, "survival", [0.5]) for row in (KNOWS, GUESSES)]
    (panel,) = survival(pd.concat(parts), ["first"], [KNOWS, GUESSES]).axes
    assert panel.get_xticks().tolist() == [1]


def test_commitment_starts_before_the_first_digit():
    (panel,) = commitment(curve(KNOWS, "component-1", [0.1, 0.4, 1.0]), ["first"], [KNOWS]).axes
    assert lines(panel) == {"knows": [0.1, 0.4, 1.0]}
    assert panel.get_lines()[0].get_xdata().tolist() == [0, 1, 2]


def test_a_legend_fits_into_a_narrow_figure():
    rows = [(f"a-model-with-a-long-name-{n}", "reasoning-2048", "ancestral") for n in range(19)]
    figure = commitment(pd.concat(curve(row, "component-1", [0.1, 0.5]) for row in rows), ["first"], rows)
    save(figure, "png", io.BytesIO())
    (legend,) = figure.legends
    drawn, page = legend.get_window_extent(), figure.bbox
    assert page.x0 <= drawn.x0
    assert drawn.x1 <= page.x1
    assert figure.axes[0].get_window_extent().height > 0.2 * page.height  # and leaves room for the lines


KINDS = {"sparse": ["few"], "arithmetic": ["many", "worst"]}


def test_knowledge_is_a_dot_a_task_with_skill_and_uptake_side_by_side_and_nothing_joined():
    scores = pd.concat([scores_of(KNOWS, "few", ln_size=1.0, skill=0.6, uptake=0.1),
                        scores_of(KNOWS, "many", ln_size=9.0, skill=-0.5, uptake=0.0),
                        scores_of(KNOWS, "worst", ln_size=12.0, skill=-3.0, uptake=0.3)])  # fmt: skip
    figure = knowledge(scores, KINDS, [KNOWS])
    save(figure, "png", io.BytesIO())
    skill, uptake = figure.axes
    dots = {panel: {line.get_label(): line for line in panel.get_lines()}["knows"] for panel in figure.axes}
    assert dots[skill].get_linestyle() == "None"
    assert dots[skill].get_xdata().tolist()[:2] == [0.6, -0.5]
    assert np.isnan(dots[skill].get_xdata()[2])  # beyond the axis: at its edge, and marked
    (mark,) = [line for line in skill.get_lines() if line.get_label() == "beyond the axis"]
    assert mark.get_xdata().tolist() == [0]
    assert dots[uptake].get_xdata().tolist() == [0.1, 0.0, 0.3]
    places = dict(
        zip([label.get_text() for label in skill.get_yticklabels()], skill.get_yticks(), strict=True)
    )
    assert sorted(places, key=places.get) == ["sparse", "few", "arithmetic", "many", "worst"]
    assert "uptake is above 0 at 1 of 3 tasks" in figure.legends[0].get_title().get_text()


def test_knowledge_without_uptake_is_that_of_skill_alone():
    figure = knowledge(scores_of(KNOWS, "few", ln_size=1.0, skill=0.6), {"sparse": ["few"]}, [KNOWS])
    assert len(figure.axes) == 1
    save(figure, "png", io.BytesIO())


def test_along_shows_the_content_by_digit_before_the_information_of_the_constraint():
    uniform = ("uniform-digits", "direct", "ancestral")
    curves = pd.concat([
        curve(KNOWS, "content", [0.1, 0.0, 1.0, 9.0]),
        curve(uniform, "content", [0.0, 0.2, 0.8, 1.0]),
        curve(uniform, "content", [1.0, 0.8, 0.2, 0.0], axis="digits-left"),
    ])  # fmt: skip
    figure = along(curves, {"sparse": ["first"]}, [KNOWS])
    (panel,) = figure.axes
    assert lines(panel)["knows"][:3] == [0.1, 0.0, 1.0]
    assert [bar.get_height() for bar in panel.patches] == [0.0, 0.2, 0.8, 1.0]
    (mark,) = [line for line in panel.get_lines() if line.get_label() == "beyond the axis"]
    assert mark.get_xdata().tolist() == [4]


def test_along_says_no_share_of_information_where_there_is_no_interval():
    uniform = ("uniform-digits", "direct", "ancestral")
    curves = pd.concat([
        curve(uniform, "content", [0.0, 0.2, 0.8, 1.0, 1.0]),
        curve(uniform, "content", [1.0, 1.0, 0.8, 0.2, 0.0], axis="digits-left"),
    ])  # fmt: skip
    for known, said in ((curves, ["100 % in the last 3 of 4"]), (curves.assign(low=np.nan, high=np.nan), [])):
        (panel,) = along(known, {"sparse": ["first"]}, [KNOWS]).axes
        assert [text.get_text() for text in panel.texts] == said


def test_tasks_stand_by_kind_and_by_size():
    tasks = {"even": ("multiples", 0.7, 26.0), "cubes": ("polynomials", 19.0, 8.6),
             "powers": ("powers", 26.0, 1.1), "twins": ("twin-primes", 5.7, 21.9)}  # fmt: skip
    scores = pd.concat(
        [scores_of(KNOWS, t, information=i, ln_size=n, skill=0) for t, (_, i, n) in tasks.items()]
    )
    kinds = by_kind([*tasks], scores, {task: family for task, (family, *_) in tasks.items()})
    assert kinds == {"free": ["even"], "sparse": ["powers", "cubes"], "arithmetic": ["twins"]}


def test_a_forest_says_at_how_many_tasks_two_rows_differ():
    of = dict.fromkeys(["model", "with_model"], "m") | {"arm": "direct", "with_arm": "cot"}
    of |= dict.fromkeys(["decoder", "with_decoder"], "ancestral") | {"metric": "skill", "paired": True}
    changes = [("a", 0.5, 0.001), ("b", -0.1, 0.4), ("c", 9.0, 0.001), ("(overall)", 0.2, 0.2)]
    rows = [
        of | {"task": t, "change": c, "low": c - 0.1, "high": c + 0.1, "p_adjusted": p} for t, c, p in changes
    ]
    figure = forest(pd.DataFrame(rows))
    save(figure, "png", io.BytesIO())
    (panel,) = figure.axes
    assert "skill differs at 2 of 3 tasks" in panel.get_title().replace("\n", " ")
    assert [label.get_text() for label in panel.get_yticklabels()] == ["all tasks", "c", "b", "a"]
    assert any(line.get_marker() == ">" for line in panel.get_lines())  # what is beyond the axis


def test_rows_stand_at_their_level_on_the_ladder():
    rungs = sieve_ladder(TwinPrimes(4))[1:]
    (panel,) = sieve_levels(
        scores_of(KNOWS, "first", level=5.0, content=1.667), ["first"], [KNOWS], {"first": rungs}
    ).axes
    assert lines(panel)["knows"] == [1.667]
    y, nats = panel.get_lines()[0].get_data()
    assert np.interp(5.0, y, nats) == pytest.approx(dict(rungs)[5.0], abs=0.02)


def test_arms_show_every_task_in_order_and_leave_out_what_was_not_measured():
    scores = pd.concat([scores_of(KNOWS, "first", skill=0.5), scores_of(KNOWS, "second", skill=-3.0),
                        scores_of(GUESSES, "second", skill=0.0)])  # fmt: skip
    (panel,) = arms(scores, ["first", "second"], [KNOWS, GUESSES]).axes
    assert lines(panel)["knows"] == [0.5, -3.0]
    assert np.isnan(lines(panel)["guesses"][0])


def test_what_is_infinite_stands_at_the_edge():
    """Skill at the lower one, content at the upper one, where lines end."""
    hopeless = scores_of(KNOWS, "first", skill=-math.inf, ln_size=2.0, content=math.inf, level=1.0)
    scores = pd.concat([hopeless, scores_of(KNOWS, "second", skill=0.5, ln_size=3.0, content=1.0, level=5.0)])
    profile = pd.concat([curve(KNOWS, "entropy", [0.7, 0.7]), curve(KNOWS, "content", [0.1, math.inf])])
    skill = knowledge(scores, {"other": ["first", "second"]}, [KNOWS]).axes[0]
    for panel, x, edge in (
        (arms(scores, ["first", "second"], [KNOWS]).axes[0], [0], [0]),
        (skill, [0], [1]),
        (digit_profile(profile, ["first"], [KNOWS]).axes[0], [2], [1]),
        (sieve_levels(scores, ["first"], [KNOWS], {"first": [(2.0, 3.0), (5.0, 1.0)]}).axes[0], [1], [1]),
    ):
        (marks,) = [line for line in panel.get_lines() if line.get_label() == "infinite"]
        assert marks.get_xdata().tolist() == x
        assert marks.get_ydata().tolist() == edge


def test_many_rows_survive_without_bands_over_one_another():
    rows = [(f"model-{n}", "direct", "ancestral") for n in range(5)]
    points = pd.concat(curve(row, "survival", [0.9, 0.5]) for row in rows)
    assert len(survival(points, ["first"], rows[:4]).axes[0].collections) == 4
    assert not survival(points, ["first"], rows).axes[0].collections


def test_bars_stand_beside_the_truth():
    parts = [curve(KNOWS, metric, [0.1] * 10, axis=axis) for axis in ("leading-digit", "last-digit")
             for metric in ("answers", "truth")]  # fmt: skip
    leading, last = digit_bars(pd.concat(parts), ["first"], KNOWS).axes
    assert [panel.get_title() for panel in (leading, last)] == ["first: leading digit", "first: last digit"]
    assert [bar.get_height() for bar in leading.patches] == [0.1] * 10


def test_a_truth_outside_the_range_of_few_draws_is_drawn():
    """Of two perfect answers, 95 % hold none with a digit of probability 0.01."""
    parts = [curve(KNOWS, metric, [0.01] * 10, axis="last-digit") for metric in ("answers", "truth")]
    bars = pd.concat(parts).assign(low=0.0, high=0.0)
    assert len(digit_bars(bars, ["first"], KNOWS).axes) == 2


def test_a_logarithmic_axis_is_labelled_with_numbers(tmp_path):
    target = TwinPrimes(digits=6)
    steps = sieve_ladder(target)[1:]
    scores = scores_of(KNOWS, "t", level=1000.0, content=0.1)
    figure = sieve_levels(scores, ["t"], [KNOWS], {"t": steps})
    save(figure, "svg", tmp_path / "ladder.svg")
    labels = [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
    assert {"1", "10", "100", "1000"} <= set(labels)
