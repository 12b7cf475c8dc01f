"""A model served by replicas on the cluster, one request at a time so that batching changes no bit."""

import os
import signal
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import COMMAND
from tests.processes import (
    finish,
    is_alive,
    mark,
    marked,
    paused,
    processes_below,
    units,
    wait_for_parts,
    wait_until,
)

pytestmark = [pytest.mark.vllm, pytest.mark.usefixtures("key"), pytest.mark.timeout(900)]
EXACT = ["--vllm-arg=--max-num-seqs=1", "--vllm-arg=--no-enable-prefix-caching"]
RUN = ["run", "twin-primes-4", "--model", "smollm2-135m", "--arm", "direct", *EXACT]
RUN += ["--numbers", "4", "--samples", "6"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    """The run without Ray."""
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    subprocess.run([COMMAND, *RUN, "--out", folder], check=True, capture_output=True)
    return folder


def figures(run: Path) -> pd.DataFrame:
    """All scores but how long it took."""
    return pd.read_parquet(run / "scores.parquet").query("metric != 'seconds'").reset_index(drop=True)


def below(cluster, name: str) -> list[int]:
    """Processes of the cluster with this in their command line."""
    return [pid for pid, line in processes_below(cluster.process.pid).items() if name in line]


def test_replicas_are_killed_and_the_scores_are_those_of_one_server(cluster, start, undisturbed, tmp_path):
    """One loses its engine, the other is killed whole; Ray starts both again."""
    serving = start("serve", "--replicas", 2, *EXACT, "--ray", cluster.address)
    urls = serving.stdout.readline().split(" at ")[1].split(";")[0].split(", ")
    assert len(set(urls)) == 2
    folder = tmp_path / "run"
    process = start(*RUN, "--out", folder, "--ray", cluster.address)
    wait_for_parts(process, folder, 1)
    with paused(process):
        kept = mark(folder)
        engines, replicas = below(cluster, "EngineCore"), below(cluster, "ray::Replica")
        assert len(engines) == len(replicas) == 2
        os.kill(engines[0], signal.SIGKILL)
        (other,) = [pid for pid in replicas if engines[0] not in processes_below(pid)]
        os.kill(other, signal.SIGKILL)
    finish(process)
    assert len(kept) < len(units(folder))
    assert marked(folder) == kept  # no unit done twice
    assert units(folder) == units(undisturbed)
    pd.testing.assert_frame_equal(figures(folder), figures(undisturbed), check_exact=True)
    assert (folder / "curves.parquet").read_bytes() == (undisturbed / "curves.parquet").read_bytes()
    served = below(cluster, "EngineCore")
    serving.send_signal(signal.SIGINT)
    finish(serving, 130)
    wait_until(lambda: not any(map(is_alive, served)), "replicas outlived the command that started them")


def test_where_nothing_is_served_a_replica_is_started_for_the_run(cluster, cli, undisturbed):
    done = cli(*RUN, "--arm", "few-shot", "--out", undisturbed, "--ray", cluster.address)
    assert done.returncode == 0, done.stderr
    assert "starting 1 replica of smollm2-135m" in done.stderr
    assert "few-shot" in set(figures(undisturbed)["arm"])
    wait_until(lambda: not below(cluster, "EngineCore"), "the replica outlived the run")


def test_a_replica_that_cannot_start_is_a_sentence(cluster, cli):
    done = cli("serve", "--ray", cluster.address, "--vllm-arg=--no-such-argument")
    assert done.returncode == 2
    assert "unrecognized arguments: --no-such-argument" in done.stderr
    assert "Traceback" not in done.stderr


def test_servers_started_elsewhere_are_used(cluster, server, cli, tmp_path):
    few = ["--numbers", 2, "--samples", 3, "--base-url", server.base_url]
    done = cli("run", "even-6", "--model", "smollm2-135m", *few, "--out", "run", "--ray", cluster.address)
    assert done.returncode == 0, done.stderr
    assert {"direct", "cot"} <= set(figures(tmp_path / "run")["arm"])
