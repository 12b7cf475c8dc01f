"""Suites as tasks of inspect_ai: what is asked, and how what is answered is found, judged and told."""

import collections
import json
import math
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("inspect_ai")

import sympy
from inspect_ai._util.error import PrerequisiteError
from inspect_ai._util.registry import registry_lookup
from inspect_ai.model import get_model

from sampler_bench.plugins import inspect_tasks
from sampler_bench.tasks import Catalog
from tests.plugins.conftest import INSPECTS_OWN, mocked

pytestmark = INSPECTS_OWN

ROOT = Path(__file__).parents[2]


def drawn(rng, low=100_000, high=1_000_000):
    return lambda *_: f"Here you are: {rng.integers(low, high)}."


def metrics(log, scorer="answers"):
    (found,) = [score for score in log.results.scores if score.name == scorer]
    return {name: metric.value for name, metric in found.metrics.items()}


def number(sample) -> int:
    return int(re.search(r"[0-9]+", sample.output.completion)[0])


def test_inspect_finds_every_suite_where_the_package_says():
    entry = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["inspect_ai"]
    assert entry == {"sampler_bench": inspect_tasks.__name__}
    for suite in Catalog().suite_names():
        assert registry_lookup("task", f"sampler_bench/{suite}"), suite


def test_a_suite_asks_for_what_its_own_run_would(evaluated):
    asked = []
    log = evaluated(mocked(lambda *said: asked.append(said) or "7"), "sampler_bench/quick", samples=6)
    assert log.status == "success", log.error
    suite, arm = Catalog().suite("quick"), Catalog().arm("direct")
    assert {sample.id for sample in log.samples} == {
        f"{task}:{paraphrase.name}" for task in suite.tasks for paraphrase in arm.paraphrases
    }
    assert len(log.samples) == len(asked) == 6 * len(suite.tasks)
    for chat, config in asked:
        digits = 100 if "100-digit" in chat[-1].text else 9
        assert (config.temperature, config.top_p, config.stop_seqs) == (1.0, None, None)
        assert arm.tokens < config.max_tokens <= arm.tokens + digits
    assert len({config.seed for _, config in asked}) == len(asked)


def test_answers_are_shared_over_wordings_as_in_our_own_runs(evaluated):
    asked = []
    log = evaluated(mocked(lambda *said: asked.append(said) or "123456"), suite="even-6", samples=8)
    answered = collections.Counter(sample.id for sample in log.samples if sample.scores)
    assert answered == {"even-6:plain": 3, "even-6:generator": 3, "even-6:question": 2}
    assert len(asked) == 8


def test_seeds_are_the_parameters_and_each_response_has_its_own(evaluated):
    def seeds(seed):
        return {
            s.store["seed"]
            for s in evaluated(mocked(lambda *_: "1"), suite="even-6", samples=9, seed=seed).samples
        }

    first, again, other = seeds(0), seeds(0), seeds(1)
    assert first == again
    assert len(first) == 9
    assert not first & other


def test_validity_answered_and_their_error_are_what_a_hand_finds(evaluated):
    rng = np.random.default_rng(0)

    def say(chat, _):
        if "generator" in chat[0].text:  # one wording knows
            return str(2 * rng.integers(50_000, 500_000))
        return "I'd rather not" if rng.random() < 0.3 else f"{rng.integers(100_000, 1_000_000)}"

    log = evaluated(mocked(say), suite="even-6", samples=30)
    hits = {wording: [] for wording in ("plain", "generator", "question")}
    found = 0
    for sample in log.samples:
        match = re.search(r"[0-9]+", sample.output.completion)
        found += bool(match)
        hits[sample.metadata["wording"]].append(bool(match) and int(match[0]) % 2 == 0)
    share = sum(map(sum, hits.values())) / 30
    told = metrics(log)
    assert told["validity"] == told["validity even-6"] == pytest.approx(share)
    assert told["answered"] == pytest.approx(found / 30)
    assert told["validity low"] < share < told["validity high"]
    of_clusters = sum((sum(each) - share * len(each)) ** 2 for each in hits.values())
    assert told["stderr"] == pytest.approx(math.sqrt(of_clusters * 3 / 2) / 30)


def test_answers_that_are_drawn_as_the_truth_is_pass_the_tests_of_evenness(evaluated):
    rng = np.random.default_rng(1)
    told = metrics(
        evaluated(mocked(lambda *_: str(2 * rng.integers(50_000, 500_000))), suite="even-6", samples=60)
    )
    p = {name: value for name, value in told.items() if " p " in name}
    assert {"leading-digit p even-6", "last-digit p even-6", "mod-7 p even-6", "duplicates p even-6"} <= set(
        p
    )
    assert min(p.values()) > 0.05


