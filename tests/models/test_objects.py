"""Models of one's own: objects given to `run`."""

import json
import subprocess
import sys
import traceback

import numpy as np
import pandas as pd
import pytest

from sampler_bench import run
from sampler_bench.errors import InputError, StoreError
from sampler_bench.executor.ray_cluster import Ray
from sampler_bench.measure.listener import Silence
from sampler_bench.publish import write_figures, write_leaderboard
from sampler_bench.report.leaderboard import markdown
from sampler_bench.runs.store import RunFolder
from tests.models.own_models import Both, Laws, Samples
from tests.processes import mark, marked, units

FEW = {"numbers": 8, "samples": 6}


class Lines(Silence):
    """A listener that notes what is said."""

    def __init__(self):
        self.lines = []

    def say(self, line):
        self.lines.append(line)


def measured(out, *models, arms=("direct",), **options):
    """The scores of a small run, as (arm, decoder, metric) -> value."""
    scores = run("even-6", models, arms, out=out, **FEW, **options).scores
    return scores.query("task == 'even-6'").set_index(["arm", "decoder", "metric"])["value"]


def row(out, model) -> str:
    """A model's row of the leaderboard, which is written, as are the page and all figures."""
    board = write_leaderboard([out], out)
    assert model in (out / "leaderboard.html").read_text()
    assert write_figures(out, out / "figures")
    (line,) = [line for line in markdown(board).splitlines() if line.startswith(f"| {model} |")]
    return line


def test_a_model_that_gives_laws_and_samples_has_all_scores(tmp_path):
    scores = measured(tmp_path, Both(), arms=("direct", "cot"))
    content = -np.log(10 / 11) * 5 + np.log(11 / 5)  # of the five even last digits none is a 7
    direct = scores["direct", "ancestral"]
    assert direct["content"] == pytest.approx(direct["bound"] + content, abs=0.7)
    assert 0 <= direct["validity"] <= 1
    assert {"skill", "validity"} <= set(scores["cot", "ancestral"].index)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["models"]["sevens"]["identity"] == "sevens 1"
    assert manifest["models"]["sevens"]["kind"] == "object"


def test_of_a_model_that_gives_laws_alone_what_needs_samples_is_left_out_in_words(tmp_path):
    said = Lines()
    scores = measured(
        tmp_path, Laws(), arms=("direct", "cot"), decoders=("ancestral", "feasible"), listener=said
    )
    assert "skill" in scores["direct", "ancestral"].index
    assert "validity" not in scores["direct", "ancestral"].index
    assert scores["direct", "feasible", "validity"] == 1  # drawn from its laws
    assert "cot" not in scores.index.get_level_values("arm")
    assert (
        "sevens gives no samples; left out: validity and all else that is counted in answers under direct; "
        "all of cot"
    ) in said.lines
    measured(tmp_path / "plain", Laws())
    assert row(tmp_path / "plain", "sevens").count("· –") == 2


def test_of_a_model_that_gives_samples_alone_what_needs_laws_is_left_out_in_words(tmp_path):
    said = Lines()
    scores = measured(
        tmp_path,
        Samples(),
        arms=("direct", "cot"),
        decoders=("ancestral", "reject", "feasible"),
        listener=said,
    )
    assert set(scores.index.get_level_values("decoder")) == {"ancestral", "reject"}
    assert {"direct", "cot"} == set(scores.index.get_level_values("arm"))
    assert "skill" not in scores.index.get_level_values("metric")
    assert scores["direct", "reject", "validity"] == 1
    assert (
        "writer gives no laws of digits; left out: content, skill and all else that is read from laws under "
        "direct, cot; all of direct feasible"
    ) in said.lines
    measured(tmp_path / "plain", Samples())
    assert row(tmp_path / "plain", "writer").count("– ·") == 2


@pytest.mark.parametrize(
    ("model", "asked", "reason"),
    [
        (Laws(), {"arms": ["cot"]}, r"sevens gives no samples, .* \(cot\) .*: choose arm direct"),
        (Laws(), {"decoders": ["reject"]}, r"\(direct reject, cot reject\) can be measured without"),
        (Samples(), {"decoders": ["feasible"]}, r"writer gives no laws of digits, .* decoder ancestral"),
    ],
)
def test_a_model_of_which_nothing_can_be_measured_is_refused_before_any_is(model, asked, reason, tmp_path):
    with pytest.raises(InputError, match=reason):
        run("even-6", [Both(), model] if model.name == "writer" else [model], out=tmp_path / "run", **asked)
    assert not (tmp_path / "run").exists()


