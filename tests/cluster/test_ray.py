"""The same work on a Ray cluster of three nodes: the same bytes, whatever is killed in the middle."""

import json
import os
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from sampler_bench.executor.ray_cluster import AHEAD, Ray
from tests.cluster.three_nodes import NODES
from tests.conftest import COMMAND
from tests.processes import finish, mark, marked, processes_below, units, wait_for_parts

REFERENCES = ["oracle", "feasible-uniform", "uniform-digits", "sieve-5", "propose-and-check-64"]
RUN = ["run", "quick", *(word for name in REFERENCES for word in ("--model", name)), "--quiet"]
TABLE = ["table", "twin-primes", "--depth", "3", "--quiet"]
PARTS = "*.parts/*.parquet"  # of a table
SCORES = ["scores.csv", "scores.parquet", "curves.parquet"]


pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    """The run without Ray."""
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    subprocess.run([COMMAND, *RUN, "--out", folder], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> bytes:
    """Twin primes of 11 digits by their first 3, without Ray."""
    folder = tmp_path_factory.mktemp("table")
    subprocess.run([COMMAND, *TABLE, "--digits", "11", "--out", folder], check=True, capture_output=True)
    return (folder / "twin-primes-11-3.parquet").read_bytes()


def assert_same_scores(folder: Path, other: Path) -> None:
    for name in SCORES:
        assert (folder / name).read_bytes() == (other / name).read_bytes(), name
    assert units(folder) == units(other)


def test_a_ten_digit_table_has_the_same_bytes(cluster, cli, tmp_path):
    arguments = [*TABLE, "--digits", 10]
    assert cli(*arguments, "--out", "here").returncode == 0
    assert cli(*arguments, "--out", "there", "--ray", cluster.address).returncode == 0
    here, there = (tmp_path / place / "twin-primes-10-3.parquet" for place in ("here", "there"))
    assert here.read_bytes() == there.read_bytes()


def test_a_run_and_its_scores_have_the_same_bytes(cluster, cli, undisturbed, tmp_path):
    assert cli(*RUN, "--out", "run", "--ray", cluster.address).returncode == 0
    assert_same_scores(tmp_path / "run", undisturbed)
    for name in SCORES:
        (tmp_path / "run" / name).unlink()
    assert cli("score", "run", "--ray", cluster.address).returncode == 0
    assert_same_scores(tmp_path / "run", undisturbed)


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True), (True, True)])
def test_a_run_killed_in_one_place_goes_on_in_the_other(start, cluster, undisturbed, tmp_path, first, second):
    folder, on_cluster = tmp_path / "run", ["--ray", cluster.address]
    process = start(*RUN, "--out", folder, *(on_cluster if first else []))
    wait_for_parts(process, folder, 5)
    process.kill()
    process.communicate()
    kept = mark(folder)
    assert len(kept) < len(units(undisturbed))
    finish(start(*RUN, "--out", folder, *(on_cluster if second else [])))
    assert marked(folder) == kept  # no unit done twice
    assert_same_scores(folder, undisturbed)


def test_workers_and_the_driver_of_a_table_are_killed(start, cluster, table, tmp_path):
    arguments = [*TABLE, "--digits", 11, "--out", tmp_path, "--ray", cluster.address]
    process = start(*arguments)
    wait_for_parts(process, tmp_path, 5, PARTS)
    below = processes_below(cluster.process.pid)
    workers = [pid for pid, name in below.items() if name.startswith("ray::_apply")]
    assert workers
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    kept = wait_for_parts(process, tmp_path, 15, PARTS)
    process.kill()
    process.communicate()
    again = start(*arguments)
    now = wait_for_parts(again, tmp_path, len(kept) + 5, PARTS)
    assert {name: now[name] for name in kept} == kept
    finish(again)
    assert (tmp_path / "twin-primes-11-3.parquet").read_bytes() == table


def test_items_are_taken_as_there_is_room_for_them(cluster):
    counter = count()
    with Ray(cluster.address) as connected:
        results = connected.map(str, counter)
        for _ in range(50):
            number, text = next(results)
            assert text == str(number)
        assert next(counter) < 50 + AHEAD * NODES
        results.close()


@pytest.mark.parametrize(("command", "pattern"), [([*TABLE, "--digits", 11], PARTS), (RUN, "*/*.parquet")])
def test_interrupted_it_says_what_is_kept(start, cluster, tmp_path, command, pattern):
    process = start(*command, "--out", tmp_path, "--ray", cluster.address)
    wait_for_parts(process, tmp_path, 3, pattern)
    process.send_signal(signal.SIGINT)
    assert "the same command goes on from there" in finish(process, 130)


def test_a_mistake_is_one_sentence(cluster, cli):
    for arguments, sentence in (
        (["table", "twin-primes", "--digits", 9, "--depth", 2, "--out", "/proc/x"], "cannot write /proc/x"),
        (["run", "even-6", "--model", "sieve-5"], "sieve-5 is defined for none of the tasks"),
        (["score", "nowhere"], "nowhere holds no run"),
    ):
        done = cli(*arguments, "--ray", cluster.address)
        assert done.returncode == 2
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("cluster")
def test_auto_is_the_cluster_of_this_machine(cli):
    done = cli("run", "even-6", "--model", "oracle", "--ray", "auto")
    assert done.returncode == 0, done.stderr


def test_local_starts_a_cluster_for_the_time_of_the_command(cli):
    done = cli(*TABLE, "--digits", 9, "--out", "here", "--ray", "local")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("2984194 twin-primes of 9 digits")  # OEIS A007508: 3424506 - 440312


@pytest.mark.parametrize("address", ["127.0.0.1:9", "nonsense"])
def test_no_cluster_is_one_sentence(cli, address):
    done = cli("run", "even-6", "--model", "oracle", "--ray", address)
    assert done.returncode == 2
    assert f"no Ray cluster at '{address}'" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_the_option_nothing_of_ray_is_imported(tmp_path):
    program = """
import json, sys
from sampler_bench import run
run("even-6", ["oracle"], out=sys.argv[1])
print(json.dumps([name for name in sys.modules if name.partition(".")[0] in ("ray", "upath", "s3fs")]))
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    assert json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout) == []


def test_a_node_is_killed_in_the_middle(start, cluster, table, undisturbed, tmp_path):
    """Last: the cluster has two nodes afterwards, then one."""
    process = start(*TABLE, "--digits", 11, "--out", tmp_path, "--ray", cluster.address)
    wait_for_parts(process, tmp_path, 10, PARTS)
    cluster.kill_a_node()
    finish(process)
    assert (tmp_path / "twin-primes-11-3.parquet").read_bytes() == table
    folder = tmp_path / "run"
    process = start(*RUN, "--out", folder, "--ray", cluster.address)
    wait_for_parts(process, folder, 5)
    cluster.kill_a_node()
    finish(process)
    assert_same_scores(folder, undisturbed)
