"""What the client reads from a real server, against the same weights in transformers."""

import asyncio

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from sampler_bench import check_model
from sampler_bench.errors import ServerError
from sampler_bench.models.engines import digit_laws
from sampler_bench.models.engines.exchange import RefusedError
from sampler_bench.models.engines.protocol import Tokens
from sampler_bench.models.engines.transport import Transport
from sampler_bench.models.engines.vllm import VllmModel
from sampler_bench.models.model import Prompt
from sampler_bench.models.weights import smollm2
from sampler_bench.targets import DIGITS, END
from sampler_bench.tasks import Catalog
from tests.conftest import SECRET

pytestmark = pytest.mark.vllm
ARM = Catalog().arm("direct")
PROMPT = Prompt(Catalog().task("twin-primes-6"), ARM, ARM.paraphrases[0])


def ask(server, question, name=smollm2.NAME):
    """The answer of a coroutine function given the connected model."""

    async def connected():
        async with VllmModel(Transport([server.base_url], SECRET), name) as model:
            return await question(model)

    return asyncio.run(connected())


def conditionals_by_transformers(prompt: Prompt, prefixes: list[str]) -> np.ndarray:
    """q(next symbol | prefix) by a forward pass in float32."""
    tokenizer = AutoTokenizer.from_pretrained(smollm2.model_folder())
    model = AutoModelForCausalLM.from_pretrained(smollm2.model_folder(), dtype=torch.float32)
    text = tokenizer.apply_chat_template(prompt.messages, add_generation_prompt=True, tokenize=False)
    digit_ids = [tokenizer.encode(digit, add_special_tokens=False)[0] for digit in DIGITS]
    rows = []
    for prefix in prefixes:
        ids = tokenizer.encode(text + prefix, add_special_tokens=False, return_tensors="pt")
        with torch.no_grad():
            law = torch.softmax(model(ids).logits[0, -1].double(), dim=-1)
        digits = law[digit_ids].numpy()
        rows.append([*digits, 1 - digits.sum()])
    return np.array(rows)


def test_conditionals_equal_a_forward_pass_in_transformers(server):
    numbers = PROMPT.task.target.sample(3, np.random.default_rng(0))
    prefixes = sorted({number[:k] for number in numbers for k in range(7)} | {"0", "55555", "1234567"})[:20]
    assert len(prefixes) == 20
    found = ask(server, lambda model: model.conditionals(PROMPT, prefixes))
    expected = conditionals_by_transformers(PROMPT, prefixes)
    assert found.shape == (20, 11)
    assert np.abs(found - expected).max() < 1e-4
    assert np.abs(np.log(found) - np.log(expected)).max() < 1e-2


def test_digits_are_written_where_the_chat_template_would_write_them(server):
    """Appending digit tokens to the rendered prompt gives the tokens of the chat with that answer."""

    async def both(model):
        answered = [*PROMPT.messages, {"role": "assistant", "content": "649"}]
        body = {"model": model.name, "messages": answered, "add_generation_prompt": False}
        body["continue_final_message"] = True
        rendered = (await model._transport.post("/tokenize", body, Tokens)).tokens
        return rendered, await model._prompts.ids(PROMPT) + [
            model._vocabulary.ids[digit] for digit in (6, 4, 9)
        ]

    rendered, built = ask(server, both)
    assert rendered == built


@pytest.mark.parametrize("trace", ["", "I propose 58, which fails.\nAnswer: "])
def test_one_pass_over_a_number_gives_what_a_request_a_prefix_gives(server, monkeypatch, trace):
    """Also for digits beyond those that a pass tells of: TOP of 5 leaves many to be asked for."""
    number = "7" + "0123456789" * 4
    prefixes = [number[:k] for k in range(len(number) + 1)]
    read = []
    monkeypatch.setattr(digit_laws, "TOP", 20)
    for tokens_a_request in (0, 10**6):
        monkeypatch.setattr(digit_laws, "TOKENS_A_REQUEST", tokens_a_request)
        read.append(ask(server, lambda model: model.conditionals(PROMPT, prefixes, trace)))
    monkeypatch.setattr(digit_laws, "TOP", 5)
    read.append(ask(server, lambda model: model.conditionals(PROMPT, prefixes, trace)))
    assert np.abs(read[1] - read[0]).max() < 1e-5
    assert np.abs(read[2] - read[0]).max() < 1e-5