def test_units_of_a_model_that_can_less_are_those_of_one_that_can_all(tmp_path):
    measured(tmp_path / "all", Both())
    named = type("Named", (Laws,), {"name": "sevens"})()
    measured(tmp_path / "laws", named)
    assert set() != units(tmp_path / "laws") < units(tmp_path / "all")
    before = (tmp_path / "laws" / "conditionals.parquet").read_bytes()
    measured(tmp_path / "laws", Both())  # once it can give samples, the run goes on
    assert len(RunFolder(tmp_path / "laws").read("samples")) == 6
    assert (tmp_path / "laws" / "conditionals.parquet").read_bytes() == before


def test_another_identity_is_another_model(tmp_path):
    measured(tmp_path, Both())
    before = (tmp_path / "scores.csv").read_bytes()
    other = Both()
    other.identity = "sevens 2"
    with pytest.raises(StoreError, match="another model behind 'sevens': sevens 1 there, sevens 2 here"):
        run("even-6", [other], ["direct", "few-shot"], out=tmp_path, **FEW)
    assert (tmp_path / "scores.csv").read_bytes() == before


def test_an_async_context_manager_is_entered_and_left(tmp_path):
    said = []

    class Opened(Both):
        async def __aenter__(self):
            said.append("in")

        async def __aexit__(self, kind, error, trace):
            said.append(kind)

        async def conditionals(self, prompt, prefixes, trace=""):
            assert said == ["in"]
            return await super().conditionals(prompt, prefixes, trace)

    measured(tmp_path, Opened())
    assert said == ["in", None]


def test_what_its_own_methods_raise_comes_through_as_it_is_and_nothing_measured_is_lost(tmp_path):
    class Tired(Both):
        left = 2

        async def sample(self, prompt, size, seed, options):
            self.left -= 1
            if self.left < 0:
                try:
                    raise KeyError("weights")
                except KeyError as error:
                    raise ZeroDivisionError("of my own") from error
            return await super().sample(prompt, size, seed, options)

    with pytest.raises(ZeroDivisionError, match=r"^of my own$") as caught:
        measured(tmp_path, Tired())
    assert isinstance(caught.value.__cause__, KeyError)
    assert "test_objects.py" in traceback.format_tb(caught.value.__traceback__)[-1]
    kept = mark(tmp_path)
    assert kept
    measured(tmp_path, Both())
    assert marked(tmp_path) == kept


def test_objects_that_cannot_be_hashed_are_measured_once_each(tmp_path):
    class Unhashable(Both):
        __hash__ = None

    model = Unhashable()
    assert not measured(tmp_path, model, model).empty
    with pytest.raises(InputError, match="two models are called 'sevens'; give one of them another name"):
        measured(tmp_path, model, Unhashable())


def test_an_object_is_not_measured_on_a_cluster(tmp_path):
    with pytest.raises(
        InputError, match="'sevens' is an object of this process and is measured in it; leave"
    ):
        run("even-6", [Both()], out=tmp_path / "run", executor=Ray("nowhere"))


SCRIPT = """
import numpy as np
from sampler_bench import Response, run

class MyModel:
    name, can = "my-model", {"laws", "samples"}

    def describe(self):
        return {"identity": "written in a script"}

    async def conditionals(self, prompt, prefixes, trace=""):
        return np.array([[0.0] * 10 + [1.0] if len(u) == 6 else [0.1] * 10 + [0.0] for u in prefixes])

    async def sample(self, prompt, size, seed, options):
        return [Response(str(number)) for number in np.random.default_rng(seed).integers(10**6, size=size)]

run("even-6", models=[MyModel()], out="run")
"""


def test_a_script_measures_its_own_model(cli, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert cli("leaderboard", "run").returncode == 0
    board = pd.read_csv(tmp_path / "run" / "leaderboard.csv").set_index(["model", "arm"])
    assert board.loc[("my-model", "direct"), "skill"] < 0.1
    assert 0 < board.loc[("my-model", "direct"), "validity"] < 1
