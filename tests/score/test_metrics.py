"""The table of metrics: what is added to it is scored, shown and documented, and nothing else is edited."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sampler_bench import load_task, run
from sampler_bench.errors import InputError
from sampler_bench.publish import write_leaderboard
from sampler_bench.report.comparison import comparison
from sampler_bench.score import metrics
from sampler_bench.score.intervals import wilson_interval
from sampler_bench.score.knowledge import Knowledge
from sampler_bench.score.metrics import BUILT_IN, find, in_words, markdown, metric, shown
from sampler_bench.score.score import Score
from sampler_bench.score.scores import OVERALL, score
from sampler_bench.score.truth import Truth

METHOD = Path(__file__).parents[2] / "docs" / "method.md"


@pytest.fixture(autouse=True)
def own_table(monkeypatch):
    """What a test adds to the table is gone after it."""
    monkeypatch.setattr(metrics, "_added", {})


def test_the_docs_hold_the_table_as_it_is():
    text = METHOD.read_text(encoding="utf-8")
    between = text.split("<!-- metrics: python -m sampler_bench.score.metrics -->\n")[1]
    assert between.split("<!-- end -->")[0].strip() == markdown()


def test_every_row_says_all_and_has_a_function_unless_it_is_of_the_suite():
    assert len({row.name for row in BUILT_IN}) == len(BUILT_IN)
    for row in BUILT_IN:
        assert row.unit
        assert row.about.endswith(".")
        assert (row.function is None) == (row.of == "suite")


def test_numbered_metrics_share_a_row_and_stand_by_their_numbers():
    assert find("component-12") is find("component-1")
    assert find("component-x") is None
    assert find("last-digit").name == "last-digit"
    assert list(shown("page", ["mod-11", "mod-3", "validity", "unheard-of", "skill"])) == [
        "skill", "validity", "mod-3", "mod-11"
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["skill", "mod-5", "component-1", "model", "Share", "a b", ""])
def test_a_name_that_is_taken_or_odd_is_refused(name):
    with pytest.raises(InputError, match="choose a name"):
        metric(name, unit="1", of="samples")


def add_distinct(shown: tuple[str, ...]) -> None:
    @metric(
        "distinct",
        unit="share",
        better="more",
        shown=shown,
        about="The share of answers that differ from all others.",
        of="all samples",
        label="share of different answers",
    )
    def distinct(records: pd.DataFrame) -> Iterator[Score]:
        hits = ~records["answer"].duplicated(keep=False)
        low, high = wilson_interval(int(hits.sum()), len(hits))
        yield Score("distinct", hits.mean(), low, high, n=len(hits))


def page_data(folder: Path) -> dict:
    text = (folder / "leaderboard.html").read_text(encoding="utf-8")
    return json.loads(text.split('id="data">')[1].split("</script>")[0])


def test_a_metric_of_ones_own_is_scored_and_stands_where_it_is_shown(tmp_path):
    add_distinct(("page", "leaderboard", "compare"))
    scores = run("even-6", ["oracle"], out=tmp_path / "run", numbers=4, samples=8).scores
    found = scores[scores["metric"] == "distinct"].set_index("task")
    assert found.loc["even-6", "unit"] == "share"
    assert found.loc["even-6", "value"] == found.loc[OVERALL, "value"] == 1
    write_leaderboard([tmp_path / "run"], tmp_path)
    (row,) = page_data(tmp_path)["rows"]
    assert row["scores"]["even-6"]["distinct"][0] == 1
    assert page_data(tmp_path)["metrics"]["distinct"]["unit"] == "share"
    text = (tmp_path / "leaderboard.md").read_text(encoding="utf-8")
    assert "| 1.00≈ · 1.00 · 100% · 100% | 1.00≈ · 1.00 · 100% · 100% |" in text
    assert "share of valid answers · share of different answers. " in text
    table = pd.read_csv(tmp_path / "leaderboard.csv")
    assert table[["distinct", "even-6 distinct"]].to_numpy().tolist() == [[1, 1]]
    assert "distinct" in set(comparison(scores, scores)["metric"])


def test_a_metric_shown_nowhere_is_in_the_scores_alone(tmp_path):
    add_distinct(())
    scores = run("even-6", ["oracle"], out=tmp_path / "run", numbers=4, samples=8).scores
    assert "distinct" in set(scores["metric"])
    write_leaderboard([tmp_path / "run"], tmp_path)
    for form in ("html", "md", "csv"):
        assert "distinct" not in (tmp_path / f"leaderboard.{form}").read_text(encoding="utf-8")
    assert "distinct" not in set(comparison(scores, scores)["metric"])


def test_a_change_is_for_the_better_by_what_the_table_says():
    metric("misses", unit="1", better="less", shown=["compare"], of="samples")(lambda *_: [])
    metric("colour", unit="1", shown=["compare"], of="samples")(lambda *_: [])

    def scores(value: float) -> pd.DataFrame:
        of = {"suite": "s", "task": "t", "model": "m", "arm": "direct", "decoder": "ancestral"}
        rows = [of | {"metric": name} for name in ("skill", "misses", "colour")]
        return pd.DataFrame(rows).assign(value=value, low=value - 0.1, high=value + 0.1)

    def verdicts(before: float, after: float) -> list[str]:
        return comparison(scores(before), scores(after))["verdict"].tolist()

    assert verdicts(0.2, 0.8) == ["better", "worse", ""]
    assert verdicts(0.8, 0.2) == ["worse", "better", ""]
    assert verdicts(0.2, 0.25) == ["", "", ""]


def is_reference(_: str) -> bool:
    return False


class Elsewhere:
    """Works each item off in a process that knows nothing of this one."""

    def map(self, function: Callable, items: Iterable) -> Iterator[tuple[object, object]]:
        cloudpickle = pytest.importorskip("cloudpickle")
        there = (
            "import sys, cloudpickle; function, item = cloudpickle.load(sys.stdin.buffer); "
            "sys.stdout.buffer.write(cloudpickle.dumps(function(item)))"
        )
        for item in items:
            sent = cloudpickle.dumps((function, item))
            back = subprocess.run([sys.executable, "-c", there], input=sent, capture_output=True, check=True)
            yield item, cloudpickle.loads(back.stdout)


def test_a_metric_of_ones_own_is_scored_in_another_process():
    @metric("worst-position", unit="nats", better="less", of="conditionals")
    def worst_position(knowledge: Knowledge) -> Iterator[Score]:
        assert set(knowledge.records["task"]) == {knowledge.truth.task}
        yield Score("worst-position", knowledge.whole.content.mean(axis=0).max())

    target = load_task("even-6").target
    prefixes = ["123456"[:k] for k in range(7)]
    conditionals = pd.DataFrame({"prefix": prefixes, "position": range(7), "number_id": 0}).assign(
        p=[target.conditional(prefix).p for prefix in prefixes],
        q=[np.full(11, 1 / 11)] * 7,
        weight=1.0,
        bound=0.0,
        task="t",
        model="m",
        arm="direct",
        decoder="ancestral",
        paraphrase="a",
        traces=0,
        blind=False,
        traces_of="",
    )
    samples = pd.DataFrame(columns=["task", "model", "arm", "decoder", "blind"]).astype({"blind": bool})
    truth = Truth("t", target, target.information(), target.count(""))
    here, there = (
        score("s", [truth], conditionals, samples, is_reference, how).scores for how in (None, Elsewhere())
    )
    pd.testing.assert_frame_equal(here, there, check_exact=True)
    found = there.set_index(["task", "metric"]).loc[("t", "worst-position")]
    assert found["value"] == pytest.approx(np.log(2))  # of the last digit, half of the ten may stand
    assert found["unit"] == "nats"


def test_a_score_without_a_row_is_refused_by_name():
    metric("announced", unit="1", of="all samples")(lambda records: [Score("other", len(records))])
    of = {"task": "t", "model": "m", "arm": "direct", "decoder": "ancestral", "paraphrase": "a"}
    costs = {"forward_passes": 5, "completion_tokens": 4, "seconds": 0.5, "log_weight": np.nan, "seed": 0}
    samples = pd.DataFrame({"answer": ["123456"], "valid": [True], "response_id": [0], "blind": False})
    samples = samples.assign(**of, **costs)
    target = load_task("even-6").target
    conditionals = pd.DataFrame(columns=["task", "model", "arm", "decoder"])
    with pytest.raises(InputError, match="a score of 'other'"):
        score("s", [Truth("t", target, target.information(), None)], conditionals, samples, is_reference)


def test_a_numbered_metric_says_its_number_in_words():
    assert in_words("component-2") == "share of component 2"
    assert in_words("validity") == "share of valid answers"
    assert in_words("no-such-metric") == "no-such-metric"
