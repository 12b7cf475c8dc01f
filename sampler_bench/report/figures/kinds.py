"""Kinds of constraints, by which figures order tasks."""

from collections.abc import Mapping, Sequence

import pandas as pd

FREE, SPARSE, ARITHMETIC, OTHER = "free", "sparse", "arithmetic", "other"
KINDS = {  # in the order of the figures; the families of each
    FREE: (),
    SPARSE: ("polynomials", "powers", "sequences"),
    "digit-structured": ("automaton", "digit-sums", "neighbours", "palindromes", "pattern"),
    ARITHMETIC: ("constellation", "multiples", "prime-range", "sieved", "twin-primes"),
    OTHER: ("distribution", "mixture", "monty-hall"),
}
FREE_INFORMATION = 1.0  # nats: a constraint that tells no more leaves numbers free


def kind_of(family: str, information: float, ln_size: float) -> str:
    """Free, if the constraint tells at most 1 nat, unless it is a law or a game; else that of its family.

    Of a family with no kind: sparse, if the constraint tells more than it leaves.
    """
    known = next((kind for kind, families in KINDS.items() if family in families), "")
    if known != OTHER and information <= FREE_INFORMATION:
        return FREE
    return known or (SPARSE if information > ln_size else OTHER)


def by_kind(tasks: Sequence[str], scores: pd.DataFrame, families: Mapping[str, str]) -> dict[str, list[str]]:
    """The tasks of each kind that has any, from few members to many; those not counted by what they tell."""
    about = {
        metric: scores[scores["metric"] == metric].groupby("task")["value"].first()
        for metric in ("information", "ln-size")
    }
    told, size = ({task: about[metric].get(task, float("nan")) for task in tasks} for metric in about)
    of = {task: kind_of(families.get(task, ""), told[task], size[task]) for task in tasks}
    ordered = sorted(tasks, key=lambda task: (pd.isna(size[task]), size[task], -told[task]))
    return {kind: mine for kind in KINDS if (mine := [task for task in ordered if of[task] == kind])}
