"""What the README says was found, made again from the published scores: every sentence of that section.

Figures are filled in; signs, orders and intervals are asserted.
"""

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
MODEL = "smollm2-135m"
spec = importlib.util.spec_from_file_location("essay_of_findings", ROOT / "results" / "essay.py")
assert spec
assert spec.loader
essay = importlib.util.module_from_spec(spec)
spec.loader.exec_module(essay)
FINDINGS: list[Callable[[], str]] = []


def finding(say: Callable[[], str]) -> Callable[[], str]:
    FINDINGS.append(say)
    return say


def quick(metric: str, model: str = MODEL) -> pd.DataFrame:
    """Scores of a model by task and arm; (overall) is a task."""
    scores = essay.Evidence().suite("quick")
    mine = scores[(scores["metric"] == metric) & (scores["model"] == model) & scores["value"].notna()]
    return mine.set_index(["task", "arm"])


def span(values: pd.Series | list[float]) -> str:
    least, most = (round(float(value), 2) + 0.0 for value in (min(values), max(values)))  # no -0.00
    return f"{least:.2f} to {most:.2f}"


@finding
def what_a_small_model_learns() -> str:
    evidence = essay.Evidence()
    skill = {
        document.task: evidence.trained("jukebox", document.task)["skill"]
        for document in essay.Catalog().world("jukebox").documents
    }
    learnt = {task: row["value"] for task, row in skill.items() if row["low"] > 0.98}
    not_learnt = {task: row["value"] for task, row in skill.items() if row["high"] < 0.03}
    assert {*learnt} == {"even-6", "powers-of-2-6", "odd-not-5-6", "not-falling-6"}
    assert {*not_learnt} == {"multiples-of-7-6", "digit-sum-27-6"}
    assert 0.2 < skill["twin-primes-6"]["low"] < skill["twin-primes-6"]["high"] < 0.3
    return (
        "**A small model learns what needs no sums**: one of 400,000 parameters, trained on exact draws of eight kinds of "
        f"6-digit numbers, has a skill of {span([*learnt.values()])} at even numbers, powers of 2, numbers of odd digits "
        f"but 5 and digits that do not fall, {skill['palindromes-6']['value']:.2f} at palindromes, "
        f"{skill['twin-primes-6']['value']:.2f} at twin primes, and {span([*not_learnt.values()])} at multiples of 7 and "
        "the digit sum 27."
    )


@finding
def no_arm_is_above_uniform_digits() -> str:
    overall = quick("skill").xs("(overall)", level="task")
    assert len(overall) == 8
    assert (overall["value"] < 0).all()
    above = (overall["low"] > 0).sum()
    assert above == 0
    return (
        f"**A model of 135 million parameters knows no more than uniform digits**: asked in {len(overall)} ways whose "
        f"laws can be read, its overall skill is {span(overall['value'])}, and in none of them above 0."
    )


@finding
def what_it_takes_up() -> str:
    uptake, validity = quick("uptake"), quick("validity")
    overall = uptake.xs("(overall)", level="task")
    powers = uptake.xs("powers-of-2-6", level="task")
    assert [*overall[overall["low"] > 0].index] == ["stated-law"]
    assert (powers["low"] > 0.1).all()
    assert (validity.xs("powers-of-2-6", level="task")["value"] == 0).all()
    row = overall.loc["stated-law"]
    return (
        f"**The words are worth little to it**: uptake is {span(overall['value'])}, above 0 only where the prompt "
        f"says how likely what is ({row['value']:.2f}, 95 % from {row['low']:.2f} to {row['high']:.2f}). Of the three "
        f"6-digit powers of 2 it takes up {span(powers['value'])}, and none of its answers is one."
    )


@finding
def what_it_writes() -> str:
    samples = pd.read_parquet(essay.PUBLISHED / "quick" / "samples.parquet")
    mine = samples[samples["model"] == MODEL]
    thinking = mine[mine["arm"].isin(["cot", "verify"])]
    found, valid = thinking["answer"].notna().sum(), thinking["valid"].eq(True).sum()
    even = mine[mine["valid"].eq(True)]["task"].isin(["even-6", "even-100"]).mean()
    assert valid == 0
    assert even > 0.5
    return (
        f"**Thinking does not help it**: of {len(thinking)} responses that were to think or to check first, "
        f"{found} had an answer and none a valid one. Over all arms {mine['valid'].eq(True).sum()} of {len(mine)} "
        "responses are valid, most of them even numbers."
    )


