"""Chats as a template with a switch for thinking writes them, and the look at what a model begins with."""

import asyncio
import json

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from sampler_bench.models.engines.transport import Transport
from sampler_bench.models.engines.vllm import VllmModel
from sampler_bench.models.finding import find_model
from sampler_bench.models.model import Prompt
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.tasks import Catalog
from tests.conftest import SECRET
from tests.vllm import checkpoints

pytestmark = [pytest.mark.vllm, pytest.mark.usefixtures("key")]
# As Qwen3's: the model thinks unless it is told not to, and then is shown thoughts that are empty.
TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}<assistant>\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}"
)
TASK, CATALOG = Catalog().task("even-6"), Catalog()


def prompt(arm: str) -> Prompt:
    (found,) = CATALOG.arms(arm)
    return Prompt(TASK, found, found.paraphrases[0])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("switch") / "thinker"
    tokenizer = checkpoints.single_digits()
    return checkpoints.save(made, tokenizer, checkpoints.random_model, context=4096, chat_template=TEMPLATE)


@pytest.fixture(scope="module")
def served(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_API_KEY", SECRET)
        with find_model(str(folder), ServerOptions()).serve(print) as server:
            yield server


@pytest.fixture
def by_transformers(folder):
    """The next-token law after a prompt, the switch being set; float64 over the vocabulary."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)

    def law(asked: Prompt, **switch):
        ids = tokenizer.apply_chat_template(
            asked.messages, add_generation_prompt=True, return_dict=True, return_tensors="pt", **switch
        )["input_ids"]
        with torch.no_grad():
            return torch.softmax(model(ids).logits[0, -1].double(), -1).numpy(), tokenizer

    return law


def ask(served, question, **options):
    async def connected():
        transport = Transport([served.base_url], SECRET)
        async with VllmModel(transport, served.served_name, **options) as model:
            return await question(model)

    return asyncio.run(connected())


@pytest.mark.parametrize(
    ("arm", "template_kwargs", "switch"),
    [
        ("direct", {}, {"enable_thinking": False}),
        ("reasoning-128", {}, {"enable_thinking": True}),
        ("direct", {"enable_thinking": True}, {"enable_thinking": True}),
        ("reasoning-128", {"enable_thinking": False}, {"enable_thinking": False}),
    ],
)
def test_thinking_is_off_outside_reasoning_arms_and_on_inside_unless_told(
    served, by_transformers, arm, template_kwargs, switch
):
    asked = prompt(arm)
    (q,) = ask(served, lambda model: model.conditionals(asked, [""]), template_kwargs=template_kwargs)
    law, tokenizer = by_transformers(asked, **switch)
    digits = tokenizer.convert_tokens_to_ids(list("0123456789"))
    np.testing.assert_allclose(q[:10], law[digits], rtol=1e-3, atol=1e-6)
    other, _ = by_transformers(asked, enable_thinking=not switch["enable_thinking"])
    assert np.abs(other[digits] - law[digits]).max() > 1e-3  # else nothing was shown


def test_the_likeliest_first_tokens_are_those_of_transformers(served, by_transformers):
    asked = prompt("direct")
    told = ask(served, lambda model: model.likeliest(asked, 5))
    law, _ = by_transformers(asked, enable_thinking=False)
    np.testing.assert_allclose([p for _, p in told], np.sort(law)[::-1][:5], rtol=1e-3)


def test_a_run_records_the_switch_and_says_that_digits_do_not_come_first(
    served, by_transformers, cli, tmp_path
):
    arguments = ["run", "even-6", "--model", served.served_name, "--base-url", served.base_url,
                 "--out", "run", "--numbers", 1, "--samples", 3]  # fmt: skip
    done = cli(*arguments, "--arm", "direct", "--arm", "reasoning-128")
    assert done.returncode == 0, done.stderr
    law, tokenizer = by_transformers(prompt("direct"), enable_thinking=False)
    digits = law[tokenizer.convert_tokens_to_ids(list("0123456789"))].sum()
    assert digits < 0.05
    assert f"begins with a digit with probability {digits:.2%}" in done.stderr
    assert "direct §" in done.stdout
    model = json.loads((tmp_path / "run" / "manifest.json").read_text())["models"][served.served_name]
    assert model["thinking"] == "enable_thinking: true in arms with a budget, false in others"
    other = cli(*arguments, "--arm", "few-shot", "--chat-template-kwargs", '{"enable_thinking": true}')
    assert other.returncode == 2
    assert "was measured with another set of arguments for the chat template" in other.stderr


def test_a_run_goes_on_through_a_url_only_if_told_that_the_weights_are_the_same(
    served, folder, cli, tmp_path
):
    few = ["--numbers", 1, "--samples", 3, "--out", tmp_path / "run"]
    here = cli("run", "even-6", "--model", folder, *few, "--arm", "direct")
    assert here.returncode == 0, here.stderr
    there = ["run", "even-6", "--model", served.served_name, "--base-url", served.base_url, *few]
    refused = cli(*there, "--arm", "direct", "--arm", "reasoning-128")
    assert refused.returncode == 2
    assert "say --same-weights if they are the same" in refused.stderr
    gone_on = cli(*there, "--arm", "direct", "--arm", "reasoning-128", "--same-weights")
    assert gone_on.returncode == 0, gone_on.stderr
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["models"][served.served_name]["identity"].startswith("contents:")
