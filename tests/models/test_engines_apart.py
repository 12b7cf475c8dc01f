"""Servers taken for what they are: vLLM with its laws, or a chat API of which answers are had alone."""

import asyncio
import json

import pytest

from sampler_bench import run
from sampler_bench.errors import InputError, ServerError, StoreError
from sampler_bench.models.finding import find_model
from sampler_bench.models.model import Prompt
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.runs.manifest import read_manifest, write_manifest
from sampler_bench.tasks import Arm, Catalog
from tests.models.fake_chat import MODEL, chat_api
from tests.models.fake_server import fake_server, send

HINT = "if it is a chat API and no vLLM server, --samples-only asks it for answers alone"


@pytest.fixture
def server():
    with fake_server() as running:
        running.model = MODEL
        yield running


def measure(url, out, arm="direct", **options):
    server = ServerOptions(base_urls=[url], **options)
    return run("even-6", [MODEL], [arm], out=out, server=server, numbers=2, samples=2, control=False)


def test_a_row_is_not_made_of_laws_and_of_a_chat_api(server, tmp_path):
    measure(server.url, tmp_path / "laws")
    with pytest.raises(StoreError, match=r"was measured with its laws .* server without --samples-only"):
        measure(server.url, tmp_path / "laws", "batch", samples_only=True)
    with chat_api() as api:
        measure(api.url, tmp_path / "answers")
    with pytest.raises(StoreError, match=r"was measured for answers alone .* server with --samples-only"):
        measure(server.url, tmp_path / "answers", "batch")


def test_the_same_weights_are_believed_if_they_answer_the_same_and_not_if_otherwise(server, tmp_path):
    folder = tmp_path / "run"
    measure(server.url, folder)
    manifest, _ = read_manifest(folder)
    entry = manifest.models[MODEL]
    del entry["base_urls"]  # as if it had been served from its weights here
    entry["identity"] = "sha256:123"
    write_manifest(folder, manifest)

    def go_on(**options):
        return run("even-6", [MODEL], ["direct", "few-shot"], out=folder, numbers=2, samples=2, control=False,
                   server=ServerOptions(base_urls=[server.url], **options))  # fmt: skip

    with pytest.raises(StoreError, match="say --same-weights if they are the same"):
        go_on()
    server.weights = 1
    with pytest.raises(StoreError, match="was measured with other weights behind the name"):
        go_on(same_weights=True)
    server.weights = 0
    assert go_on(same_weights=True).manifest.models[MODEL]["identity"] == "sha256:123"


def test_of_a_chat_api_that_is_found_out_no_weights_are_compared(tmp_path):
    with chat_api() as api, pytest.raises(InputError, match="of a chat API nothing can be asked"):
        measure(api.url, tmp_path / "run", same_weights=True)


def no_token_ids(handler):
    choice = {"text": "7", "finish_reason": "length", "logprobs": {"top_logprobs": [{" 7": -0.1}]}}
    usage = {"prompt_tokens": 1, "completion_tokens": 1}
    send(handler, json.dumps({"choices": [choice], "usage": usage}).encode())


@pytest.mark.parametrize(
    ("path", "response", "sentence"),
    [
        ("/v1/completions", no_token_ids, "does not return the log-probabilities asked for"),
        ("/tokenize", lambda handler: send(handler, b"{}", 404), "/tokenize answered 404"),
        ("/version", lambda handler: send(handler, b"{}", 500), "/version answered 500"),
        ("/version", lambda handler: send(handler, b"{}", 401), "it asks for a key: set VLLM_API_KEY"),
    ],
)
def test_a_server_that_is_no_vllm_after_all_is_told_how_else_it_can_be_asked(
    server, tmp_path, monkeypatch, path, response, sentence
):
    monkeypatch.delenv("VLLM_API_KEY", raising=False)
    server.respond = lambda asked, handler: asked == path and not response(handler)
    with pytest.raises(ServerError) as refused:
        measure(server.url, tmp_path / "run")
    assert sentence in str(refused.value)
    assert HINT in str(refused.value)


def test_the_same_words_with_another_switch_of_thinking_are_another_prompt(server):
    right = server.answer

    def rendered(path, body):
        if path == "/tokenize" and "messages" in body:
            told = body.get("chat_template_kwargs", {})
            words = "".join(message["content"] for message in body["messages"])
            return {"tokens": [*map(ord, words), int(told.get("enable_thinking", True))]}
        return right(path, body)

    server.answer = rendered
    plain = Catalog().arm("direct")
    thinking = Arm.model_validate(
        plain.model_dump()
        | {
            "budgets": [8],
            "thinking_end": "</think>",
            "lead": "</think>",
            "conditionals": "trace",
            "traces": 2,
        }
    )
    task = Catalog().task("even-6")
    prompts = [Prompt(task, arm, arm.paraphrases[0]) for arm in (plain, thinking, plain)]
    assert len({prompt.hash for prompt in prompts}) == 1

    async def ended():
        with find_model(MODEL, ServerOptions(base_urls=[server.url])).open(lambda _: None) as entering:
            async with entering as model:
                return [(await model._prompts.ids(prompt))[-1] for prompt in prompts]

    assert asyncio.run(ended()) == [0, 1, 0]
