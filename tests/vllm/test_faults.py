"""Whole runs against a real server while things fail: nothing is lost, nothing is done twice."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from sampler_bench.runs.store import RunFolder
from tests.conftest import COMMAND
from tests.processes import engine_of, finish, mark, marked, parts, units, wait_for_parts
from tests.vllm.proxy import proxy

pytestmark = [pytest.mark.vllm, pytest.mark.usefixtures("key"), pytest.mark.timeout(900)]
RUN = ["run", "twin-primes-4", "--model", "smollm2-135m", "--numbers", "8", "--samples", "24"]
ARMS = ["--arm", "direct", "--arm", "batch"]
UNITS = 3 * 5  # a paraphrase: 8 numbers, 8 blind, 8 responses; batch: 2 numbers, 4 responses
NOISY = ("q", "q_by_trace", "ess", "seconds", "p", "prompt_hash")  # columns that need not be the same


@pytest.fixture
def start(start):
    """Start the run of this module into a folder."""
    return lambda folder, *arguments: start(*RUN, *ARMS, "--out", folder, *arguments)


def assert_same_records(folder: Path, other: Path) -> None:
    """The same units, each once, the same numbers, seeds and truth; q to the noise of batching."""
    assert units(folder) == units(other)
    assert len(units(folder)) == UNITS
    for kind, key in (
        ("conditionals", ["arm", "paraphrase", "blind", "number_id", "position"]),
        ("samples", ["arm", "sample_id"]),
    ):
        found, expected = RunFolder(folder).read(kind), RunFolder(other).read(kind)
        assert not found.duplicated(key).any()
        timeless = [column for column in found if column not in NOISY]
        pd.testing.assert_frame_equal(found[timeless], expected[timeless])
        if kind == "conditionals":
            difference = abs(pd.DataFrame(found["q"].tolist()) - pd.DataFrame(expected["q"].tolist()))
            assert difference.max(axis=None) < 1e-4
    scores = [pd.read_csv(path / "scores.csv").query("metric != 'seconds'") for path in (folder, other)]
    pd.testing.assert_frame_equal(*scores, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def undisturbed(server, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    command = [COMMAND, *RUN, *ARMS, "--out", folder, "--base-url", server.base_url]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(("blow", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_run_cut_short_goes_on_to_the_same_records(start, server, undisturbed, tmp_path, blow, code):
    folder = tmp_path / "run"
    process = start(folder, "--base-url", server.base_url)
    wait_for_parts(process, folder, 2)
    process.send_signal(blow)
    if blow == signal.SIGINT:  # a person in a hurry
        time.sleep(0.05)
        process.send_signal(blow)
    said = finish(process, code)
    assert blow == signal.SIGKILL or "what was measured is kept" in said
    kept = mark(folder)
    assert 2 <= len(kept) < UNITS
    finish(start(folder, "--base-url", server.base_url))
    assert marked(folder) == kept  # no unit done twice
    assert_same_records(folder, undisturbed)


def test_connections_cut_overload_and_silence_are_tried_again(start, server, undisturbed, tmp_path):
    with proxy(server.base_url) as between:
        between.faults = ["pass"] * 9 + ["cut", "503", "pass", "cut", "pass", "hang", "503", "pass"] * 2
        finish(start(tmp_path / "run", "--base-url", between.url, "--timeout", "15"))
        assert between.injected == 10
    assert_same_records(tmp_path / "run", undisturbed)


def test_one_of_two_servers_dies_and_the_other_does_the_rest(start, server, undisturbed, tmp_path):
    folder = tmp_path / "run"
    with proxy(server.base_url) as one, proxy(server.base_url) as other:
        process = start(folder, "--base-url", one.url, "--base-url", other.url)
        wait_for_parts(process, folder, 2)
        assert one.served > 0
        assert other.served > 0
        other.dead = True
        said = finish(process)
        assert f"going on without {other.url}" in said
    assert_same_records(folder, undisturbed)


def test_a_server_that_is_not_there_is_left_out_from_the_start(server, undisturbed, cli):
    nowhere = "http://127.0.0.1:9"
    done = cli(*RUN, *ARMS, "--out", undisturbed, "--base-url", nowhere, "--base-url", server.base_url)
    assert done.returncode == 0
    fresh = cli("run", "even-6", "--model", "smollm2-135m", "--arm", "direct", "--numbers", 1, "--samples", 3,
                "--base-url", nowhere, "--base-url", server.base_url)  # fmt: skip
    assert fresh.returncode == 0, fresh.stderr
    assert f"going on without {nowhere}" in fresh.stderr


def test_a_server_that_dies_for_good_ends_the_run_in_a_sentence(start, server, tmp_path):
    folder = tmp_path / "run"
    with proxy(server.base_url) as between:
        process = start(folder, "--base-url", between.url)
        wait_for_parts(process, folder, 2)
        between.dead = True
        said = finish(process, 2)
    assert f"error: no connection to {between.url}" in said
    assert 2 <= len(parts(folder)) < UNITS


def test_a_server_started_here_is_killed_and_hangs_and_is_started_again(start, undisturbed, tmp_path):
    """Faults: kill -9 of the engine, then an engine that hangs, while the run goes on."""
    folder = tmp_path / "run"
    process = start(folder, "--timeout", "20")
    wait_for_parts(process, folder, 1)
    killed = engine_of(process.pid)
    os.kill(killed, signal.SIGKILL)
    restarted = engine_of(process.pid, other_than=killed)
    wait_for_parts(process, folder, len(parts(folder)) + 1)
    os.kill(restarted, signal.SIGSTOP)
    said = finish(process)
    assert "starting vLLM again (1 of 3)" in said
    assert "starting vLLM again (2 of 3)" in said
    assert_same_records(folder, undisturbed)


FILL_THE_DISK = """
import resource, sys
from sampler_bench.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))
main()
"""


def test_a_disk_that_fills_ends_the_run_in_a_sentence_and_room_lets_it_go_on(
    start, server, undisturbed, cli, tmp_path
):
    """A limit on file size stands for the full disk: the larger parts no longer fit."""
    folder = tmp_path / "run"
    assert cli(*RUN, "--arm", "batch", "--out", folder, "--base-url", server.base_url).returncode == 0
    written = units(folder)
    arguments = [*RUN, *ARMS, "--out", str(folder), "--base-url", server.base_url, "--quiet"]
    full = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, *arguments], capture_output=True, text=True, check=False
    )
    assert full.returncode == 2
    assert full.stderr.startswith("error: cannot write ")
    assert full.stderr.count("\n") == 1
    kept = mark(folder)
    assert units(folder) == written | kept
    assert len(written | kept) < UNITS
    finish(start(folder, "--base-url", server.base_url))
    assert marked(folder) == kept  # no unit done twice
    assert_same_records(folder, undisturbed)


def without_logprobs(answer: dict) -> dict:
    answer["choices"][0]["logprobs"] = None
    return answer


def not_a_number(answer: dict) -> dict:
    for told in (answer["choices"][0]["logprobs"] or {}).get("top_logprobs", []):
        told.update(dict.fromkeys(told, float("nan")))
    return answer


@pytest.mark.parametrize(
    ("lie", "sentence"),
    [
        (without_logprobs, "does not return the log-probabilities asked for"),
        (not_a_number, "should be a number, at most 0, and is nan"),
    ],
)
def test_a_server_that_lies_is_refused_in_a_sentence(server, cli, lie, sentence):
    with proxy(server.base_url) as between:
        between.mangle = lie
        refused = cli("run", "even-6", "--model", "smollm2-135m", "--base-url", between.url)
    assert refused.returncode == 2
    assert sentence in refused.stderr
    assert refused.stderr.count("error:") == 1


def other_weights(answer: dict) -> dict:
    """Every probability halved: another model behind the same name."""
    for told in (answer["choices"][0]["logprobs"] or {}).get("top_logprobs", []):
        told.update({token: logprob - 0.7 for token, logprob in told.items()})
    return answer


def test_other_weights_behind_the_same_name_are_not_mixed_in(server, undisturbed, cli):
    size = ["--numbers", 8, "--samples", 24]
    with proxy(server.base_url) as between:
        between.mangle = other_weights
        beside = cli("run", "even-6", "--model", "smollm2-135m", "--base-url", server.base_url,
                     "--base-url", between.url)  # fmt: skip
        later = cli("run", "twin-primes-4", "--model", "smollm2-135m", *size, "--arm", "few-shot",
                    "--out", undisturbed, "--base-url", between.url)  # fmt: skip
    assert beside.returncode == later.returncode == 2
    assert "do not hold the same weights behind 'smollm2-135m'" in beside.stderr
    assert "was measured with other weights behind the name 'smollm2-135m'" in later.stderr


def test_an_arm_whose_rule_never_fits_is_named_and_marked(server, cli, tmp_path):
    (tmp_path / "mine" / "arms").mkdir(parents=True)
    (tmp_path / "mine" / "arms" / "odd.toml").write_text(
        'title = "t"\nconditionals = "none"\ntokens = 4\nanswer = "NEVER(0)"\ntake = "first"\n'
        '[[paraphrases]]\nname = "only"\nmessages = [{ role = "user", content = "A {phrase}." }]\n'
    )
    done = cli("run", "even-6", "--model", "smollm2-135m", "--tasks", "mine", "--arm", "odd", "--samples", 5,
               "--base-url", server.base_url)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "smollm2-135m, arm odd: no answer was found in any response" in done.stderr
    assert "odd †" in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines() if "written" not in line)


def test_every_response_is_kept_whatever_it_says(undisturbed):
    records = RunFolder(undisturbed).read("samples")
    assert Counter(records["arm"]) == {"direct": 24, "batch": 96}  # of batch, 4 traces a wording
    assert not records["valid"].all()
    assert (records["parse"] == "none").equals(records["answer"].isna())
