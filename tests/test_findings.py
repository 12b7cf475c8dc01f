"""What the README says was found, made again from the published scores: every sentence of that section.

Figures are filled in; signs, orders and intervals are asserted.
"""

import importlib.util
import json
import math
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
def what_small_models_learn() -> str:
    kinds, size = skill_by_kind()
    easy = [row for kind in ("few", "digit-structured", "free") for row in kinds[kind].values()]
    hard = {task: row["value"] for task, row in kinds["arithmetic"].items()}
    assert {*hard} == {"primes-6", "twin-primes-6", "sieved-13-6", "multiples-of-7-6"}
    assert min(row["low"] for row in easy) > 0.98
    assert max(row["high"] for row in kinds["arithmetic"].values()) < 0.45
    assert {*kinds["sparse"]} == {"squares-6", "triangular-6"}
    squares, triangular = kinds["sparse"]["squares-6"], kinds["sparse"]["triangular-6"]
    assert squares["low"] > 0.98
    del hard["multiples-of-7-6"]
    return (
        f"**Easy at both ends, and in between hard where there is something to compute**: {sum(map(len, kinds.values()))} models of "
        f"{size:,} parameters, each trained on exact draws of one kind of 6-digit numbers, reach a skill of "
        f"{span([row['value'] for row in easy])} where there are few such numbers, where nearly anything goes and where the digits "
        f"follow a pattern or a sum, and {squares['value']:.2f} at squares; {triangular['value']:.2f} at triangular numbers, "
        f"{span([*hard.values()])} at primes, twin primes and what 2 to 13 do not divide, and "
        f"{span([kinds['arithmetic']['multiples-of-7-6']['value']]).split()[0]} at multiples of 7."
    )


@finding
def what_written_checks_are_worth() -> str:
    evidence, task = essay.Evidence(), "no-factor-below-11-6"
    without, checked = (evidence.trained(world, task) for world in ("without-traces", "with-traces"))
    at_once, valid = without["validity"], checked["validity"]
    anyone = 1 / math.exp(without["information"]["value"])  # of uniform digits
    by_3_and_7 = math.log(3 / 2) + math.log(7 / 6)
    assert valid["low"] > 0.95
    assert at_once["high"] < 0.75
    assert without["content"]["value"] == pytest.approx(by_3_and_7, abs=0.005)
    return (
        f"**Thinking helps where it was learnt**: asked for numbers without a factor below 11 ({anyone:.0%} of all), a model trained "
        f"on {at_once['tokens_seen'] / 1e6:.1f} million tokens of answers is right in {at_once['value']:.0%} of its own (95 % from "
        f"{at_once['low']:.0%} to {at_once['high']:.0%}). It has learnt division by 2 and 5, and lacks "
        f"{without['content']['value']:.3f} nats, which is what 3 and 7 tell ({by_3_and_7:.3f}). One of the same size, trained on as "
        f"many tokens of proposals whose remainders are written down, is right in {valid['value']:.0%} (from {valid['low']:.0%})."
    )


@finding
def what_is_lost_in_a_jukebox() -> str:
    skills = {task: rows for task, *rows in essay.personae(essay.Evidence())}
    lost = {task: alone["value"] - together["value"] for task, (together, alone, _) in skills.items()}
    together, alone, early = skills["digit-sum-27-6"]
    kept = [loss for task, loss in lost.items() if task not in ("digit-sum-27-6", "palindromes-6")]
    assert max(kept) < 0.02
    assert together["high"] < early["low"] < early["high"] < alone["low"]
    return (
        f"**A jukebox costs little, but not nothing**: one such model, trained on {len(skills)} kinds at once and asked for each by its "
        f"name, loses at most {max(kept):.2f} of skill at {len(kept)} of them, {lost['palindromes-6']:.2f} at palindromes, and the "
        f"digit sum 27 nearly whole: {together['value']:.2f}, where a model for it alone has {alone['value']:.2f}, and had "
        f"{early['value']:.2f} after as many numbers of it."
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
        f"**Nor does thinking help that one**: of {len(thinking)} responses that were to think or to check first, "
        f"{found} had an answer and none a valid one. Over all arms {mine['valid'].eq(True).sum()} of {len(mine)} "
        "responses are valid, most of them even numbers."
    )


@finding
def what_larger_models_take_up() -> str:
    scores = essay.Evidence().suite("larger")
    few_shot = scores[(scores["arm"] == "few-shot") & (scores["task"] == "(overall)")].set_index(
        ["metric", "model"]
    )
    names = ("gemma3-270m", "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b")
    uptake, skill = ([few_shot.loc[(metric, name)] for name in names] for metric in ("uptake", "skill"))
    assert [row["low"] > 0 for row in uptake] == [False, True, True]
    assert not any(row["low"] > 0 for row in skill)
    numbers = json.loads((essay.PUBLISHED / "larger" / "manifest.json").read_text())["settings"]["numbers"]
    said = [f"{row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}]" for row in uptake]
    samples = pd.read_parquet(essay.PUBLISHED / "larger" / "samples.parquet")
    thinking = samples[samples["arm"] == "cot"]
    assert {*thinking["model"]} == {names[1]}
    assert thinking["valid"].eq(True).mean() < 0.1
    return (
        f"**Larger models take the words up**: few-shot, along {numbers} numbers a task, uptake is {said[0]} for "
        f"Gemma 3 270M, {said[1]} for Qwen2.5-Coder 0.5B and {said[2]} for 1.5B, and overall skill {span([row['value'] for row in skill])}, "
        f"with 0 in each interval. Of {len(thinking)} responses in which the second was to think first, "
        f"{thinking['answer'].notna().sum()} had an answer and {thinking['valid'].eq(True).sum()} a valid one. (Weights in 4 bits, as "
        "repackaged by others: not their makers' figures.)"
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


def skill_by_kind() -> tuple[dict[str, dict[str, pd.Series]], int]:
    """Of the models that learnt one kind of numbers each, by kind and task; and their size."""
    evidence, kinds, sizes = essay.Evidence(), {}, set()
    for task in essay.Catalog().suite(essay.GRID).tasks:
        scores = evidence.trained(task)
        if "skill" in scores:
            kinds.setdefault(essay.kind_of_set(task, scores), {})[task] = scores["skill"]
            sizes.add(int(scores["skill"]["parameters"]))
    (size,) = sizes
    return kinds, size


def small_models_in_the_picture() -> str:
    of_twins = essay.Evidence().trained("twin-primes-6")["skill"]
    sieved = {y: quick("skill", f"sieve-{y}").loc[("twin-primes-6", "direct"), "value"] for y in (2, 5)}
    assert sieved[2] < of_twins["low"] < of_twins["high"] < sieved[5]
    return (
        f"at twin primes more than trial division by 2 tells ({sieved[2]:.2f}), and less than that by 2, 3 and 5 "
        f"({sieved[5]:.2f})"
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


@pytest.mark.parametrize("say", [small_models_in_the_picture, model_along_the_numbers])
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

    for each in (small_models_in_the_picture, model_along_the_numbers):
        print(each())
    for each in FINDINGS:
        print(textwrap.fill(f"* {each()}", 118, subsequent_indent="  ", break_on_hyphens=False))
