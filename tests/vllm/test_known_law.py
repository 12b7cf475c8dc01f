"""A model whose law is known in closed form, served by vLLM and measured by the whole pipeline."""

import asyncio
import json
import math

import numpy as np
import pandas as pd
import pytest

from sampler_bench import run, runs
from sampler_bench.measure.decoders import parse_decoder
from sampler_bench.models.engines.exchange import RefusedError
from sampler_bench.models.engines.protocol import Scores
from sampler_bench.models.engines.transport import Transport
from sampler_bench.models.engines.vllm import VllmEngine, score_body
from sampler_bench.models.finding import find_model
from sampler_bench.models.model import Prompt
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.tasks import Arm, Catalog
from tests.conftest import SECRET
from tests.vllm import checkpoints

pytestmark = pytest.mark.vllm
DIGITS = np.array([0.05, 0.2, 0.1, 0.15, 0.05, 0.1, 0.1, 0.05, 0.05, 0.1])
END = 0.05
SAMPLES = 240


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    tokenizer = checkpoints.single_digits()
    law = {tokenizer.token_to_id(str(digit)): p for digit, p in enumerate(DIGITS)}
    law[tokenizer.token_to_id(checkpoints.END_TOKEN)] = END
    folder = tmp_path_factory.mktemp("known") / "known-law"
    checkpoints.save(folder, tokenizer, checkpoints.constant_law(law), 2048, checkpoints.CHAT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_API_KEY", SECRET)
        scores = ServerOptions(vllm_args=["--enable-scale-out"])  # at this path, but not on a CPU
        with find_model(str(folder), scores).serve(print) as running:
            yield running


@pytest.fixture(scope="module")
def options(server):
    return ServerOptions(base_urls=[server.base_url], api_key=SECRET)


@pytest.fixture(scope="module")
def folder(options, tmp_path_factory):
    out = tmp_path_factory.mktemp("known-run") / "run"
    run(
        "even-6", ["known-law"], ["direct", "cot", "batch"], out=out, numbers=8, samples=SAMPLES,
        decoders=["ancestral", "digits-only", "feasible", "twisted"], server=options,
    )  # fmt: skip
    return out


@pytest.fixture(scope="module")
def scores(folder):
    table = pd.read_csv(folder / "scores.csv")
    return table[table["task"] == "even-6"].set_index(["arm", "decoder", "metric"])


def content() -> float:
    """Of 6-digit even numbers: sum of KL(uniform over what may stand || the digits' law)."""
    law = DIGITS / DIGITS.sum()
    sets = [np.arange(1, 10), *[np.arange(10)] * 4, np.arange(0, 10, 2)]
    return sum(np.mean(np.log(1 / len(allowed) / law[allowed])) for allowed in sets)


@pytest.mark.parametrize("arm", ["direct", "cot", "batch"])
def test_content_and_stopping_are_the_closed_form(scores, arm):
    found = scores.loc[arm, "ancestral"]["value"]
    assert found["content"] == pytest.approx(content(), abs=1e-4)
    assert found["format"] == pytest.approx(-6 * math.log(1 - END), abs=1e-4)
    assert found["stop"] == pytest.approx(-math.log(END), abs=1e-4)


def test_scores_are_asked_for_as_vllm_wants_it_and_it_refuses_for_its_model_runner_alone(options):
    transport = Transport([options.base_urls[0]], SECRET)

    async def refused() -> str:
        async with transport:
            with pytest.raises(RefusedError) as refusal:
                await transport.post(
                    "/inference/v1/generate", score_body("known-law", [5, 6], 1, [5, 6]), Scores
                )
            assert await VllmEngine(transport, "known-law").score([5, 6], 1, [5, 6]) is None
        return str(refusal.value)

    assert "prompt_logprob_token_ids requires the V2 model runner" in asyncio.run(refused())


def test_paraphrases_do_not_differ_where_the_model_reads_none(scores):
    row = scores.loc["direct", "ancestral", "content"]
    assert row["paraphrase_high"] - row["paraphrase_low"] < 1e-4


def test_all_traces_count_alike_where_none_tells_the_answer(folder):
    records = runs.read(folder).conditionals.query("arm == 'cot'")
    assert (records["traces"] == 4).all()
    assert (records["forced"] <= 4).all()
    assert np.abs(records["ess"] - 4).max() < 1e-4


def test_masked_laws_are_the_closed_form(scores):
    law, even = DIGITS / DIGITS.sum(), np.arange(0, 10, 2)
    assert scores.loc["direct", "digits-only", "content"]["value"] == pytest.approx(content(), abs=1e-4)
    first, last = law[1:] / law[1:].sum(), law[even] / law[even].sum()
    expected = np.mean(np.log(1 / 9 / first)) + 4 * np.mean(np.log(0.1 / law))
    expected += np.mean(np.log(0.2 / last))
    assert scores.loc["direct", "feasible", "content"]["value"] == pytest.approx(expected, abs=1e-4)
    assert scores.loc["direct", "feasible", "stopping"]["value"] == pytest.approx(0, abs=1e-6)


def test_the_mass_on_valid_numbers_is_the_closed_form(scores):
    """Weights do not vary here, for after every prefix the same mass may follow."""
    even = np.arange(0, 10, 2)
    mass = math.log(DIGITS[1:].sum() * DIGITS.sum() ** 4 * DIGITS[even].sum() * END)
    assert scores.loc["direct", "feasible", "mass"]["value"] == pytest.approx(mass, abs=1e-4)
    only = 6 * math.log(DIGITS.sum()) + math.log(END)
    assert scores.loc["direct", "digits-only", "mass"]["value"] == pytest.approx(only, abs=1e-4)
    assert scores.loc["direct", "twisted", "mass"]["value"] == pytest.approx(mass, abs=1e-4)


def test_samples_follow_the_law(folder, scores):
    """Counts within 5 standard deviations of their expectation."""
    records = runs.read(folder).samples.query("arm == 'direct' and decoder == 'ancestral'")
    assert len(records) == SAMPLES
    lead = records["text"].str[0].value_counts()
    for digit, p in enumerate(DIGITS):
        assert abs(lead.get(str(digit), 0) - SAMPLES * p) <= 5 * math.sqrt(SAMPLES * p * (1 - p)) + 1
    lengths = records["text"].str.len()
    short = lengths[lengths < 10]
    p = DIGITS.sum() ** 10
    assert abs(len(short) - SAMPLES * (1 - p)) <= 5 * math.sqrt(SAMPLES * p * (1 - p))
    even = np.arange(0, 10, 2)
    valid = DIGITS[1:].sum() * DIGITS.sum() ** 4 * DIGITS[even].sum() * END
    found = scores.loc["direct", "ancestral", "validity"]
    assert abs(found["value"] - valid) <= 5 * math.sqrt(valid * (1 - valid) / SAMPLES)


@pytest.mark.parametrize("decoder", ["feasible", "twisted", "digits-only"])
def test_decoders_write_what_they_promise(folder, decoder):
    records = runs.read(folder).samples.query("decoder == @decoder")
    assert (records["text"].str.len() == 6).all()
    assert records["valid"].all() or decoder == "digits-only"
    assert records["log_weight"].notna().all()
    assert records["forward_passes"].sum() > 0


@pytest.mark.parametrize("decoder", ["feasible", "twisted"])
def test_weights_lead_to_the_law_given_the_constraint(options, tmp_path, decoder):
    """Twin primes: what may follow differs from prefix to prefix. The law over all 54 is summed up here."""
    target = Catalog().task("twin-primes-3").target
    members = [target.unrank(rank) for rank in range(target.count(""))]
    law = np.array([math.prod(DIGITS[int(digit)] for digit in member) * END for member in members])
    arguments = {"decoders": [decoder], "numbers": 1, "samples": SAMPLES, "out": tmp_path, "server": options}
    scores = run("twin-primes-3", ["known-law"], ["direct"], **arguments).scores.set_index(["task", "metric"])
    records = runs.read(tmp_path).samples
    weight = np.exp(records["log_weight"])
    assert weight.std() > 0.01 * weight.mean()
    error = weight.std() / math.sqrt(SAMPLES)
    assert abs(weight.mean() - law.sum()) < 5 * error
    mass = scores.loc[("twin-primes-3", "mass"), "value"]
    assert mass == pytest.approx(math.log(weight.mean()))
    ess = weight.sum() ** 2 / (weight**2).sum()
    for digit in "123456789":
        p = law[[member[0] == digit for member in members]].sum() / law.sum()
        share = weight[records["text"].str[0] == digit].sum() / weight.sum()
        assert abs(share - p) < 5 * math.sqrt(p * (1 - p) / ess) + 0.01


def test_batches_count_every_number_asked_for_and_cost_once(folder):
    records = runs.read(folder).samples.query("arm == 'batch'")
    assert (records.groupby(["paraphrase", "response_id"]).size() == 8).all()
    assert (records.groupby(["paraphrase", "response_id"])["completion_tokens"].max() > 0).all()
    assert (records.query("sample_id % 8 > 0")["completion_tokens"] == 0).all()


def test_reasoning_is_cut_at_its_budget_closed_and_kept_apart(options):
    """This model never closes its thinking; it ends within 16 tokens in 56 of 100 responses."""
    arm = Arm.model_validate(Catalog().arm("reasoning").model_dump() | {"budgets": [16]})
    prompt = Prompt(Catalog().task("even-6"), arm, arm.paraphrases[0])

    async def sample():
        with find_model("known-law", options).open(print) as entering:
            async with entering as model:
                return await model.sample(prompt, 40, 3)

    responses = asyncio.run(sample())
    cut = [response for response in responses if response.thinking]
    assert 0 < len(cut) < len(responses)
    assert all(response.thinking.endswith(arm.lead) for response in cut)
    assert all(len(response.thinking) == 16 + len(arm.lead) for response in cut)
    assert all("<" not in response.text for response in responses)


def test_rejection_tries_until_the_answer_is_valid_and_counts_every_try(options):
    arm = Catalog().arm("direct")
    prompt = Prompt(Catalog().task("even-6"), arm, arm.paraphrases[0])

    async def sample():
        with find_model("known-law", options).open(print) as entering:
            async with entering as model:
                return await parse_decoder("reject").sample(model, prompt, 8, 0)

    responses = asyncio.run(sample())
    valid = [response for response in responses if prompt.task.target.contains(response.text)]
    mass = DIGITS[1:].sum() * DIGITS.sum() ** 4 * DIGITS[::2].sum() * END  # 1.2 %: 64 tries find one in 2
    assert 0 < len(valid) <= 8
    assert mass < 0.02
    assert all(response.completion_tokens > len(response.text) + 1 for response in responses)


def test_the_manifest_says_how_digits_are_written_and_what_tells_the_weights(folder):
    model = json.loads((folder / "manifest.json").read_text())["models"]["known-law"]
    assert model["digits"] == "one token each"
    assert model["probe"] == pytest.approx(DIGITS, abs=1e-4)
    arms = json.loads((folder / "manifest.json").read_text())["arms"]
    assert [p["name"] for p in arms["direct"]["paraphrases"]] == ["plain", "generator", "question"]
