"""Servers of a model that declares a context of 131,072 tokens, more than the usual memory holds."""

import httpx
import pytest

from sampler_bench.errors import ServerError
from sampler_bench.models.finding import find_model
from sampler_bench.models.server_options import ServerOptions
from tests.conftest import KV_SPACE, MULTIPROCESSING
from tests.vllm import checkpoints

pytestmark = pytest.mark.vllm
DECLARED = 131072


def deep(config):
    """Keys and values of 20 KiB a token: 2.5 GiB for the whole context."""
    config.num_hidden_layers = 40
    return checkpoints.random_model(config)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("deep") / "tiny-deep"
    return checkpoints.save(path, checkpoints.single_digits(), deep, context=DECLARED)


@pytest.mark.parametrize(("arguments", "served"), [([], 8192), ([f"--max-model-len={DECLARED}"], DECLARED)])
def test_it_starts_with_the_usual_context_and_with_all_of_it_where_that_is_asked_for(
    folder, arguments, served, monkeypatch
):
    for variable in (KV_SPACE, MULTIPROCESSING):  # as people start it
        monkeypatch.delenv(variable, raising=False)
    with find_model(str(folder), ServerOptions(vllm_args=arguments)).serve(print) as server:
        (model,) = httpx.get(f"{server.base_url}/v1/models").json()["data"]
    assert model["max_model_len"] == served


def test_what_kills_a_server_is_told_first(folder, monkeypatch):
    monkeypatch.setenv(KV_SPACE, "1")
    source = find_model(str(folder), ServerOptions(vllm_args=[f"--max-model-len={DECLARED}"]))
    with pytest.raises(ServerError) as died, source.serve(print):
        pass
    said = str(died.value)
    assert said.startswith("the vLLM server ended with code 1: ValueError: To serve at least one request")
    assert "Traceback" not in said
    assert "(its log: " in said
