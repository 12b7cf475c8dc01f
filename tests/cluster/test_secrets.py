"""A key on its way to replicas and workers: in no file of Ray's, and in no process's arguments."""

import os
import subprocess
import tempfile
from pathlib import Path

from tests.conftest import COMMAND, SECRET
from tests.models.fake_vllm import LOOKED, SEEN, install
from tests.test_secrets import files_with, model_folder


def test_ray_is_not_told_the_key_that_its_workers_use(tmp_path):
    """The replica asks for the key, and is measured by workers that send it; vLLM is a fake."""
    model_folder(tmp_path)
    with tempfile.TemporaryDirectory(
        prefix="ray-", dir="/tmp"
    ) as session:  # short: paths of sockets are limited
        environment = dict(os.environ, PYTHONPATH=install(tmp_path / "path"), VLLM_API_KEY=SECRET)
        environment |= {"SAMPLER_BENCH_CACHE": str(tmp_path / "cache"), "RAY_TMPDIR": session}
        arguments = ["run", "even-6", "--model", "my-model", "--arm", "direct", "--ray", "local"]
        size = ["--numbers", "2", "--samples", "3", "--out", "run"]
        done = subprocess.run(
            [COMMAND, *arguments, *size],
            capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=400, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert files_with("my-model", Path(session))  # so Ray does write what it is told
        assert files_with(SECRET, Path(session)) == []
    log = next((tmp_path / "cache" / "logs").glob("*.log")).read_text()
    assert LOOKED in log
    assert SEEN not in log
    assert SECRET not in done.stdout + done.stderr
    assert files_with(SECRET, tmp_path) == []
