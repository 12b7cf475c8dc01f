"""Which figures a run has, and under which names they are drawn and written."""

from xml.etree import ElementTree

import pandas as pd

from sampler_bench import run
from sampler_bench.publish import write_figures
from sampler_bench.report import figures
from sampler_bench.report.figures.gallery import gallery
from sampler_bench.report.figures.style import save
from tests.report.test_figures import KNOWS, curve, scores_of


def test_a_run_has_the_figures_it_has_something_for(tmp_path):
    run("twin-primes-3", ["oracle", "sieve-5"], out=tmp_path / "run", numbers=4, samples=8)
    written = write_figures(tmp_path / "run", tmp_path / "figures")
    assert {path.name for path in written} == {
        f"{name}.{kind}" for name in ("digits", "ladder", "survival") for kind in ("png", "svg")
    }
    assert all(path.stat().st_size > 1000 for path in written)


NAMES = [r"$\frac$", "a$b$c", "a_b^c", "[/b]", "\x1b[31m", "日本", "_hidden", "a\nb", "x" * 300]


def test_names_of_any_kind_are_drawn_as_text_and_give_files_of_their_own(tmp_path):
    rows = [(name, arm, "ancestral") for name in NAMES for arm in ("direct", "cot")]
    scores = pd.concat([scores_of(row, r"$\task$", skill=0.5, content=1.0) for row in rows])
    curves = pd.concat(
        [curve(row, metric, [0.5, 0.1], r"$\task$") for row in rows for metric in ("entropy", "content")]
        + [
            curve(row, "answers", [0.1] * 10, r"$\task$", axis)
            for row in rows
            for axis in ("leading-digit", "last-digit")
        ]
        + [
            curve(row, "truth", [0.1] * 10, r"$\task$", axis)
            for row in rows
            for axis in ("leading-digit", "last-digit")
        ]
    )
    drawn = gallery(scores, curves, {}, lambda _: False)
    assert sum(name.startswith("answers-") for name in drawn) == len(rows)
    for name in ("digits", "arms", min(drawn)):
        figure = drawn[name]()
        for kind in ("svg", "png"):
            save(figure, kind, tmp_path / f"{name}.{kind}")
        ElementTree.parse(tmp_path / f"{name}.svg")
    (legend,) = drawn["arms"]().legends
    shown = [text.get_text() for text in legend.get_texts()]
    assert r"$\frac$ direct" in shown
    assert "a b cot" in shown
    assert len(shown) == len(rows)


def test_a_module_in_the_folder_is_a_figure(tmp_path, monkeypatch):
    """Nothing else is edited."""
    (tmp_path / "blank_page.py").write_text(
        "from matplotlib.figure import Figure\n"
        "def drawings(material):\n"
        "    if material.models:\n"
        "        yield 'blank', Figure\n"
    )
    monkeypatch.setattr(figures, "__path__", [*figures.__path__, str(tmp_path)])
    scores, nothing = scores_of(KNOWS, "t", skill=0.5), curve(KNOWS, "survival", [])
    assert set(gallery(scores, nothing, {}, lambda _: False)) == {"arms", "blank", "knowledge"}
    assert set(gallery(scores, nothing, {}, lambda _: True)) == set()