@pytest.mark.parametrize("trace", ["", "I propose 58, which fails.\nAnswer: "])
def test_forced_answers_give_what_a_request_a_prefix_gives(server, monkeypatch, trace):
    """Together with others, which are written as they would be without."""
    numbers = ["649214907351", "649214907352", "100000000000"]
    prefixes = sorted({number[:k] for number in numbers for k in range(13)})

    async def read(model):
        asked = []
        complete = model._choice
        monkeypatch.setattr(model._laws, "_complete", lambda body: asked.append(body) or complete(body))
        laws = model.conditionals(PROMPT, prefixes, trace)
        return asked, *await asyncio.gather(laws, model.sample(PROMPT, 4, 1))

    asked, found, beside = ask(server, read)
    assert sum("vllm_xargs" in body for body in asked) == 2  # one place of the third is left
    monkeypatch.setattr(digit_laws, "TOKENS_A_REQUEST", 0)
    asked, expected, alone = ask(server, read)
    assert not any("vllm_xargs" in body for body in asked)
    assert np.abs(found - expected).max() < 1e-5
    assert [response.text for response in beside] == [response.text for response in alone]


@pytest.mark.parametrize("forced", ["649", [6.5], [-1], 7])
def test_what_cannot_be_forced_is_refused(server, forced):
    async def complete(model):
        body = {"prompt": await model._prompts.ids(PROMPT), "max_tokens": 2, "temperature": 0.0}
        return await model._engine.complete(body | {"vllm_xargs": {"forced_tokens": forced}})

    with pytest.raises(RefusedError, match="forced_tokens"):
        ask(server, complete)


def test_a_token_that_the_model_has_not_is_not_forced(server):
    async def complete(model, forced):
        body = {"prompt": await model._prompts.ids(PROMPT), "max_tokens": 4, "temperature": 0.0}
        return (await model._engine.complete(body | forced)).choices[0].text

    free = ask(server, lambda model: complete(model, {}))
    asked = {"vllm_xargs": {"forced_tokens": [10**6]}}
    assert ask(server, lambda model: complete(model, asked)) == free


def test_a_server_that_tells_too_little_of_a_prompt_is_asked_prefix_by_prefix(server, monkeypatch):
    prefixes = [("7" * 40)[:k] for k in range(41)]
    read = []
    monkeypatch.setattr(digit_laws, "TOKENS_A_REQUEST", 10**6)  # a pass, whatever it costs
    for top in (10, 10**6):  # more than there are tokens: refused
        monkeypatch.setattr(digit_laws, "TOP", top)
        read.append(ask(server, lambda model: model.conditionals(PROMPT, prefixes)))
    assert np.abs(read[1] - read[0]).max() < 1e-5


def test_prefixes_shared_by_numbers_are_asked_for_once(server, monkeypatch):
    monkeypatch.setattr(digit_laws, "TOKENS_A_REQUEST", 0)
    prefixes = ["", "1", "2", "12", "1", ""]

    async def counted(model):
        asked = []
        complete = model._choice
        monkeypatch.setattr(model._laws, "_complete", lambda body: asked.append(body) or complete(body))
        await model.conditionals(PROMPT, prefixes)
        first = len(asked)
        await model.conditionals(PROMPT, prefixes)
        return first, len(asked)

    assert ask(server, counted) == (4, 4)


def test_samples_repeat_with_their_seed_and_differ_without(server):
    async def three_times(model):
        return [await model.sample(PROMPT, 6, seed) for seed in (1, 1, 2)]

    first, again, other = ask(server, three_times)
    assert [r.text for r in first] == [r.text for r in again]
    assert [r.text for r in first] != [r.text for r in other]
    assert len({r.seed for r in first}) == 6
    assert all(0 < r.completion_tokens <= PROMPT.max_tokens for r in first)


def test_first_digits_are_sampled_from_the_conditional(server):
    """300 responses; each digit's count within 5 standard deviations of its share."""

    async def both(model):
        return await model.conditionals(PROMPT, [""]), await model.sample(PROMPT, 300, 5)

    (q,), responses = ask(server, both)
    counts = np.array([sum(r.text.startswith(digit) for r in responses) for digit in DIGITS])
    error = np.sqrt(300 * q[:END] * (1 - q[:END]))
    assert (np.abs(counts - 300 * q[:END]) <= 5 * error + 1).all()


def test_a_name_that_is_not_served_is_refused_with_those_that_are(server):
    with pytest.raises(ServerError, match="serves smollm2-135m, not 'other'"):
        ask(server, lambda model: model.conditionals(PROMPT, [""]), name="other")


def test_the_servers_own_message_is_passed_on(server):
    with pytest.raises(ServerError, match=r"answered 400: .*logprobs"):
        ask(server, lambda model: model._engine.complete({"prompt": [1], "max_tokens": 1, "logprobs": -5}))


def test_the_laws_of_every_model_hold_within_what_batching_does_to_probabilities(server):
    model = VllmModel(Transport([server.base_url], SECRET), smollm2.NAME)
    asyncio.run(check_model(model, PROMPT, draws=50, alike=1e-3))
