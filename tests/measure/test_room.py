"""Room for what is asked, against a tokenizer that makes a token of every byte."""

import pytest

from sampler_bench.measure.load_plan import load_plan
from sampler_bench.measure.plan import Controls, Units
from sampler_bench.measure.room import tokens_needed
from sampler_bench.tasks import Catalog

ARMS = ["direct", "few-shot", "cot", "batch", "verify", "seed-string", "reasoning"]
TEMPLATE = "<|im_start|>system\nYou are a helpful assistant, made by somebody.<|im_end|>\n"


def written(prompt) -> int:
    """Bytes of the prompt, in a template as chat models have it."""
    if prompt.text:
        return len(prompt.text.encode()) + 1
    turns = [f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in prompt.messages]
    return len("".join([TEMPLATE, *turns, "<|im_start|>assistant\n<think>\n"]).encode()) + 1


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize("suite", ["quick", "powers-of-3-100"])
def test_nothing_that_is_asked_needs_more(suite, arm):
    plan = load_plan(Catalog(), suite, [arm], ["ancestral"], 0, 2, 2, Controls(("start", "trace"), True))
    units = Units(plan.tasks, plan.arms, plan.decoders, "m", plan.settings, controls=plan.controls)
    room = tokens_needed(units)
    longest = max(unit.prompt.arm.budget + unit.prompt.max_tokens for unit in units)
    for unit in units:
        prompt = unit.prompt
        need = written(prompt) + prompt.arm.budget + prompt.max_tokens
        if unit.kind == "conditionals":
            need = written(prompt) + prompt.task.target.digits + 1
            if unit.reads_traces:
                need += longest + len(prompt.arm.lead.encode())
        assert need <= room
    assert room < 4 * (max(written(unit.prompt) for unit in units) + longest) + 2048
