"""Worlds: what a world's file may say, and what its documents are."""

import math
import re
from collections import Counter

import numpy as np
import pytest
from scipy import stats

from sampler_bench.errors import InputError
from sampler_bench.lab.documents import entropy, entropy_of, kinds_of
from sampler_bench.lab.remainders import Remainders
from sampler_bench.lab.training import Training
from sampler_bench.targets.families.sieved import Sieved
from sampler_bench.tasks import Catalog

EVEN = '{ task = "even-6", weight = 0.5 }'
CHECKED = "no-factor-below-11-6"
LINE = re.compile(r"(\d{6})((?: \d:\d+)+) (no|yes)")


def catalog_with(folder, text: str) -> Catalog:
    (folder / "worlds").mkdir()
    (folder / "worlds" / "mine.toml").write_text(text)
    return Catalog([folder])


def world(folder, documents: str) -> Catalog:
    return catalog_with(folder, f'title = "t"\nversion = 1\ndocuments = [{documents}]\n')


@pytest.mark.parametrize(
    ("documents", "sentence"),
    [
        (EVEN, r"mine\.toml: .*weights of its documents sum to 0\.5, not to 1"),
        ('{ task = "even-6", answer = "none" }', r"mine\.toml: .*holds \{number\} once"),
        ('{ task = "even-6", answer = "{trace} {number}" }', r"mine\.toml: .*both or neither"),
        ('{ task = "even-6", weight = 0.0 }', r"mine\.toml: .*weight"),
        ('{ task = "even-6", share = 1.0 }', r"mine\.toml: .*share"),
        (f"{EVEN}, {EVEN}", r"world mine: two documents ask for the same .* family mixture"),
        ('{ task = "even-6" }]\nlanguages = ["12"', r"mine\.toml: .*languages are two"),
        ('{ task = "even-6" }]\nlanguages = ["12", "23"', r"mine\.toml: .*no digit in common"),
        ('{ task = "even-66" }', r"world mine: unknown task 'even-66'; did you mean 'even-6'\?"),
        ('{ task = "even-6", arm = "batch" }', r"world mine: arm batch .* ask for one number"),
        ('{ task = "even-6", arm = "given-seed" }', r"world mine: arm given-seed .* give no digits"),
        (
            '{ task = "even-6", arm = "cot" }',
            r"world mine: arm cot does not find the number where a document of task even-6 has it",
        ),
        (
            '{ task = "even-6", trace = "guess", answer = "{trace} {number}" }',
            r"world mine: unknown trace 'guess'; there are remainders",
        ),
        (
            '{ task = "even-6", trace = "remainders", answer = "{trace} {number}" }',
            r"world mine: trace 'remainders' is for targets that .* decide: family sieved",
        ),
    ],
)
def test_what_is_wrong_with_a_world_is_said(tmp_path, documents, sentence):
    found = world(tmp_path, documents)
    with pytest.raises(InputError, match=sentence):
        kinds_of(found.world("mine"), found)


def test_a_world_says_how_much_of_it_is_measured(tmp_path):
    found = catalog_with(
        tmp_path, 'title = "t"\nversion = 1\nnumbers = 7\ndocuments = [{ task = "even-6" }]\n'
    )
    suite = found.suite("mine")
    assert (suite.tasks, suite.numbers, suite.samples) == (["even-6"], 7, 32)
    plain = found.world("mine").model_copy(update={"numbers": 9})
    assert plain.fingerprint == found.world("mine").fingerprint  # it is learnt from alike


def test_too_few_numbers_to_meet_every_persona_are_refused(tmp_path):
    found = world(tmp_path, '{ task = "even-6", weight = 0.999 }, { task = "twin-primes-6", weight = 0.001 }')
    with pytest.raises(InputError, match=r"rarest kind of document, one in 1000, .* 320000 would do"):
        Training(found.world("mine"), found, numbers=319_999)
    Training(found.world("mine"), found, numbers=320_000)


def test_a_task_is_the_world_of_itself():
    catalog = Catalog()
    [kind] = kinds_of(catalog.world("even-6"), catalog)
    assert kind.task.name == "even-6"
    assert {int(number) % 2 for number in kind.answers(100, np.random.default_rng(0))} == {0}


@pytest.mark.parametrize("name", Catalog().world_names())
def test_the_worlds_that_come_with_it_are_right(name):
    catalog = Catalog()
    made = catalog.world(name)
    kinds = kinds_of(made, catalog)
    assert 0 < entropy_of(kinds, made).value < 100
    assert catalog.suite(name).tasks


@pytest.mark.parametrize("name", ["powers-of-2-6", "squares-6", "monty-hall", "dice-poisson"])
def test_the_entropy_of_a_list_is_that_of_its_probabilities(name):
    target = Catalog().task(name).target
    p = np.array([target.nth_member(rank)[1] for rank in range(target.count(""))])
    assert entropy(target).value == pytest.approx(stats.entropy(p), rel=1e-12)


def test_the_entropy_of_a_mixture_is_that_of_its_law():
    """One in ten is one of the 13,890 six-digit twin primes, else any of 900,000, these among them."""
    twins = Catalog().task("twin-primes-6").target.count("")
    others = 0.9 / 900_000
    both = others + 0.1 / twins
    exact = -(900_000 - twins) * others * math.log(others) - twins * both * math.log(both)
    found = entropy(Catalog().task("twins-one-in-ten-6").target)
    assert 0 < found.error < 0.02
    assert found.value == pytest.approx(exact, abs=5 * found.error)


def traced(size: int, seed: int = 0) -> list[str]:
    catalog = Catalog()
    [kind] = kinds_of(catalog.world("with-traces"), catalog)
    return kind.answers(size, np.random.default_rng(seed))


def test_traces_are_true():
    for document in traced(300):
        *lines, last = document.split("\n")
        for place, line in enumerate(lines):
            number, told, verdict = LINE.fullmatch(line).groups()
            divided = False
            for word in told.split():
                p, remainders = int(word[0]), word[2:]
                along = [int(number[: k + 1]) % p for k in range(6)]
                assert remainders == "".join(map(str, along[-len(remainders) :]))
                divided |= along[-1] == 0
            assert (verdict == "no") == divided
            assert (verdict == "yes") == (place == len(lines) - 1)
            if verdict == "yes":
                assert math.gcd(int(number), 2 * 3 * 5 * 7) == 1
        assert last == f"Answer: {number}"


def test_a_traced_answer_is_a_uniform_draw_and_proposals_are_as_many_as_chance_takes():
    documents = traced(4000, seed=1)
    answers = Counter(document[-6:-5] for document in documents)
    assert stats.chisquare([answers[digit] for digit in "123456789"]).pvalue > 1e-4
    proposals = np.mean([document.count("\n") for document in documents])
    share = 48 / 210  # of all numbers, those prime to 210
    assert proposals == pytest.approx(1 / share, abs=5 * math.sqrt(1 - share) / share / math.sqrt(4000))


def test_the_entropy_of_a_trace_is_that_of_its_proposals():
    """Each document is decided by its proposals, uniform among 900,000: -ln P = (how many) ln 900,000."""
    catalog = Catalog()
    [kind] = kinds_of(catalog.world("with-traces"), catalog)
    members = sum(math.gcd(n, 210) == 1 for n in range(100_000, 1_000_000))
    assert kind.entropy().value == pytest.approx(900_000 / members * math.log(900_000), rel=1e-9)


def test_a_trace_of_too_many_proposals_is_refused():
    with pytest.raises(InputError, match=r"of 70 proposals one would do on average"):
        Remainders(Sieved(6, "n,n+2,n+6,n+8", 7))
