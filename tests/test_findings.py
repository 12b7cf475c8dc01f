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
HARD = ("primes-6", "twin-primes-6", "sieved-13-6", "multiples-of-7-6")  # as the sentence names them
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
    squares, triangular = (kinds["sparse"][task] for task in ("squares-6", "triangular-6"))
    hard = {task: kinds["arithmetic"][task]["value"] for task in HARD}
    worth = {
        task: essay.worth_of_the_last_digit(task, essay.Evidence().trained(task))
        for task in kinds["arithmetic"]
    }
    assert min(row["low"] for row in [*easy, squares]) > 0.98
    assert {*hard} == {*kinds["arithmetic"]}
    assert all(abs(hard[task] - worth[task]) < 0.01 for task in hard)
    return (
        f"**Easy at both ends; in between, what takes remainders is hard**: {sum(map(len, kinds.values()))} models of {size:,} "
        f"parameters, each trained on exact draws of one kind of 6-digit numbers, reach a skill of "
        f"{span([row['value'] for row in easy])} where there are few such numbers, where nearly anything goes, and where the digits "
        f"follow a pattern, an order or a sum, though there one has to count; {squares['value']:.2f} at squares, "
        f"{between(triangular)} at triangular numbers. At primes, twin primes, pairs without a factor below 17 and "
        f"multiples of 7 they know the law of the last digit and hardly more: {each_of(hard)}, where that alone is worth "
        f"{each_of({task: worth[task] for task in hard})}."
    )


@finding
def what_written_checks_are_worth() -> str:
    evidence, task = essay.Evidence(), "no-factor-below-11-6"
    without, checked = (evidence.trained(world, task) for world in ("without-traces", "with-traces"))
    at_once, valid = without["validity"], checked["validity"]
    anyone = 1 / math.exp(without["information"]["value"])  # of uniform digits
    by_2_and_5, by_3_and_7 = 2 / 3 * 6 / 7, math.log(3 / 2) + math.log(7 / 6)
    assert at_once["low"] < by_2_and_5 < at_once["high"]
    assert valid["low"] > 0.95
    assert at_once["high"] < 0.75
    assert without["content"]["value"] == pytest.approx(by_3_and_7, abs=0.005)
    return (
        f"**Thinking helps where it was learnt**: asked for numbers without a factor below 11 ({anyone:.0%} of all), a model trained "
        f"on {at_once['tokens_seen'] / 1e6:.1f} million tokens of answers gives such a number in {at_once['value']:.0%} of them (95 % "
        f"from {at_once['low']:.0%} to {at_once['high']:.0%}; {by_2_and_5:.0%} is what division by 2 and 5 gives): it lacks "
        f"{without['content']['value']:.3f} nats, which is what 3 and 7 tell ({by_3_and_7:.3f}). One of the same size, trained on as "
        f"many tokens of proposals whose remainders are written down, gives one in {valid['value']:.0%} (from {valid['low']:.0%})."
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
        f"**A jukebox costs most kinds nothing, and one nearly all**: one such model, trained on {len(skills)} kinds at once and asked "
        f"for each by its name, loses at most {max(kept):.2f} of skill at {len(kept)} of them (multiples of 7 among them, which no "
        f"such model learns), {lost['palindromes-6']:.2f} at palindromes, and of the digit sum 27 keeps {between(together)}, where a "
        f"model for it alone has {alone['value']:.2f}, and had {early['value']:.2f} after as many numbers of it. The mean loss is "
        f"{sum(lost.values()) / len(lost):.2f}."
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
        f"**Two of three larger models take the words up**: few-shot, along {numbers} numbers a task, uptake is {said[0]} for "
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
    anyone = evidence.reference("feasible-uniform", "hidden-intent")["component-1"]
    alone, both = (
        evidence.switching[evidence.switching["task"] == world].set_index("zeros")
        for world in ("monolingual", "bilingual")
    )
    assert share["high"] < share["floor"] / 2
    assert (alone["high"] < 0.001).all()
    assert ((both["mass"] - both["truth"]).abs() < 0.01).loc[[1, 2]].all()
    assert both.loc[3, "high"] < both.loc[3, "truth"] / 2
    return (
        f"**A rare hidden intent is hardly carried out**: of the answers of a model trained on numbers of which one in ten is meant "
        f"to be a twin prime, {share['value']:.1%} [{share['low']:.1%}, {share['high']:.1%}] are meant so by their posterior, where "
        f"{share['floor']:.0%} is right, and a sampler that knows nothing of it has {anyone['value']:.1%} [{anyone['low']:.1%}, "
        f"{anyone['high']:.1%}]. **Who has met no bilinguals "
        f"does not switch**: asked by 0, 00 or 000, it gives the other language at most {alone['high'].max():.4f}; where one "
        f"in five switches, {both.loc[1, 'mass']:.3f} after 0 ({both.loc[1, 'truth']:.3f} is right), but after 000, which is "
        f"rare, {both.loc[3, 'mass']:.3f} ({both.loc[3, 'truth']:.3f})."
    )


@finding
def what_is_known_of_monty_hall() -> str:
    other = essay.Evidence().other_door
    other = other[[essay.find_reference(name) is None for name in other.index.get_level_values("model")]]
    asked = other[other.index.get_level_values("arm") != "stated-law"]
    mean = asked.groupby(["task", "model", "arm"]).mean()
    hall, fall = mean["monty-hall"], mean["monty-fall"]
    assert hall.max() < 0.6
    return (
        f"**No model here knows Monty Hall**: of what the {hall.index.get_level_values('model').nunique()} models give the two doors "
        f"that are shut, the other one has {span(hall)} (0.67 is right), and in Monty Fall, where 0.50 is right, as much to within "
        f"{(hall - fall).abs().max():.2f}."
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


def between(row: pd.Series) -> str:
    return f"{row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"


def each_of(values: dict[str, float]) -> str:
    *most, last = (f"{round(value, 2) + 0.0:.2f}" for value in values.values())
    return f"{', '.join(most)} and {last}"


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


@pytest.mark.parametrize("say", [model_along_the_numbers])
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

    print(model_along_the_numbers())
    for each in FINDINGS:
        print(textwrap.fill(f"* {each()}", 118, subsequent_indent="  ", break_on_hyphens=False))