def test_evenness_tells_of_a_fondness(evaluated):
    rng = np.random.default_rng(2)
    log = evaluated(mocked(lambda *_: f"7{rng.integers(10_000, 100_000)}"), suite="even-6", samples=30)
    told = metrics(log)
    assert told["leading-digit even-6"] == pytest.approx(8 / 9)  # of the nine leading digits one is written
    assert told["leading-digit p even-6"] < 0.01
    ends = collections.Counter(number(sample) % 10 for sample in log.samples)
    apart = sum(abs(ends[digit] / 30 - (0.2 if digit % 2 == 0 else 0)) for digit in range(10)) / 2
    assert told["last-digit even-6"] == pytest.approx(apart)


def test_the_log_says_the_truth_beside_each_answer(evaluated):
    rng = np.random.default_rng(3)
    log = evaluated(mocked(drawn(rng, 100, 1000)), suite="twin-primes-3", samples=30)
    for sample in log.samples:
        score, n = sample.scores["answers"], number(sample)
        member = sympy.isprime(n) and (sympy.isprime(n - 2) or sympy.isprime(n + 2))
        assert score.value == ("C" if member else "I")
        assert score.answer == str(n)
        (judged,) = score.metadata["answers"]
        assert judged["valid"] == member == (not judged["why_not"])
        assert Catalog().task("twin-primes-3").phrase in score.explanation
        assert judged["why_not"] in score.explanation
        assert score.metadata["first_digit"]["1"] == pytest.approx(14 / 54)  # docs/method.md, worked example
        assert "7" not in score.metadata["first_digit"]
    assert any(
        "divided" in s.scores["answers"].explanation or "=" in s.scores["answers"].explanation
        for s in log.samples
    )


def test_a_batch_is_scored_by_its_share_of_members(evaluated):
    log = evaluated(
        mocked(lambda *_: "100000\n100001\n100002\nand no more"), suite="even-6", arm="batch", samples=16
    )
    (asked,) = {len(sample.scores["answers"].metadata["answers"]) for sample in log.samples if sample.scores}
    assert {sample.scores["answers"].value for sample in log.samples if sample.scores} == {2 / asked}
    assert metrics(log)["answered"] == pytest.approx(3 / asked)


def test_an_arm_that_gives_random_digits_gives_each_response_its_own(evaluated):
    asked = []
    log = evaluated(
        mocked(lambda *said: asked.append(said) or "123456"), suite="even-6", arm="given-seed", samples=6
    )
    given = {re.search(r"[0-9]{12,}", chat[-1].text)[0] for chat, _ in asked}
    assert len(given) == 6
    assert {
        next(iter(given & {*re.findall(r"[0-9]{12,}", s.messages[-2].text)})) for s in log.samples
    } == given


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"arm": "reasoning"}, "cuts the thinking at a budget"),
        ({"arm": "reasoning-128"}, "cuts the thinking at a budget"),
        ({"arm": "direkt"}, "did you mean 'direct'"),
        ({"arm": ["direct", "cot"]}, "one name is needed"),
        ({"arm": "few-shot"}, "name the model as vllm-completions/"),
        ({"numbers": "x"}, "a whole number is needed"),
        ({"numbers": 0}, "at least 1"),
        ({"samples": 1.5}, "a whole number is needed"),
        ({"samples": True}, "a whole number is needed"),
        ({"seed": -1}, "at least 0"),
        ({"laws": "yes"}, "true, false or auto"),
        ({"laws": True}, "laws are read from vLLM alone"),
        ({"laws": True, "arm": "cot"}, "no laws that can be read at the start"),
        ({"tasks": "nowhere"}, "no folder of tasks at nowhere"),
        ({"suite": "evn-6"}, "did you mean 'even-6'"),
    ],
)
def test_bad_parameters_are_one_sentence(evaluated, said, sentence):
    with pytest.raises(PrerequisiteError, match=re.escape(sentence)) as refused:
        evaluated(mocked(lambda *_: "1"), **{"suite": "even-6", **said})
    assert "\n" not in refused.value.message


def test_epochs_beyond_the_answers_are_refused_with_what_would_be_right(evaluated):
    log = evaluated(mocked(lambda *_: "1"), suite="even-6", samples=3, epochs=2)
    assert log.status == "error"
    assert "-T samples=N in place of --epochs" in log.error.message


def test_a_chat_is_not_asked_of_what_continues_texts(evaluated):
    model = get_model("vllm-completions/fake", base_url="http://127.0.0.1:1/v1")
    with pytest.raises(PrerequisiteError, match="continues texts"):
        evaluated(model, suite="even-6")


def test_a_folder_of_ones_own_is_found(evaluated, tmp_path):
    task = {"title": '"t"', "version": 1, "phrase": '"5-digit multiple of 7"'}
    target = {"family": '"multiples"', "digits": 5, "modulus": 7}
    lines = [*(f"{k} = {v}" for k, v in task.items()), "[target]", *(f"{k} = {v}" for k, v in target.items())]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "sevens.toml").write_text("\n".join(lines))
    log = evaluated(mocked(lambda *_: "10003"), suite="sevens", samples=3, tasks=str(tmp_path / "mine"))
    assert metrics(log)["validity"] == 1.0
    assert json.dumps(log.eval.metadata)
