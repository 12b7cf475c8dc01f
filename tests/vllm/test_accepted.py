"""All that is sent to vLLM, and the flags that it is started with, against its own classes.

They are those of the version installed here, on a machine with a GPU too, so that a field or flag which that
version does not know is found without a server.
"""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from sampler_bench.api import run
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.models.serving.server import CPU_ARGUMENTS, FORCING, serving_arguments
from tests.models.fake_chat import MODEL as CHATTY
from tests.models.fake_chat import chat_api
from tests.models.fake_server import MODEL, fake_server
from tests.vllm.accepts import CLASSES

pytestmark = pytest.mark.vllm
ADAPTERS = "--enable-lora --max-lora-rank 16 --max-loras 1 --lora-target-modules q_proj --lora-modules a=/x"
PLACE = "--model m --served-model-name n --host 127.0.0.1 --port 1 --max-model-len 4096"


def sent(tmp_path) -> Iterator[tuple[str, dict]]:
    """Paths and bodies of whole runs under arms of every kind."""
    with fake_server() as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sampler_bench.measure.look.LITTLE", 2.0)  # so that the likeliest tokens are asked for
        options = ServerOptions(base_urls=[server.url], chat_template_kwargs={"enable_thinking": False})
        arms = ["direct", "few-shot", "batch", "reasoning-128"]
        run("even-6", [MODEL], arms, server=options, numbers=2, samples=3, out=tmp_path / "vllm",
            decoders=["ancestral", "ancestral:temperature=0.5,top_p=0.9,top_k=3"])  # fmt: skip
        yield from server.requests
    with chat_api() as api:
        options = ServerOptions(base_urls=[api.url], samples_only=True)
        run("even-6", [CHATTY], ["direct"], server=options, numbers=2, samples=3, out=tmp_path / "chat")
        yield from (("/v1/chat/completions", body) for body in api.asked)


def kind_of(path: str, body: dict) -> str:
    match path.rsplit("/", 1)[-1], "messages" in body:
        case "completions", chat:
            return "chat" if chat else "completion"
        case "tokenize", chat:
            return "tokenize chat" if chat else "tokenize text"
        case last, _:
            return last


def test_every_field_of_every_request_and_every_flag_is_known(tmp_path):
    requests = [(kind_of(path, body), body) for path, body in sent(tmp_path) if body]
    flags = [*PLACE.split(), *serving_arguments(ADAPTERS.split()), *CPU_ARGUMENTS, *FORCING]
    done = subprocess.run(
        [sys.executable, "-m", "tests.vllm.accepts"],
        input=json.dumps({"requests": requests, "flags": flags}), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["unknown"] == {kind: [] for kind in CLASSES}  # requests of all kinds were sent
    assert found["unknown flags"] == []
    assert found["flags"] == {"max_logprobs": -1, "generation_config": "vllm", "max_model_len": 4096}
