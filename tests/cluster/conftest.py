"""A Ray cluster of three nodes, and a bucket behind the S3 API, each in a process of its own."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}
BUCKET = "bench"


@dataclass
class RayCluster:
    """``address``: what ``--ray`` takes."""

    address: str
    process: subprocess.Popen

    def kill_a_node(self) -> None:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "killed\n"


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    command = [sys.executable, "-m", "tests.cluster.three_nodes"]
    environment = dict(os.environ, RAY_USAGE_STATS_ENABLED="0")
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield RayCluster(process.stdout.readline().strip(), process)
        process.stdin.close()


@pytest.fixture(scope="module")
def bucket(tmp_path_factory) -> Iterator[str]:
    """The URL of an empty bucket on this machine's loopback, served by moto."""
    log = tmp_path_factory.mktemp("moto") / "log"
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", "0"]
    with (
        log.open("w") as written,
        subprocess.Popen(command, stdout=written, stderr=written) as process,
        pytest.MonkeyPatch.context() as patch,
    ):
        while not (found := re.search(r"Running on (\S+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": found[1]}.items():
            patch.setenv(name, value)
        assert httpx.put(f"{found[1]}/{BUCKET}").status_code == 200
        yield f"s3://{BUCKET}"
        process.terminate()
