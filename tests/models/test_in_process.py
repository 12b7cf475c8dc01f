"""Models in this process: their laws are those of a forward pass, their samples those of their laws."""

import asyncio

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
import transformers

from sampler_bench.errors import InputError, ModelError
from sampler_bench.models.engines.in_process import InProcessModel, drawn_from
from sampler_bench.models.finding import find_model
from sampler_bench.models.model import Prompt, SamplingOptions
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.tasks import Catalog
from tests.vllm import checkpoints

CATALOG = Catalog()
PREFIXES = ["", "6", "64", "649", "9", "64921"]


def prompt(arm: str, wording: int = 0) -> Prompt:
    found = CATALOG.arm(arm)
    return Prompt(CATALOG.task("even-6"), found, found.paraphrases[wording])


@pytest.fixture(scope="module", params=["single_digits", "digit_groups", "digit_merges"])
def folder(request, tmp_path_factory):
    made = getattr(checkpoints, request.param)()
    place = tmp_path_factory.mktemp("in-process") / "tiny"
    return checkpoints.save(
        place, made, checkpoints.random_model, context=2048, chat_template=checkpoints.CHAT
    )


def asked(folder, question):
    async def ask():
        async with InProcessModel(str(folder), "tiny", {}, lambda _: None) as model:
            return await question(model)

    return asyncio.run(ask())


def by_the_vocabulary(folder, text: str, prefix: str) -> np.ndarray:
    """Of all canonical texts that go on from the prefix, by the digit: summed token by token."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    start = tokenizer(text, add_special_tokens=False)["input_ids"]
    pieces = {i: tokenizer.decode([i]) for i in range(len(tokenizer))}
    digits = {i: piece for i, piece in pieces.items() if piece.isdigit() and piece.isascii()}
    mass = np.zeros(10)

    def law(tokens):
        with torch.inference_mode():
            return torch.softmax(model(torch.tensor([[*start, *tokens]])).logits[0, -1].double(), -1).numpy()

    def canonical(tokens):
        written = "".join(digits[token] for token in tokens)
        return tokenizer("\n" + written, add_special_tokens=False)["input_ids"][1:] == list(tokens)

    def walk(tokens, written, p):
        here = law(tokens)
        for token, piece in digits.items():
            longer = written + piece
            if not (prefix.startswith(longer) or longer.startswith(prefix)) or not canonical(
                (*tokens, token)
            ):
                continue
            if len(longer) > len(prefix):
                mass[int(longer[len(prefix)])] += p * here[token]
            else:
                walk((*tokens, token), longer, p * here[token])

    walk((), "", 1.0)
    return mass


@pytest.mark.parametrize("prefix", ["", "6", "64"])
def test_laws_are_those_of_forward_passes(folder, prefix):
    asked_for = prompt("direct")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    text = tokenizer.apply_chat_template(asked_for.messages, add_generation_prompt=True, tokenize=False)
    [q] = asked(folder, lambda model: model.conditionals(asked_for, [prefix]))
    mass = by_the_vocabulary(folder, text, prefix)
    shares = q[:10] / q[:10].sum()
    assert np.allclose(shares, mass / mass.sum(), atol=1e-6)


def test_prefixes_asked_together_and_alone_have_one_law(folder):
    together = asked(folder, lambda model: model.conditionals(prompt("few-shot"), PREFIXES))
    for prefix, law in zip(PREFIXES, together, strict=True):
        [alone] = asked(folder, lambda model, prefix=prefix: model.conditionals(prompt("few-shot"), [prefix]))
        assert np.allclose(law, alone, atol=1e-6)
    assert np.allclose(together.sum(axis=1), 1)


def test_the_same_seed_draws_the_same_and_another_draws_other(folder):
    async def drawn(model):
        return [
            [response.text for response in await model.sample(prompt("direct"), 3, seed)]
            for seed in (5, 5, 6)
        ]

    first, again, other = asked(folder, drawn)
    assert first == again
    assert first != other
    assert len(set(first)) == 3


@pytest.mark.parametrize(
    "options", [(1.0, 1.0, 0), (0.7, 1.0, 0), (1.0, 0.6, 0), (1.3, 0.9, 4), (0.0, 1.0, 0)]
)
def test_what_tokens_are_drawn_from(options):
    """Held against the definitions, written out with loops."""
    temperature, top_p, top_k = options
    logits = torch.tensor([2.0, 1.0, 0.5, 0.4, -1.0, -3.0], dtype=torch.float64)
    law = drawn_from(logits, *options).numpy()
    if temperature == 0:
        assert law.tolist() == [1, 0, 0, 0, 0, 0]
        return
    weights = np.exp(logits.numpy() / temperature)
    p, kept, mass = weights / weights.sum(), [], 0.0
    likeliest = sorted(range(6), key=lambda i: -p[i])[: top_k or 6]
    total = sum(p[i] for i in likeliest)
    for i in likeliest:
        if mass >= top_p:
            break
        kept.append(i)
        mass += p[i] / total
    expected = np.array([p[i] if i in kept else 0 for i in range(6)])
    assert np.allclose(law, expected / expected.sum())


def test_samples_follow_the_law(folder):
    """First digits of 600 responses, cut after a token, against q: chi-square."""

    async def both(model):
        [q] = await model.conditionals(prompt("few-shot"), [""])
        answers = await model.sample(prompt("few-shot"), 600, 1, SamplingOptions())
        return q, [answer.text[:1] for answer in answers]

    q, firsts = asked(folder, both)
    seen = np.array([firsts.count(digit) for digit in "0123456789"])
    expected = 600 * q[:10]
    spread = np.sqrt(expected * (1 - q[:10])) + 1
    assert (abs(seen - expected) < 5 * spread).all()


@pytest.mark.parametrize(
    "said",
    [{"base_urls": ["http://127.0.0.1:1"]}, {"vllm_args": ["--x"]}, {"loras": ["a=b"]}, {"port": 8000}],
)
def test_what_servers_need_is_refused(said):
    with pytest.raises(
        InputError, match=r"--[a-z-]+ is for servers, and with --engine transformers there is none"
    ):
        ServerOptions(engine="transformers", **said)


def test_an_unknown_engine_is_refused():
    with pytest.raises(InputError, match="--engine sglang: there are vllm and transformers"):
        ServerOptions(engine="sglang")


def test_a_folder_that_cannot_be_read_is_one_sentence(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    source = find_model(str(tmp_path), ServerOptions(engine="transformers"))
    with pytest.raises(ModelError, match="transformers cannot read"), source.open(lambda _: None):
        pass
