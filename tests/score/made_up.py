"""Small made-up records, and the truth that they are scored by."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from sampler_bench import load_task
from sampler_bench.models.reference import find_reference
from sampler_bench.score.scores import score
from sampler_bench.score.truth import Truth
from sampler_bench.targets import Target
from sampler_bench.targets.strata import strata

TWINS = load_task("twin-primes-4").target
Law = Callable[[Target, str], np.ndarray]
oracle, feasible, uniform = (
    find_reference(name).law for name in ("oracle", "feasible-uniform", "uniform-digits")
)


def truth(target: Target = TWINS, task: str = "t") -> Truth:
    return Truth(
        task, target, target.information(), target.count(""), target.information_error, stratified=True
    )


def conditionals(
    law: Law,
    numbers: Sequence[str],
    model: str = "m",
    arm: str = "direct",
    target: Target = TWINS,
    task: str = "t",
) -> pd.DataFrame:
    rows = [
        (number_id, k, number[:k], target.conditional(number[:k]).p, law(target, number[:k]))
        for number_id, number in enumerate(numbers)
        for k in range(len(number) + 1)
    ]
    table = pd.DataFrame(rows, columns=["number_id", "position", "prefix", "p", "q"])
    return table.assign(
        task=task,
        model=model,
        arm=arm,
        decoder="ancestral",
        paraphrase="a",
        weight=1 / len(numbers),
        bound=0.0,
        traces=0,
        blind=False,
        traces_of="",
    )


def stratified(law: Law, target: Target, total: int, seed: int = 0, **of: str) -> pd.DataFrame:
    """Conditionals along numbers of each component, as a run reads them."""
    drawn_from, rng = strata(target, total), np.random.default_rng(seed)
    numbers = [number for each in drawn_from for number in each.target.sample(each.numbers, rng)]
    weight = np.repeat([each.weight for each in drawn_from], [each.numbers for each in drawn_from])
    records = conditionals(law, numbers, target=target, **of)
    return records.assign(weight=weight[records["number_id"]])


def samples(answers: Sequence[str | None], target: Target = TWINS, **of: str) -> pd.DataFrame:
    columns = {"task": "t", "model": "m", "arm": "direct", "decoder": "ancestral", "paraphrase": "a"} | of
    valid = [answer is not None and target.contains(answer) for answer in answers]
    costs = {"forward_passes": 5, "completion_tokens": 4, "seconds": 0.5, "log_weight": math.nan, "seed": 0}
    found = pd.DataFrame({"answer": answers, "valid": valid, "response_id": range(len(answers))})
    return found.assign(**columns, **costs, blind=False)


def drawn(size: int, seed: int = 0, target: Target = TWINS) -> list[str]:
    return target.sample(size, np.random.default_rng(seed))


def is_reference(model: str) -> bool:
    return find_reference(model) is not None


def scores(
    records: Sequence[pd.DataFrame], answers: pd.DataFrame | None = None, *truths: Truth
) -> pd.DataFrame:
    scored = score(
        "s",
        truths or [truth()],
        pd.concat(records),
        samples([]) if answers is None else answers,
        is_reference,
    )
    return scored.scores.set_index(["task", "model", "arm", "metric"]).sort_index()


def fond(target: Target, prefix: str) -> np.ndarray:
    """As the support has it, with low digits preferred."""
    law = feasible(target, prefix) * np.append(1 / np.arange(1, 11), 1)
    return law / law.sum()
