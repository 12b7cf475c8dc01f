"""Logs of inspect_ai as runs of ours: the same records as our own run makes, and what is refused."""

import json
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("inspect_ai")

from inspect_ai.log import read_eval_log, write_eval_log
from inspect_ai.model import get_model

from sampler_bench import run, runs
from sampler_bench.cli import answer
from sampler_bench.errors import InputError, StoreError
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.plugins.inspect_logs import import_log
from tests.models.fake_server import fake_server
from tests.plugins.conftest import INSPECTS_OWN, KEY, as_chat_server, mocked

pytestmark = INSPECTS_OWN

PLACE = [
    "paraphrase",
    "blind",
    "number_id",
    "position",
    "prefix",
    "weight",
    "task",
    "arm",
    "model",
    "decoder",
]


@pytest.fixture(scope="module")
def server():
    """One, for inspect_ai keeps the URL of a served model as long as the process lives."""
    with fake_server() as running:
        yield as_chat_server(running)


def served(server, provider="vllm"):
    return get_model(f"{provider}/fake", base_url=f"{server.url}/v1", api_key=KEY, memoize=False)


def path_of(log) -> Path:
    return Path(log.location)


def drawing(seed=0):
    rng = np.random.default_rng(seed)
    return mocked(lambda *_: "none" if rng.random() < 0.2 else f"It is {rng.integers(100_000, 10**6)}")


def test_an_imported_log_has_the_validity_that_pandas_finds_in_it(evaluated, tmp_path):
    log = evaluated(drawing(), suite="even-6", samples=20)
    found = import_log(path_of(log), tmp_path / "run")
    rows = pd.DataFrame(
        [(s.metadata["wording"], s.output.completion) for s in log.samples if s.scores],
        columns=["wording", "text"],
    )
    rows["number"] = rows["text"].str.extract(r"([0-9]+)")[0].astype(float)
    share = (rows["number"] % 2 == 0).mean()
    scores = found.scores.set_index(["task", "metric"])
    assert scores.loc[("even-6", "validity"), "value"] == pytest.approx(share)
    assert scores.loc[("even-6", "answered"), "value"] == pytest.approx(rows["number"].notna().mean())
    by_wording = (rows["number"] % 2 == 0).groupby(rows["wording"]).mean()
    assert scores.loc[("even-6", "validity"), "paraphrase_low"] == pytest.approx(by_wording.min())
    assert sorted(found.samples["text"]) == sorted(rows["text"])
    assert found.samples["completion_tokens"].eq(7).all()
    told = {name: metric.value for name, metric in log.results.scores[0].metrics.items()}
    for metric in ("leading-digit", "last-digit", "duplicates"):
        assert told[f"{metric} p even-6"] == scores.loc[("even-6", metric), "p_adjusted"]


@pytest.mark.parametrize(("arm", "provider"), [("direct", "vllm"), ("few-shot", "vllm-completions")])
def test_laws_and_responses_are_those_of_our_own_run(server, evaluated, tmp_path, arm, provider):
    log = evaluated(served(server, provider), suite="twin-primes-3", arm=arm, numbers=4, samples=8)
    assert log.status == "success", log.error
    options = ServerOptions(base_urls=[server.url], api_key=KEY)
    own = run("twin-primes-3", ["fake"], [arm], out=tmp_path / "own", numbers=4, samples=8, server=options)
    found = import_log(path_of(log), tmp_path / "run")
    pd.testing.assert_frame_equal(own.conditionals[PLACE], found.conditionals[PLACE])
    for law in ("p", "q"):
        here, there = np.stack(own.conditionals[law]), np.stack(found.conditionals[law])
        assert np.abs(here - there).max() < 1e-12
    pd.testing.assert_frame_equal(own.samples.drop(columns="seconds"), found.samples.drop(columns="seconds"))
    told = {name: each.value for score in log.results.scores for name, each in score.metrics.items()}
    overall = own.scores.query("task == '(overall)'").set_index("metric")
    for metric in ("skill", "uptake"):
        assert told[metric] == pytest.approx(overall.loc[metric, "value"])
        assert told[f"{metric} low"] == pytest.approx(overall.loc[metric, "low"])
    assert found.manifest.models["fake"]["probe"] == own.manifest.models["fake"]["probe"]
    with zipfile.ZipFile(log.location) as archive:
        assert len(archive.namelist()) > 3
        assert not any(KEY.encode() in archive.read(name) for name in archive.namelist())


