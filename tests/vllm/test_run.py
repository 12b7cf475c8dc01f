"""Whole runs against a real server: killed in the middle, interrupted, and through the command line."""

import json
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from sampler_bench import runs
from sampler_bench.measure.forecast import tokens_of
from sampler_bench.models.model import Prompt
from sampler_bench.models.weights import smollm2
from sampler_bench.tasks import Catalog
from tests.conftest import COMMAND, SECRET
from tests.processes import engine_of, is_alive, processes_below, wait_until
from tests.vllm.proxy import proxy

pytestmark = [pytest.mark.vllm, pytest.mark.usefixtures("key")]
SIZE = ["--numbers", 8, "--samples", 6]
MODEL = ["--model", "smollm2-135m"]


@pytest.fixture(scope="module")
def folder(server, tmp_path_factory) -> Path:
    """A run of two arms on one task."""
    out = tmp_path_factory.mktemp("measured") / "run"
    arguments = ["run", "twin-primes-4", *MODEL, *SIZE, "--base-url", server.base_url, "--out", out]
    subprocess.run([COMMAND, *map(str, arguments)], check=True)
    return out


def test_the_command_line_measures_and_prints_a_leaderboard(folder, cli):
    shown = cli("leaderboard", folder)
    assert shown.returncode == 0
    assert "smollm2-135m" in shown.stdout
    assert all(len(line) <= 80 for line in shown.stdout.splitlines() if "written" not in line)
    scores = pd.read_csv(folder / "scores.csv").set_index(["task", "arm", "metric"])["value"]
    content, information = (scores["twin-primes-4", "direct", m] for m in ("content", "information"))
    assert scores["twin-primes-4", "direct", "skill-all"] == pytest.approx(1 - content / information)
    stopping, kinds = scores["twin-primes-4", "direct", "stopping"], ("format", "stop")
    assert stopping == pytest.approx(sum(scores["twin-primes-4", "direct", kind] for kind in kinds))
    assert content > 0
    assert scores["twin-primes-4", "cot", "content"] > 0


def test_a_server_with_a_key_is_closed_without_it_and_the_key_is_never_stored(server, folder, cli):
    arguments = ["run", "even-6", *MODEL, "--base-url", server.base_url]
    refused = cli(*arguments, "--api-key", "wrong")
    assert refused.returncode == 2
    assert "answered 401" in refused.stderr
    assert "wrong" not in refused.stderr
    for path in folder.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()


def test_every_wording_is_used_recorded_and_its_spread_stands_beside_the_score(folder):
    conditionals = runs.read(folder).conditionals
    names = conditionals.groupby("arm")["paraphrase"].unique().map(sorted).to_dict()
    assert names == {"direct": ["generator", "plain", "question"], "cot": ["question", "reason", "steps"]}
    scores = pd.read_csv(folder / "scores.csv").set_index(["task", "arm", "metric"])
    for arm in names:
        content = scores.loc[("twin-primes-4", arm, "content")]
        assert content["paraphrase_low"] < content["value"] < content["paraphrase_high"]


@pytest.mark.parametrize("arm", ["direct", "few-shot", "batch"])
def test_a_dry_run_says_how_much_is_asked(server, cli, arm):
    """Each answer once; of laws, what one pass tells, and digits beyond its top are asked for again."""
    with proxy(server.base_url) as between:
        between.lets_force = False
        arguments = ["run", "twin-primes-4", *MODEL, "--arm", arm, *SIZE, "--base-url", between.url]
        dry = cli(*arguments, "--dry-run")
        assert dry.returncode == 0, dry.stderr
        assert not between.asked
        done = cli(*arguments)
        assert done.returncode == 0, done.stderr
    assert dry.stdout.strip() in done.stderr
    probe = between.asked[0]  # what comes after the ten digits
    answers = [body for body in between.asked if "logprobs" not in body]
    laws = [body for body in between.asked if "logprobs" in body and body != probe]
    said = int(re.search(r"(\d+) requests", dry.stdout)[1])
    assert said <= len(answers) + len(laws) <= 1.2 * said + 1  # a look before


def test_a_vllm_server_is_asked_as_a_chat_api_if_told(server, cli, tmp_path):
    with proxy(server.base_url) as between:
        arguments = ["run", "even-6", *MODEL, "--arm", "direct", *SIZE, "--base-url", between.url]
        dry = cli(*arguments, "--samples-only", "--dry-run")
        done = cli(*arguments, "--samples-only", "--out", "run")
    assert done.returncode == 0, done.stderr
    found = runs.read(tmp_path / "run")
    assert found.conditionals.empty
    assert len(found.samples) == len(between.asked) == int(re.search(r"(\d+) requests", dry.stdout)[1])
    said = int(re.search(r"about ([\d,]+) tokens in", dry.stdout)[1].replace(",", ""))
    assert said == pytest.approx(found.samples["prompt_tokens"].sum(), rel=0.2)


def test_the_estimate_of_prompts_is_within_a_fifth(folder):
    records = runs.read(folder).samples
    catalog = Catalog()
    for name in ("direct", "cot"):
        arm, found = catalog.arm(name), records.query("arm == @name").groupby("paraphrase")["prompt_tokens"]
        prompts = [Prompt(catalog.task("twin-primes-4"), arm, paraphrase) for paraphrase in arm.paraphrases]
        estimated = sum(tokens_of(each) * found.count()[each.paraphrase.name] for each in prompts)
        assert estimated == pytest.approx(found.sum().sum(), rel=0.2)


def test_traces_are_what_the_model_wrote(folder):
    records = runs.read(folder).conditionals.query("arm == 'cot'")
    assert (records["traces"] == 4).all()  # in each of three paraphrases, however few answers are asked for
    assert records["ess"].between(1, 4 + 1e-9).all()
    assert (records.query("position == 0")["ess"] > 4 - 1e-9).all()


def test_a_model_folder_is_served_measured_and_not_served_again(cli, tmp_path):
    shutil.copytree(smollm2.fetch(print), tmp_path / "my-model")
    arguments = ["run", "even-6", "--model", "my-model", "--numbers", 2, "--samples", 2]
    first = cli(*arguments)
    assert first.returncode == 0, first.stderr
    assert "vLLM is ready" in first.stderr
    (manifest,) = (tmp_path / "results").glob("*/manifest.json")
    model = json.loads(manifest.read_text())["models"]["my-model"]
    assert model["identity"].startswith("contents:")
    assert model["realised"]["samples"] == 2 + 3 * 4  # direct, and cot with four traces in each wording
    assert model["server_version"]
    assert "--generation-config" in model["vllm_arguments"]
    again = cli(*arguments)
    assert again.returncode == 0
    assert " done before" in again.stderr
    assert "vLLM" not in again.stderr
    assert again.stdout == first.stdout


def test_a_server_that_dies_while_starting_is_told_by_its_cause(cli):
    done = cli("run", "even-6", *MODEL, "--vllm-arg=--no-such-argument")
    assert done.returncode == 2
    assert "error: the vLLM server ended with code 2: unrecognized arguments" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_a_server_started_here_never_outlives_its_command(blow, start):
    process = start("serve", "--port", 0)
    engine_of(process.pid)
    started = processes_below(process.pid)
    process.send_signal(blow)
    _, said = process.communicate()
    assert "Traceback" not in said
    wait_until(lambda: not any(map(is_alive, started)), "the server outlived its command")
