"""What is believed of a served model: its laws, its weights all through a run, how it begins a text."""

import asyncio
import math
import socket

import numpy as np
import pandas as pd
import pytest

from sampler_bench import run
from sampler_bench.errors import ServerError, StoreError
from sampler_bench.measure.bundles import Bundle, measure_bundle
from sampler_bench.measure.decoders import parse_decoder
from sampler_bench.measure.plan import Units
from sampler_bench.models.engines import digit_laws
from sampler_bench.models.engines.exchange import LostError, RefusedError
from sampler_bench.models.finding import find_model
from sampler_bench.models.model import Prompt
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.models.serving.server import VllmServer
from sampler_bench.models.weights import smollm2
from sampler_bench.remarks import excluding
from sampler_bench.runs.manifest import Settings
from sampler_bench.runs.store import RunFolder
from sampler_bench.tasks import Catalog
from tests.models.fake_server import DIGITS, MODEL, fake_server, send

TASK = Catalog().task("even-6")
NUMBER = "649214"
PREFIXES = [NUMBER[:k] for k in range(len(NUMBER) + 1)]


@pytest.fixture
def server():
    with fake_server() as running:
        yield running


@pytest.fixture(params=[0, 10**6], ids=["prefix by prefix", "in one pass"])
def _reading(request, monkeypatch):
    monkeypatch.setattr(digit_laws, "TOKENS_A_REQUEST", request.param)


def prompt(arm: str) -> Prompt:
    asked = Catalog().arm(arm)
    return Prompt(TASK, asked, asked.paraphrases[0])


def ask(server, question, say=lambda _: None):
    """The answer of a coroutine function given the connected model."""

    async def connected():
        with find_model(MODEL, ServerOptions(base_urls=[server.url])).open(say) as entering:
            async with entering as model:
                return await question(model)

    return asyncio.run(connected())


def of_completions(change):
    """Change the choice of every completion, after the first: the probe."""
    seen = []

    def changed(path, _, answer):
        if path == "/v1/completions":
            seen.append(path)
            if len(seen) > 1:
                change(answer["choices"][0])
        return answer

    return changed


def set_all(value: float):
    def change(choice):
        told = (choice["logprobs"] or {}).get("top_logprobs", [])
        for law in told:
            law.update(dict.fromkeys(law, value))
        for law in filter(None, choice.get("prompt_logprobs", [])):
            law.update({token: {"logprob": value} for token in law})

    return change


@pytest.mark.usefixtures("_reading")
@pytest.mark.parametrize(("each", "total"), [(0.9, 9), (0.101, 1.01)])
def test_ten_digits_that_sum_to_more_than_1_are_no_law(server, each, total):
    server.change = of_completions(set_all(math.log(each)))
    with pytest.raises(ServerError, match=r"probabilities that are none: .* sum to (\S+);") as refused:
        ask(server, lambda model: model.conditionals(prompt("direct"), PREFIXES))
    said = float(str(refused.value).split("sum to ")[1].split(";")[0])
    assert said == pytest.approx(total) or said == pytest.approx(total * 1.1)  # ten digits, or eleven symbols
    assert f"{server.url}/v1/completions" in str(refused.value)


@pytest.mark.usefixtures("_reading")
@pytest.mark.parametrize("floor", [-math.inf, -9999.0])
def test_a_digit_that_cannot_come_has_probability_0(server, floor):
    def change(choice):
        for law in (choice["logprobs"] or {}).get("top_logprobs", []):
            law["token_id:52"] = floor
        for law in filter(None, choice.get("prompt_logprobs", [])):
            law["52"]["logprob"] = floor

    server.change = of_completions(change)
    found = ask(server, lambda model: model.conditionals(prompt("direct"), PREFIXES))
    server.reset()
    right = ask(server, lambda model: model.conditionals(prompt("direct"), PREFIXES))
    assert (found[:, 4] == 0).all()
    np.testing.assert_allclose(np.delete(found, [4, 10], axis=1), np.delete(right, [4, 10], axis=1))
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_a_server_that_masks_all_digits_is_not_measured(server):
    masked = set_all(-9999.0)

    def change(path, _, answer):
        if path == "/v1/completions":
            masked(answer["choices"][0])
        return answer

    server.change = change
    with pytest.raises(ServerError, match="every digit has probability 0, as where tokens are masked"):
        ask(server, lambda model: model.conditionals(prompt("direct"), PREFIXES))


def test_what_an_infinite_content_means_is_said_of_served_models():
    rows = [("m", "content", math.inf), ("m", "skill", -math.inf), ("n", "content", 1.0)]
    rows += [("uniform-digits", "content", math.inf)]
    scores = pd.DataFrame(rows, columns=["model", "metric", "value"])
    lines = list(excluding(scores.assign(task="even-6", arm="direct", decoder="ancestral")))
    assert len(lines) == 1
    assert "m, arm direct, ancestral: content is infinite at even-6" in lines[0]


def test_half_a_surrogate_pair_is_stored_as_a_replacement(server):
    def change(choice):
        choice["text"] = "\ud83d7"

    server.change = of_completions(change)
    (response,) = ask(server, lambda model: model.sample(prompt("direct"), 1, 0))
    assert response.text == "\ufffd7"


# Weights

SIZE = {"numbers": 4, "samples": 6}


def measure(server, folder, **more):
    options = ServerOptions(base_urls=[server.url])
    return run("even-6", [MODEL], ["direct"], out=folder, server=options, **SIZE, **more)


