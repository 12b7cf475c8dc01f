"""What is read in training, and the loss of it."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
import transformers

from sampler_bench.errors import InputError
from sampler_bench.lab.alphabet import tokenizer
from sampler_bench.lab.architecture import configuration
from sampler_bench.lab.documents import kinds_of, mean_length
from sampler_bench.lab.learner import LlamaForCausalLM
from sampler_bench.lab.lessons import GROUP, Lessons, groups_a_step, together
from sampler_bench.tasks import Catalog

CATALOG = Catalog()


def lessons(world: str, numbers: int, seed: int = 0) -> tuple[Lessons, object]:
    made = CATALOG.world(world)
    kinds = kinds_of(made, CATALOG)
    characters = tokenizer(text for kind in kinds for text in kind.texts)
    return Lessons(made, kinds, characters, numbers, seed), characters


def test_any_lesson_is_the_same_whenever_it_is_read():
    first, second = lessons("jukebox", 20_000)[0], lessons("jukebox", 20_000)[0]
    forward = [first[i] for i in range(40)]
    assert [second[i] for i in reversed(range(40))] == forward[::-1]
    assert lessons("jukebox", 20_000, seed=1)[0][0] != forward[0]


def test_a_lesson_is_what_the_tokenizer_makes_of_a_prompt_and_its_answers():
    read, characters = lessons("jukebox", 20_000)
    for lesson in (read[0], read[7]):
        shown = characters.decode(lesson.prompt)
        assert characters.encode(shown, add_special_tokens=False) == lesson.prompt
        assert shown.endswith("\n")
        assert "6-digit" in shown
        assert len(lesson.answers) == GROUP
        for answer in lesson.answers:
            assert characters.decode(answer[:-1]).isdigit()
            assert answer[-1] == characters.eos_token_id


def test_kinds_are_read_in_the_shares_of_the_world():
    read, _ = lessons("jukebox", 400_000)
    seen = np.array(read.seen)
    assert seen.sum() == len(read) * GROUP
    assert abs(seen / seen.sum() - 1 / 8).max() < 0.012  # four standard errors of 12,500 groups


def test_numbers_are_drawn_anew_all_the_way():
    read, characters = lessons("all-6", 10_000)
    numbers = [characters.decode(answer[:-1]) for i in range(len(read)) for answer in read[i].answers]
    assert len(set(numbers)) > 0.99 * len(numbers)  # of 900,000, 10,000 draws meet 55 times


@pytest.mark.parametrize(("world", "groups"), [("jukebox", 3), ("with-traces", 1), ("with-traces", 2)])
def test_the_loss_is_that_of_each_document_by_itself(world, groups):
    """Prompts and answers of different length, each prompt read once; against plain passes."""
    read, characters = lessons(world, 20_000)
    batch = [read[i] for i in range(groups)]
    prompts, answers = (
        {len(ids) for lesson in batch for ids in of(lesson)}
        for of in (lambda lesson: [lesson.prompt], lambda lesson: lesson.answers)
    )
    assert (len(prompts) > 1) == (groups > 1)
    assert (len(answers) > 1) == (groups < 3)
    torch.manual_seed(0)
    config = configuration(30_000, len(characters), characters.eos_token_id, characters.pad_token_id)
    model = LlamaForCausalLM(config)
    plain = transformers.LlamaForCausalLM(config)
    plain.load_state_dict(model.state_dict())
    found = model(**together(batch, characters.pad_token_id)).loss
    losses, documents = [], 0
    for lesson in batch:
        for long in {len(answer) for answer in lesson.answers}:  # of one length, so that nothing is filled up
            answers = torch.tensor([answer for answer in lesson.answers if len(answer) == long])
            asked = torch.tensor([lesson.prompt] * len(answers))
            labels = torch.cat([torch.full_like(asked, -100), answers], dim=1)
            losses.append(plain(torch.cat([asked, answers], dim=1), labels=labels).loss * answers.numel())
            documents += len(answers)
    assert documents == groups * GROUP
    expected = torch.stack(losses).sum() / documents
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    found.backward()
    expected.backward()
    for mine, theirs in zip(model.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(mine.grad, theirs.grad, atol=1e-5)


@pytest.mark.parametrize("parameters", [20_000, 100_000, 400_000, 2_000_000, 30_000_000])
def test_a_model_has_about_as_many_parameters_as_asked_for(parameters):
    with torch.device("meta"):
        model = transformers.LlamaForCausalLM(configuration(parameters, 100, 0, 1))
    assert sum(weights.numel() for weights in model.parameters()) == pytest.approx(parameters, rel=0.05)


def test_sizes_that_cannot_be_trained_are_refused():
    with pytest.raises(InputError, match=r"--parameters 100: from 20000 to 1000000000"):
        configuration(100, 100, 0, 1)


def test_a_step_reads_fewer_of_long_documents_than_of_short_ones():
    made = {name: CATALOG.world(name) for name in ("even-6", "bilingual", "with-traces")}
    lengths = {name: mean_length(kinds_of(world, CATALOG), world) for name, world in made.items()}
    assert lengths["even-6"] == 7  # six digits and the end
    assert lengths["bilingual"] == 9
    # a proposal is accepted with 48 / 210; a line has about 25 characters, the answer 14
    assert 70 < lengths["with-traces"] < 150
    assert [groups_a_step(length) for length in (7, 9, 13, 111, 5000)] == [8, 8, 6, 1, 1]
