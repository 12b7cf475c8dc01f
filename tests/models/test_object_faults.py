"""Every fault that a model of one's own can have in its form is one sentence."""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest

from sampler_bench import Response, load_task, run
from sampler_bench.errors import InputError, ModelError
from sampler_bench.models.objects import ObjectModel
from tests.models.own_models import Both

# Faults of an object that is to come in: what is changed of a right one, and what is said.
COMING_IN = {
    "a class": (lambda: Both, r"^Both is a class; give an object of it: Both\(\)$"),
    "no name": (lambda: SimpleNamespace(), "name = None; it must be text"),
    "a number for a name": (lambda: changed(name=7), "Changed has name = 7; it must be text"),
    "an empty name": (lambda: changed(name=""), "one line of up to 200 characters that can be seen"),
    "control characters": (lambda: changed(name="a\x1b[31m"), "one line of up to 200"),
    "two lines": (lambda: changed(name="a\nb"), "one line of up to 200"),
    "a long name": (lambda: changed(name="a" * 201), "one line of up to 200"),
    "a reference's name": (lambda: changed(name="oracle"), "called oracle, as a built-in one is"),
    "a sieve's name": (lambda: changed(name="sieve-13"), "called sieve-13, as a built-in one is"),
    "the small model's name": (lambda: changed(name="smollm2-135m"), "called smollm2-135m, as a built-in"),
    "no can": (lambda: changed(can=None), r"'sevens' \(Changed\) has can = None; it must be a set"),
    "can in a list": (lambda: changed(can=["laws"]), r"can = \['laws'\]; it must be a set of what it can do"),
    "can nothing": (lambda: changed(can=set()), r"can = set\(\); .*: \{'laws'\}, \{'samples'\} or"),
    "can something else": (lambda: changed(can={"logits"}), r"can = \{'logits'\}; it must be"),
    "no conditionals": (
        lambda: changed(conditionals=None),
        "no method conditionals, which its `can` promises",
    ),
    "no sample": (lambda: changed(sample=None), "no method sample, .*`async def sample\\(self, prompt, size"),
    "no coroutine": (
        lambda: changed(sample=lambda *_: []),
        "sample of .* is no coroutine; it must be `async",
    ),
    "too few arguments": (lambda: changed(conditionals=too_few), "cannot be called with 3 arguments"),
    "no describe": (lambda: changed(describe=None), "has no method describe; it must give a dict"),
    "describe in a coroutine": (
        lambda: changed(describe=too_few),
        "is `async def`; it must be a plain method",
    ),
    "described by text": (lambda: changed(describe=lambda: "v1"), "gives 'v1'; it must give a dict"),
    "no identity": (lambda: changed(describe=dict), "gives identity = None; it must be text that tells"),
    "a blank identity": (lambda: changed(describe=lambda: {"identity": " "}), "gives identity = ' '; it"),
    "no JSON": (lambda: changed(describe=lambda: {"identity": "v", "of": {1, 2}}), "what is no JSON .*set"),
    "not a number": (lambda: changed(describe=lambda: {"identity": "v", "of": np.nan}), "what is no JSON"),
}


async def too_few():
    return {}


def changed(**attributes):
    """A right object with some of its attributes changed."""
    model = type("Changed", (Both,), {})()
    vars(model).update(attributes)
    return model


@pytest.mark.parametrize("fault", COMING_IN)
def test_an_object_that_is_none_is_refused_in_one_sentence(fault, tmp_path):
    make, reason = COMING_IN[fault]
    with pytest.raises(InputError, match=reason) as caught:
        run("even-6", [make()], out=tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


# Answers that are none: of which method, the answer, and what is said.
LAW = [0.1] * 10 + [0.0]
ANSWERS = {
    "one row": ("conditionals", LAW, r"their shape is \(11,\); it must be \(\d+, 11\): for each prefix"),
    "ten columns": ("conditionals", np.full((57, 10), 0.1), r"their shape is \(57, 10\)"),
    "unequal rows": ("conditionals", [[1.0], [0.5, 0.5]], "are no array of numbers .*of 11 probabilities"),
    "None": ("conditionals", None, r"their shape is \(\)"),
    "samples for laws": ("sample", None, "it gave None; it must give a list of 2 Responses"),
    "text": ("sample", "123456", "it gave '123456'; it must give a list"),
    "too few": ("sample", [Response("1")], "it gave 1 responses; 2 were asked for"),
    "texts": ("sample", ["123456"] * 2, r"item 0 is '123456'; it must be a Response, such as Response\("),
    "bytes": ("sample", [Response(b"1")] * 2, "text of response 0 is b'1'; it must be text"),
    "no characters": (
        "sample",
        [Response("\ud800")] * 2,
        r"text of response 0 is '\\ud800'; it must be text",
    ),
    "no count": (
        "sample",
        [Response("1", completion_tokens=-1)] * 2,
        "completion_tokens of response 0 is -1",
    ),
    "no time": (
        "sample",
        [Response("1", seconds=None)] * 2,
        "seconds of response 0 is None; it must be a nu",
    ),
    "no weight": ("sample", [Response("1", log_weight=np.nan)] * 2, "log_weight of response 0 is nan"),
}


@pytest.mark.parametrize("fault", ANSWERS)
def test_an_answer_of_another_form_is_one_sentence(fault, tmp_path):
    method, answer, reason = ANSWERS[fault]

    async def answering(*_):
        return answer

    with pytest.raises(ModelError, match=reason) as caught:
        run("even-6", [changed(**{method: answering})], ["few-shot"], out=tmp_path, numbers=8, samples=6)
    assert str(caught.value).startswith(f"{method} of model 'sevens' (Changed)")


@pytest.mark.parametrize(
    ("law", "reason"),
    [
        ([np.nan] * 11, "row 1, after prefix '1', holds what is not finite"),
        ([np.inf] + [0.0] * 10, "row 1, after prefix '1', holds what is not finite"),
        ([-0.5] + [0.15] * 10, "row 1, after prefix '1', holds what is below 0; no probability is"),
        ([0.1] * 11, r"row 1, after prefix '1', sums to 1\.1; it must sum to 1 within 1e-06"),
        ([0.0] * 11, r"row 1, after prefix '1', sums to 0\.0; it must"),
    ],
)
def test_a_row_that_is_no_law_is_named_with_its_prefix(law, reason):
    async def answering(*_):
        return np.array([LAW, law, LAW])

    prompt = SimpleNamespace(task=load_task("even-6"))
    with pytest.raises(ModelError, match=reason):
        asyncio.run(ObjectModel(changed(conditionals=answering)).conditionals(prompt, ["", "1", "12"]))


def test_float32_lists_and_responses_without_a_seed_will_do():
    async def answering(*_):
        return [np.array(LAW, np.float32).tolist()]

    prompt = SimpleNamespace(task=load_task("even-6"))
    model = ObjectModel(changed(conditionals=answering))
    assert asyncio.run(model.conditionals(prompt, [""])).dtype == np.float64
    assert {response.seed for response in asyncio.run(model.sample(prompt, 2, 5))} == {5}
