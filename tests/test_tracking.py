"""Scores go to the tracker that is installed, and a run without one says so."""

import sys
from types import ModuleType

import pytest

from sampler_bench import run
from sampler_bench.errors import StoreError
from sampler_bench.tracking import track, tracker


class Tracker(ModuleType):
    """Remembers what it was told."""

    def __init__(self, name: str):
        super().__init__(name)
        self.__spec__ = sys.__spec__
        self.experiments: list[dict] = []

    def init(self, **said):
        self.experiments.append(said)

    def log(self, scores):
        self.experiments[-1]["scores"] = scores

    def finish(self):
        self.experiments[-1]["finished"] = True


@pytest.fixture
def installed(monkeypatch):
    """Both, so that the first is taken."""
    made = {name: Tracker(name) for name in ("trackio", "wandb")}
    for name, module in made.items():
        monkeypatch.setitem(sys.modules, name, module)
    return made


def test_each_model_is_an_experiment_with_its_scores(installed, tmp_path):
    measured = run("twin-primes-3", ["oracle", "uniform-digits"], out=tmp_path, samples=8)
    assert track(measured, tracker()) == 2
    assert not installed["wandb"].experiments
    by_model = {each["config"]["model"]: each for each in installed["trackio"].experiments}
    assert all(each["finished"] and each["project"] == "sampler_bench" for each in by_model.values())
    assert by_model["oracle"]["scores"]["twin-primes-3/validity"] == 1
    scores = measured.scores.query("model == 'uniform-digits' and metric == 'content'").set_index("task")
    logged = by_model["uniform-digits"]["scores"]
    assert logged["twin-primes-3/content"] == scores.loc["twin-primes-3", "value"]
    assert logged["(overall)/skill"] == pytest.approx(0, abs=1e-9)
    assert by_model["oracle"]["config"]["seed"] == 0


def test_a_run_without_a_tracker_says_so(cli):
    shown = cli("run", "even-6", "--model", "oracle", "--numbers", "2", "--samples", "2", "--track")
    assert shown.returncode == 0
    assert "--track: neither trackio nor wandb is installed" in shown.stderr


def test_a_tracker_that_refuses_is_quoted_and_the_run_stays(installed, monkeypatch, tmp_path):
    measured = run("even-6", ["oracle"], out=tmp_path, numbers=2, samples=2)

    def refuse(**_):
        raise RuntimeError("not logged in")

    monkeypatch.setattr(installed["trackio"], "init", refuse)
    with pytest.raises(
        StoreError, match=f"did not take the scores: not logged in; the run at {tmp_path} has"
    ):
        track(measured, tracker())
    assert len(measured.scores)
