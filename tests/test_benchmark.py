"""Whole runs of the reference samplers: known scores, resuming, and what a run folder refuses."""

import asyncio
import json
import math
import signal

import pandas as pd
import pytest

from sampler_bench import load_task, run, runs
from sampler_bench.errors import InputError, StoreError
from sampler_bench.executor.ray_cluster import Ray
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.publish import rescore, write_leaderboard
from sampler_bench.report.leaderboard import markdown, tasks_of
from sampler_bench.runs.records import RECORDS
from sampler_bench.sealed import read_json, write_json
from sampler_bench.tasks import Catalog
from tests.processes import finish, mark, marked, parts, paused, wait_for_parts

REFERENCES = ["oracle", "uniform-digits", "feasible-uniform"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("references") / "run"
    run("quick", REFERENCES, out=out)
    return out


@pytest.fixture(scope="module")
def scores(folder) -> pd.Series:
    return pd.read_csv(folder / "scores.csv").set_index(["model", "task", "metric"])["value"]


@pytest.mark.parametrize("task", Catalog().suite("quick").tasks)
def test_the_oracle_has_content_0_and_uniform_digits_i_of_s(scores, task):
    assert abs(scores["oracle", task, "content"]) < 1e-12
    # I(S) = ln(9 10^(n-1) / |S|)
    target = load_task(task).target
    information = math.log(9 * 10 ** (target.digits - 1)) - math.log(target.count(""))
    assert abs(scores["uniform-digits", task, "content"] - information) < 1e-12
    for model in REFERENCES:
        assert abs(scores[model, task, "stopping"]) < 1e-12
    assert 0 <= scores["feasible-uniform", task, "content"] < information


def test_samples_of_the_oracle_are_valid_and_of_those_who_know_the_support_too(scores):
    for task in Catalog().suite("quick").tasks:
        assert scores["oracle", task, "validity"] == scores["feasible-uniform", task, "validity"] == 1
    assert scores["uniform-digits", "powers-of-3-100", "validity"] == 0


def test_the_conditionals_of_a_number_multiply_to_its_probability(folder):
    """The chain rule on the stored truth itself, which calibration does not touch."""
    records = runs.read(folder).conditionals.query("model == 'oracle'")
    for task, rows in records.groupby("task"):
        size = load_task(task).target.count("")
        for _, path in rows.groupby("number_id"):
            number = path["prefix"].iloc[-1]
            steps = zip(path["p"], number, strict=False)
            log_probability = sum(math.log(p[int(digit)]) for p, digit in steps)
            assert log_probability == pytest.approx(-math.log(size))


def test_the_folder_holds_what_is_documented(folder):
    names = {path.name for path in folder.iterdir()} - {".lock"}
    assert names == {
        *("manifest.json", "conditionals.parquet", "samples.parquet", "truths.parquet", "digits.png"),
        *("scores.csv", "scores.parquet", "curves.parquet"),
    }
    columns = (
        "suite,task,model,arm,decoder,metric,unit,value,low,high,paraphrase_low,paraphrase_high,n,"
        "floor,floor_low,floor_high,p,p_adjusted,like_oracle,calibrated"
    )
    assert (folder / "scores.csv").read_text().splitlines()[0] == columns
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["settings"] == {"seed": 0, "numbers": 16, "samples": 24}
    assert manifest["tasks"]["twin-primes-3"]["members"] == "54"
    plain = manifest["arms"]["direct"]["paraphrases"][0]
    assert plain["messages"][-1]["content"] == "A random {phrase}."
    assert manifest["models"]["oracle"]["realised"]["samples"] == 24 * 8
    assert manifest["sessions"][0]["packages"]["numpy"]


def test_running_again_measures_nothing_and_gives_the_same_bytes(folder):
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*.parquet") if path.stem in RECORDS}
    scores, manifest = (folder / "scores.csv").read_bytes(), (folder / "manifest.json").read_bytes()
    run("quick", REFERENCES, out=folder)
    assert {
        path: path.stat().st_mtime_ns for path in folder.glob("*.parquet") if path.stem in RECORDS
    } == before
    assert (folder / "scores.csv").read_bytes() == scores
    assert (folder / "manifest.json").read_bytes() == manifest


def test_scoring_the_same_records_again_gives_the_same_bytes(folder):
    names = ("scores.csv", "scores.parquet", "curves.parquet", "digits.png", "manifest.json")
    before = [(folder / name).read_bytes() for name in names]
    for name in names[:4]:
        (folder / name).unlink()
    rescore(folder)
    assert [(folder / name).read_bytes() for name in names] == before


def test_scores_of_another_version_are_refused_with_the_way_out(folder, tmp_path):
    older = pd.read_parquet(folder / "scores.parquet").drop(columns="like_oracle")
    older.to_parquet(tmp_path / "scores.parquet")
    with pytest.raises(StoreError, match="was scored by another version; `sampler-bench score"):
        write_leaderboard([tmp_path], tmp_path)


def test_a_run_of_another_schema_is_not_scored(folder, tmp_path):
    write_json(tmp_path / "manifest.json", read_json(folder / "manifest.json")[0] | {"schema_version": 1})
    with pytest.raises(StoreError, match="has records of schema 1; this version reads 2 and 3"):
        rescore(tmp_path)


def test_a_run_killed_in_the_middle_goes_on_to_the_same_bytes(folder, start, cli, tmp_path):
    out = tmp_path / "run"
    models = [argument for name in REFERENCES for argument in ("--model", name)]
    command = ["run", "quick", *models, "--out", out, "--quiet"]
    process = start(*command)
    wait_for_parts(process, out, 5)
    process.kill()
    process.wait()
    kept = mark(out)
    assert not (out / "scores.csv").exists()
    assert cli(*command).returncode == 0
    assert marked(out) == kept  # no unit done twice
    assert (out / "scores.csv").read_bytes() == (folder / "scores.csv").read_bytes()


def test_ctrl_c_ends_a_run_without_a_traceback_and_keeps_what_was_measured(start, tmp_path):
    process = start("run", "quick", "--model", "oracle", "--numbers", 400, "--out", "run")
    wait_for_parts(process, tmp_path / "run", 3)
    process.send_signal(signal.SIGINT)
    finish(process, 130)
    assert len(parts(tmp_path / "run")) >= 3
    assert not list(tmp_path.glob("run/*/.*"))  # no half-written part


def test_models_can_be_added_to_a_run(tmp_path):
    run("even-6", ["oracle"], out=tmp_path, numbers=8, samples=4)
    scores = run("even-6", ["uniform-digits"], out=tmp_path, numbers=8, samples=4).scores
    assert set(scores["model"]) == {"oracle", "uniform-digits"}


def test_a_folder_measured_otherwise_is_refused_and_kept(tmp_path):
    run("even-6", ["oracle"], out=tmp_path, numbers=8, samples=4)
    before = (tmp_path / "scores.csv").read_bytes()
    with pytest.raises(
        StoreError, match=r"another settings: .*'seed': 0.* there, .*'seed': 1.* here; choose"
    ):
        run("even-6", ["oracle"], out=tmp_path, numbers=8, samples=4, seed=1)
    with pytest.raises(StoreError, match="another suite"):
        run("twin-primes-3", ["oracle"], out=tmp_path, numbers=8, samples=4)
    assert (tmp_path / "scores.csv").read_bytes() == before


def test_a_changed_task_is_not_mixed_with_its_old_records(tmp_path):
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    text = 'title = "t"\nversion = 1\nphrase = "p"\n[target]\nfamily = "powers"\ndigits = 2\nbase = 2\n'
    (tasks / "mine.toml").write_text(text)
    run("mine", ["oracle"], out=tmp_path / "run", task_folders=[tasks], samples=2)
    (tasks / "mine.toml").write_text(text.replace("version = 1", "version = 2"))
    with pytest.raises(StoreError, match="another task 'mine'"):
        run("mine", ["oracle"], out=tmp_path / "run", task_folders=[tasks], samples=2)


def test_a_task_that_constrains_nothing_has_no_skill(tmp_path):
    text = 'title = "t"\nversion = 1\nphrase = "p"\n[target]\nfamily = "multiples"\ndigits = 3\nmodulus = 1\n'
    (tmp_path / "all.toml").write_text(text)
    scores = run("all", ["oracle"], out=tmp_path / "run", task_folders=[tmp_path], samples=2).scores
    values = scores.set_index(["task", "metric"])["value"]
    assert values["all", "information"] == values["all", "content"] == 0
    assert not {("all", "skill"), ("all", "skill-all"), ("all", "uptake")} & set(values.index)
    assert "| oracle | direct | – · 100% |" in markdown(write_leaderboard([tmp_path / "run"], tmp_path))


def test_two_runs_into_one_folder_at_once_are_refused(start, cli, tmp_path):
    command = ["run", "quick", "--model", "uniform-digits", "--out", "run"]
    first = start(*command)
    wait_for_parts(first, tmp_path / "run", 1)
    with paused(first):  # holds the folder for as long as it takes to look
        second = cli(*command)
    assert second.returncode == 2
    assert second.stderr.startswith("error: another run is writing to")
    finish(first)


def test_runs_whose_folders_have_the_same_name_stay_apart_on_the_leaderboard(tmp_path):
    folders = [tmp_path / part / "run" for part in ("a", "b")]
    for folder in folders:
        run("even-6", ["oracle"], out=folder, numbers=8, samples=4)
    board = write_leaderboard(folders, tmp_path)
    assert board.index.get_level_values("run").tolist() == list(map(str, folders))
    assert pd.read_csv(tmp_path / "leaderboard.csv")["skill"].tolist() == [1, 1]
    shown = (tmp_path / "leaderboard.md").read_text()
    assert "| oracle | direct | 1.00≈ · 1.00 · 100% | 1.00≈ · 1.00 · 100% |" in shown


def test_versions_of_a_task_stay_apart_on_the_leaderboard(tmp_path):
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    text = 'title = "t"\nversion = 1\nphrase = "p"\n[target]\nfamily = "powers"\ndigits = 2\nbase = 2\n'
    changed = [text, text.replace("version = 1", "version = 2"), text.replace('phrase = "p"', 'phrase = "q"')]
    for name, definition in zip(("one", "two", "three"), changed, strict=True):
        (tasks / "mine.toml").write_text(definition)
        run("mine", ["oracle"], out=tmp_path / "runs" / name, task_folders=[tasks], samples=2)
    board = write_leaderboard([tmp_path / "runs"], tmp_path / "board")
    tasks = [task for task in tasks_of(board) if task.startswith("mine")]
    assert len(tasks) == 3
    assert "mine v2" in tasks
    assert sum(name.startswith("mine v1 (") for name in tasks) == 2  # of one version, but not the same
    assert (board[[(task, "validity") for task in tasks]].notna().sum(axis=1) == 1).all()
    page = (tmp_path / "board" / "leaderboard.html").read_text()
    assert all(name in page for name in tasks)


def test_a_run_works_inside_a_running_event_loop_as_in_a_notebook(tmp_path):
    async def cell():
        return run("even-6", ["oracle"], out=tmp_path, numbers=8, samples=4)

    assert not asyncio.run(cell()).scores.empty


def test_a_run_without_models_is_refused(tmp_path):
    with pytest.raises(InputError, match="no model to measure"):
        run("even-6", [], out=tmp_path)


def test_a_keyword_that_is_none_is_refused_and_a_ceiling_on_a_cluster_too(tmp_path):
    with pytest.raises(TypeError, match="sample"):
        run("even-6", ["oracle"], out=tmp_path / "run", sample=3)
    ceiling = ServerOptions(max_tokens_total=5)
    with pytest.raises(InputError, match="--max-tokens-total is not kept on a cluster"):
        run("even-6", ["oracle"], out=tmp_path / "run", executor=Ray("local"), server=ceiling)
    assert not (tmp_path / "run").exists()