@finding
def what_compute_and_memory_are_worth() -> str:
    twins = [f"twin-primes-{digits}" for digits in (3, 4, 6, 9)]
    feasible, proposed, recalled = (
        quick("skill", model)["value"].droplevel("arm")
        for model in ("feasible-uniform", "propose-and-check-64", "recall-100-else-propose-64")
    )
    assert (feasible[twins] > 0.9).all()
    assert proposed["twin-primes-9"] < proposed["twin-primes-6"] < proposed["twin-primes-4"]
    assert recalled["powers-of-3-100"] == pytest.approx(1)
    return (
        "**Bounded samplers know where the difficulty lies**: to know which digits can still be completed, without "
        f"counting how many ways, is worth {span(feasible[twins])} of the information on twin primes of 3 to 9 digits. To "
        f"propose and check 64 times is worth {proposed['twin-primes-9']:.2f} at 9 digits and "
        f"{proposed['powers-of-3-100']:.2f} on 100-digit powers of 3, which one has to know."
    )


@finding
def what_a_hidden_intent_and_a_second_language_need() -> str:
    evidence = essay.Evidence()
    share = evidence.trained("hidden-intent", "twins-one-in-ten-6")["component-1"]
    alone, both = (
        evidence.switching[evidence.switching["task"] == world].set_index("zeros")
        for world in ("monolingual", "bilingual")
    )
    assert share["high"] < share["floor"] / 2
    assert (alone["high"] < 0.001).all()
    assert ((both["mass"] - both["truth"]).abs() < 0.01).loc[[1, 2]].all()
    assert both.loc[3, "high"] < both.loc[3, "truth"] / 2
    return (
        f"**A rare hidden intent is not carried out**: of a model trained on numbers of which one in ten is meant to be "
        f"a twin prime, {share['value']:.1%} are (95 % from {share['low']:.1%} to {share['high']:.1%}). **Who has met no bilinguals "
        f"does not switch**: asked by 0, 00 or 000, it gives the other language at most {alone['high'].max():.4f}; where one "
        f"in five switches, {both.loc[1, 'mass']:.3f} after 0 ({both.loc[1, 'truth']:.3f} is right), but after 000, which is "
        f"rare, {both.loc[3, 'mass']:.3f} ({both.loc[3, 'truth']:.3f})."
    )


def small_model_in_the_picture() -> str:
    of_twins = essay.Evidence().trained("jukebox", "twin-primes-6")["skill"]
    sieved = {y: quick("skill", f"sieve-{y}").loc[("twin-primes-6", "direct"), "value"] for y in (2, 5)}
    assert sieved[2] < of_twins["low"] < of_twins["high"] < sieved[5]
    return (
        f"of twin primes (skill {of_twins['value']:.2f}) more than trial division by 2 tells ({sieved[2]:.2f}), and less "
        f"than that by 2, 3 and 5 ({sieved[5]:.2f})"
    )


def model_along_the_numbers() -> str:
    scores = essay.Evidence().suite("spectrum")
    skill = scores[(scores["metric"] == "skill") & (scores["task"] != "(overall)")]
    mine = skill[(skill["model"] == MODEL) & (skill["arm"] == "direct")]
    feasible = skill[skill["model"] == "feasible-uniform"].set_index("task")["value"]
    middle = ["not-falling-12", "digit-sum-100-12", "digit-sum-54-12"]
    assert {*feasible.nsmallest(3).index} == {*middle}
    assert mine["value"].max() < 0.25
    return (
        f"is worth {feasible.drop(middle).min():.2f} of the information or more, but for digit sums and numbers whose "
        f"digits do not fall ({span(feasible[middle])}): there one has to count. A model of 135 million parameters, asked "
        f"directly, has a skill above 0 at {(mine['low'] > 0).sum()} of {len(mine)} tasks, and of 0.25 at none."
    )


def test_the_method_names_the_uptake_that_was_mere_fondness():
    row = quick("uptake-all").loc[("even-100", "stated-law")]
    told = quick("validity").loc[("even-100", "stated-law"), "value"]
    assert told == 0
    said = f"an uptake-all of {row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
    assert said in " ".join((ROOT / "docs" / "method.md").read_text().split())


@pytest.mark.parametrize("say", [small_model_in_the_picture, model_along_the_numbers])
def test_captions_say_what_the_published_scores_say(say):
    assert say() in " ".join(README.split())


def section() -> list[str]:
    """The paragraphs, each on one line."""
    (text,) = re.findall(r"^## What is known so far\n(.*?)^## ", README, re.MULTILINE | re.DOTALL)
    return [" ".join(each.split()) for each in re.split(r"^\* ", text, flags=re.MULTILINE)[1:]]


def test_every_finding_is_what_the_published_scores_say():
    assert section() == [say() for say in FINDINGS]


if __name__ == "__main__":
    import textwrap

    for each in (small_model_in_the_picture, model_along_the_numbers):
        print(each())
    for each in FINDINGS:
        print(textwrap.fill(f"* {each()}", 118, subsequent_indent="  ", break_long_words=False))
