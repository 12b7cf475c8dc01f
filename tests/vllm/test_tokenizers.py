"""Conditionals of models whose tokens hold several digits, against sums over the vocabulary."""

import asyncio

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from sampler_bench.errors import ModelError
from sampler_bench.models.engines.transport import Transport
from sampler_bench.models.engines.vllm import VllmModel
from sampler_bench.models.finding import find_model
from sampler_bench.models.model import Prompt
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.targets import DIGITS
from sampler_bench.tasks import Catalog
from tests.conftest import SECRET
from tests.vllm import checkpoints

pytestmark = pytest.mark.vllm
ARM = Catalog().arm("few-shot")
PROMPTS = [Prompt(Catalog().task("twin-primes-6"), ARM, paraphrase) for paraphrase in ARM.paraphrases]
PREFIXES = ["", "1", "10", "64", "649", "6492", "64921", "00000", "100000", "999999"]
KINDS = {"groups": checkpoints.digit_groups, "merges": checkpoints.digit_merges}
DESCRIPTIONS = {"groups": "1110 tokens of up to 3 digits", "merges": "tokens of up to"}


@pytest.fixture(scope="module", params=KINDS)
def served(request, tmp_path_factory):
    """A checkpoint without a chat template and with room for 512 tokens, and its server."""
    folder = tmp_path_factory.mktemp(request.param) / f"tiny-{request.param}"
    checkpoints.save(folder, KINDS[request.param](), checkpoints.random_model)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_API_KEY", SECRET)
        with find_model(str(folder), ServerOptions()).serve(print) as server:
            yield folder, server, DESCRIPTIONS[request.param]


def ask(server, question):
    async def connected():
        async with VllmModel(Transport([server.base_url], SECRET), server.served_name) as model:
            return await question(model)

    return asyncio.run(connected())


async def digits(model):
    return model.digits


class BruteForce:
    """The law by its definition: forward passes in transformers, every token of the vocabulary tried."""

    def __init__(self, folder, prompt):
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        self.prompt = self.tokenizer.encode(prompt.text)
        self.texts = [self.tokenizer.decode([token]) for token in range(len(self.tokenizer))]
        self.known = {}

    def law(self, run):
        if run not in self.known:
            with torch.no_grad():
                logits = self.model(torch.tensor([[*self.prompt, *run]])).logits[0, -1]
            self.known[run] = torch.softmax(logits.double(), dim=-1).numpy()
        return self.known[run]

    def mass(self, digits, run=(), text=""):
        """Of all canonical texts that start with the digits and with the run of tokens."""
        if len(text) >= len(digits):
            return 1.0
        total = 0.0
        for token, piece in enumerate(self.texts):
            longer = text + piece
            if piece.isdigit() and (longer.startswith(digits) or digits.startswith(longer)):
                canonical = self.tokenizer.encode(longer, add_special_tokens=False)
                if canonical == [*run, token]:
                    total += self.law(run)[token] * self.mass(digits, (*run, token), longer)
        return total


def test_conditionals_equal_the_sum_over_the_vocabulary(served):
    folder, server, description = served
    for prompt in PROMPTS:
        brute = BruteForce(folder, prompt)
        expected = [[brute.mass(u + digit) / brute.mass(u) for digit in DIGITS] for u in PREFIXES]
        found = ask(server, lambda model, prompt=prompt: model.conditionals(prompt, PREFIXES))
        assert np.abs(found[:, :10] - expected).max() < 1e-4
        assert np.abs(found.sum(axis=1) - 1).max() < 1e-6
    assert description in ask(server, digits)


def test_digits_written_are_the_tokens_of_the_whole_text(served):
    """What is appended to the prompt is how the tokenizer writes prompt and number together."""
    folder, server, _ = served
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for prompt in PROMPTS:
        whole = tokenizer.encode(prompt.text + "6492171")
        number = tokenizer.encode("6492171", add_special_tokens=False)
        assert ask(server, lambda model, prompt=prompt: model._prompts.ids(prompt)) + number == whole


def test_a_model_without_a_chat_template_is_pointed_to_an_arm_of_text(served):
    _, server, _ = served
    arm = Catalog().arm("direct")
    prompt = Prompt(PROMPTS[0].task, arm, arm.paraphrases[0])
    with pytest.raises(ModelError, match=r"tiny-\w+ has no chat template, so arm 'direct'.*few-shot"):
        ask(server, lambda model: model.conditionals(prompt, [""]))


def test_a_context_too_short_is_said_before_anything_is_asked(served):
    _, server, _ = served
    prompt = Prompt(Catalog().task("powers-of-3-100"), ARM, ARM.paraphrases[0])
    with pytest.raises(ModelError, match=r"context of tiny-\w+, 512 tokens, is too short .* needs 5\d\d"):
        ask(server, lambda model: model.conditionals(prompt, ["1" * 430]))


def test_samples_are_digits_of_the_tokenizer_and_repeat_with_their_seed(served):
    _, server, _ = served

    async def twice(model):
        return [await model.sample(PROMPTS[0], 4, 1) for _ in range(2)]

    first, again = ask(server, twice)
    assert [response.text for response in first] == [response.text for response in again]