def test_a_log_without_laws_becomes_a_run_without(server, evaluated, tmp_path):
    server.requests.clear()
    log = evaluated(served(server), suite="even-6", laws=False, samples=4)
    assert [score.name for score in log.results.scores] == ["answers"]
    assert import_log(path_of(log), tmp_path / "run").conditionals.empty
    assert not [body for path, body in server.requests if path == "/v1/completions"]


def test_arms_with_traces_are_asked_and_read_without_their_laws(evaluated, tmp_path):
    log = evaluated(mocked(lambda *_: "2, so\nAnswer: 123456"), suite="even-6", arm="cot", samples=3)
    found = import_log(path_of(log), tmp_path / "run")
    assert set(found.samples["answer"]) == {"123456"}
    assert len(found.samples) == 3 * 4  # four traces in each wording, as in our own runs
    assert found.conditionals.empty


def test_several_logs_make_one_run_for_the_leaderboard(evaluated, tmp_path, capsys):
    for seed, arm in enumerate(["direct", "given-seed"]):
        log = evaluated(drawing(seed), suite="even-6", arm=arm, samples=6)
        assert answer(["import", log.location, "--out", str(tmp_path / "run"), "--quiet"]) == 0
    assert "given-seed" in capsys.readouterr().out
    found = runs.read(tmp_path / "run")
    assert set(found.samples["arm"]) == {"direct", "given-seed"}
    assert found.manifest.models["mockllm/model"]["identity"] == "mockllm/model"
    with pytest.raises(InputError, match="already; choose another --out"):
        import_log(path_of(log), tmp_path / "run")
    other = evaluated(drawing(), suite="even-6", samples=7)
    with pytest.raises(StoreError, match="another settings"):
        import_log(path_of(other), tmp_path / "run")


def test_a_log_that_is_not_whole_is_refused(evaluated, tmp_path):
    log = evaluated(drawing(), suite="even-6", samples=6, limit=1)
    with pytest.raises(InputError, match="lacks 4 responses"):
        import_log(path_of(log), tmp_path / "run")


def test_a_log_that_was_edited_is_refused(evaluated, tmp_path):
    log = read_eval_log(evaluated(drawing(), suite="even-6", samples=3).location)
    log.samples[0].output.choices[0].message.content = "It is 100000"
    log.samples[0].output.completion = "It is 100000"
    write_eval_log(log, str(tmp_path / "edited.eval"))
    with pytest.raises(InputError, match="judges the response 1"):
        import_log(tmp_path / "edited.eval", tmp_path / "run")


def test_what_is_no_log_of_ours_is_one_sentence(tmp_path, capsys):
    import inspect_ai
    from inspect_ai.dataset import Sample

    (other,) = inspect_ai.eval(
        inspect_ai.Task([Sample("hi")]),
        model=mocked(lambda *_: "hi"),
        display="none",
        log_dir=str(tmp_path / "others"),
    )
    (tmp_path / "text.eval").write_text("no archive")
    (tmp_path / "text.json").write_text(json.dumps({"a": 1}))
    with zipfile.ZipFile(tmp_path / "empty.eval", "w") as archive:
        archive.writestr("x", "y")
    for path in (
        other.location,
        tmp_path / "text.eval",
        tmp_path / "text.json",
        tmp_path / "empty.eval",
        tmp_path,
    ):
        assert answer(["import", str(path), "--out", str(tmp_path / "run")]) == 2
        said = capsys.readouterr().err
        assert re.fullmatch(r"error: [^\n]+\n", said), said
    assert not (tmp_path / "run").exists()