def timeless(folder, kind: str) -> pd.DataFrame:
    return RunFolder(folder).read(kind).drop(columns="seconds", errors="ignore")


@pytest.mark.parametrize("after", [20, 46, 76])
def test_weights_that_change_in_the_middle_end_the_run_and_nothing_of_them_is_stored(
    server, tmp_path, monkeypatch, after
):
    monkeypatch.setattr("sampler_bench.measure.execute.UNITS_AT_ONCE", 1)
    measure(server, tmp_path / "undisturbed")
    server.reset()

    def change(path, body, answer):
        if len(server.requests) >= after:
            server.weights = 1
        return answer if path != "/v1/completions" else server.completion(body)

    server.change = change
    with pytest.raises(
        ServerError, match="holds other weights behind 'fake' than when this run began"
    ) as ended:
        measure(server, tmp_path / "run")
    assert server.url in str(ended.value)
    for kind, keys in (
        ("conditionals", ["paraphrase", "blind", "number_id", "position"]),
        ("samples", ["sample_id"]),
    ):
        kept, right = (timeless(tmp_path / name, kind) for name in ("run", "undisturbed"))
        assert len(kept) < len(right)
        expected = right.merge(kept[keys])
        pd.testing.assert_frame_equal(kept, expected)
    with pytest.raises(StoreError, match="measured with other weights"):
        measure(server, tmp_path / "run")
    server.reset()
    server.weights = 0
    measure(server, tmp_path / "run")
    for kind in ("conditionals", "samples"):
        found, right = (timeless(tmp_path / name, kind) for name in ("run", "undisturbed"))
        pd.testing.assert_frame_equal(found, right)


def test_a_worker_holds_servers_against_the_weights_that_the_run_began_with(server):
    first = ask(server, _probe)
    server.weights = 1
    (result, *_) = measure_bundle(bundle(server, first))
    assert "holds other weights" in str(result)
    assert not isinstance(result, LostError)


async def _probe(model):
    return model.probe


def bundle(server, probe) -> Bundle:
    arm = Catalog().arm("direct").in_one_wording()
    units = Units([TASK], [arm], [parse_decoder("ancestral")], MODEL, Settings(seed=0, numbers=2, samples=2))
    source = find_model(MODEL, ServerOptions(base_urls=[server.url]))
    (*held,) = units
    return Bundle(source, held, [[] for _ in held], True, probe)


def test_what_a_server_refuses_is_not_tried_again_on_a_cluster(server):
    refused = []

    def respond(path, handler):
        if path != "/v1/completions" or len(server.requests) < 17:
            return False
        refused.append(path)
        send(handler, b'{"error": {"message": "no"}}', 400)
        return True

    server.respond = respond
    results = measure_bundle(bundle(server, ()))  # which asks Ray for other replicas where one is lost
    assert any(isinstance(result, RefusedError) for result in results)
    assert refused


def test_a_folder_measured_with_another_way_of_serving_names_the_way_out(server, tmp_path, monkeypatch):
    measure(server, tmp_path / "run")
    monkeypatch.setattr("sampler_bench.models.sources.Source.describe", lambda _: {"identity": "sha256:1"})
    with pytest.raises(StoreError, match=r"with --base-url, and this run of 'fake' is without: .* Go on as"):
        measure(server, tmp_path / "run", decoders=["feasible"])


# The beginning of a text


@pytest.mark.parametrize("start", [[], [1], [1, 2]])
def test_a_text_begins_as_the_tokenizer_begins_one(server, start):
    """A model whose tokenizer puts a mark first is read after that mark, which no trace has once more."""
    server.start = start
    marked = "".join(map(chr, start)) + prompt("few-shot").text

    async def laws(model):
        return await model.conditionals(prompt("few-shot"), PREFIXES, "so: \n"), model.describe()["start"]

    found, told = ask(server, laws)
    expected = [[server.law(f"{marked}so: \n{u}")[digit] for digit in DIGITS] for u in PREFIXES]
    np.testing.assert_allclose(found[:, :10], expected)
    assert told == start


def test_a_chat_that_begins_otherwise_than_a_text_is_said(server):
    server.start = [1]
    said = []
    ask(server, lambda model: model.conditionals(prompt("direct"), PREFIXES), said.append)
    assert ["its chat template begins otherwise" in line for line in said] == [True]
    server.start = []
    ask(server, lambda model: model.conditionals(prompt("direct"), PREFIXES), said.append)
    assert len(said) == 1


# The port


def test_a_port_that_was_chosen_is_given_to_nobody_else(tmp_path):
    """All free ports of the machine are asked for, and a server listens at its own all the same."""
    server = VllmServer("m", tmp_path)
    taken = []
    try:
        for _ in range(2000):
            other = socket.socket()
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", 0))
            taken.append(other)
        assert server.port not in {other.getsockname()[1] for other in taken}
        with socket.socket() as listening:  # as vLLM binds it
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(("127.0.0.1", server.port))
            listening.listen()
    finally:
        for other in taken:
            other.close()
        server.stop()
    with pytest.raises(ServerError, match=r"port 70000 .* choose another --port"):
        VllmServer("m", tmp_path, port=70000)


def test_a_port_that_cannot_be_had_is_told_before_a_model_is_fetched(monkeypatch):
    monkeypatch.setattr(smollm2, "fetch", lambda _: pytest.fail("a model was fetched"))
    source = find_model(smollm2.NAME, ServerOptions(port=70000))
    with pytest.raises(ServerError, match=r"port 70000 .* cannot be used"), source.serve(print):
        pass
