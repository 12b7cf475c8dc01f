"""Whole runs against a real server: killed in the middle, interrupted, and through the command line."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest

from sampler_bench.models import smollm2
from tests.conftest import COMMAND, SECRET

pytestmark = pytest.mark.vllm
SIZE = ["--numbers", 40, "--samples", 40]
MODEL = ["--model", "smollm2-135m"]


def parts(folder: Path) -> dict[str, int]:
    """The parts of a run, each with the time it was written."""
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.glob("*/*.parquet")}


def start(folder: Path, server) -> subprocess.Popen:
    arguments = ["run", "twin-primes-4", *MODEL, *SIZE, "--base-url", server.base_url, "--out", folder]
    return subprocess.Popen([COMMAND, *map(str, arguments)], stderr=subprocess.PIPE, text=True)


def wait_for_parts(folder: Path, count: int) -> None:
    deadline = time.monotonic() + 300
    while len(parts(folder)) < count:
        assert time.monotonic() < deadline, "no part was written in five minutes"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def undisturbed(server, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    process = start(folder, server)
    assert process.wait(600) == 0, process.stderr.read()
    process.stderr.close()
    return folder


@pytest.mark.parametrize(("blow", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_run_cut_short_goes_on_to_the_same_scores(server, undisturbed, tmp_path, blow, code):
    folder = tmp_path / "run"
    process = start(folder, server)
    wait_for_parts(folder, 2)
    process.send_signal(blow)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    if blow == signal.SIGINT:
        assert "what was measured is kept" in said
        assert "Traceback" not in said
    kept = parts(folder)
    assert 2 <= len(kept) < len(parts(undisturbed))

    again = start(folder, server)
    assert again.wait(600) == 0, again.stderr.read()
    again.stderr.close()
    finished = parts(folder)
    assert {name: finished[name] for name in kept} == kept  # no unit done twice
    assert finished.keys() == parts(undisturbed).keys()
    # vLLM promises no bitwise sameness between batches: floating-point noise is all that may differ.
    scores = [pd.read_csv(path / "scores.csv") for path in (folder, undisturbed)]
    pd.testing.assert_frame_equal(*scores, rtol=1e-4, atol=1e-5)


def test_the_command_line_measures_and_prints_a_leaderboard(undisturbed, cli):
    shown = cli("leaderboard", undisturbed)
    assert shown.returncode == 0
    assert "smollm2-135m" in shown.stdout
    assert all(len(line) <= 80 for line in shown.stdout.splitlines() if "written" not in line)
    scores = pd.read_csv(undisturbed / "scores.csv").set_index(["task", "arm", "metric"])["value"]
    content, information = (scores["twin-primes-4", "direct", m] for m in ("content", "information"))
    assert scores["twin-primes-4", "direct", "skill"] == pytest.approx(1 - content / information)
    stopping, kinds = scores["twin-primes-4", "direct", "stopping"], ("format", "stop")
    assert stopping == pytest.approx(sum(scores["twin-primes-4", "direct", kind] for kind in kinds))
    assert content > 0
    assert ("twin-primes-4", "cot", "content") not in scores.index


def test_a_server_with_a_key_is_closed_without_it_and_the_key_is_never_stored(server, undisturbed, cli):
    arguments = ["run", "even-6", *MODEL, "--base-url", server.base_url]
    refused = cli(*arguments, "--api-key", "wrong")
    assert refused.returncode == 2
    assert "answered 401" in refused.stderr
    assert "wrong" not in refused.stderr
    for path in undisturbed.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()


def test_an_arm_without_conditionals_is_measured_by_its_answers_alone(server, cli, tmp_path, monkeypatch):
    monkeypatch.setenv("VLLM_API_KEY", SECRET)
    done = cli("run", "even-6", *MODEL, "--arm", "cot", "--samples", 2, "--base-url", server.base_url)
    assert done.returncode == 0, done.stderr
    scores = pd.read_csv(tmp_path / "results" / "even-6" / "scores.csv")
    assert set(scores["metric"]) == {"validity", "answered"}
    assert set(pd.read_csv(tmp_path / "results" / "leaderboard.csv")["arm"]) == {"cot"}


def test_a_model_folder_is_served_measured_and_not_served_again(cli, tmp_path):
    shutil.copytree(smollm2.fetch(print), tmp_path / "my-model")
    arguments = ["run", "even-6", "--model", "my-model", "--numbers", 2, "--samples", 2]
    first = cli(*arguments)
    assert first.returncode == 0, first.stderr
    assert "vLLM is ready" in first.stderr
    (manifest,) = (tmp_path / "results").glob("*/manifest.json")
    model = json.loads(manifest.read_text())["models"]["my-model"]
    assert model["identity"].startswith("config-and-sizes:")
    assert model["realised"] == {"conditionals": 2 * 7, "samples": 2 * 2}
    assert model["server_version"]
    assert "--generation-config" in model["vllm_arguments"]
    again = cli(*arguments)
    assert again.returncode == 0
    assert "3 units, 3 done before" in again.stderr
    assert "vLLM" not in again.stderr
    assert again.stdout == first.stdout


def test_a_server_that_dies_while_starting_shows_the_end_of_its_log(cli):
    done = cli("run", "even-6", *MODEL, "--vllm-arg=--no-such-argument")
    assert done.returncode == 2
    assert "error: the vLLM server ended with code 2; the end of its log" in done.stderr
    assert "unrecognized arguments: --no-such-argument" in done.stderr
    assert "Traceback" not in done.stderr


def descendants(pid: int) -> set[int]:
    """Processes below a process, by /proc."""
    parent_of = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent_of[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, fresh = set(), {pid}
    while fresh:
        fresh = {child for child, parent in parent_of.items() if parent in fresh} - found
        found |= fresh
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_a_server_started_here_never_outlives_its_command(blow, tmp_path):
    process = subprocess.Popen(
        [COMMAND, "serve", "--port", "0"], stderr=subprocess.PIPE, text=True, env={**os.environ}, cwd=tmp_path
    )
    deadline = time.monotonic() + 120
    while len(started := descendants(process.pid)) < 2:  # the API server and its engine
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)
    process.send_signal(blow)
    _, said = process.communicate(timeout=60)
    assert "Traceback" not in said
    while any(map(alive, started)):
        assert time.monotonic() < deadline, "the server outlived its command"
        time.sleep(0.2)
