"""What the command line prints about targets and tasks."""

import math
from decimal import Decimal

from rich.console import Group
from rich.table import Table

from sampler_bench.targets import DIGITS, END, SYMBOLS, Conditional, Mixture, Target
from sampler_bench.tasks import Task

BAR_WIDTH = 40
SYMBOL_NAMES = [*DIGITS, "END"]


def conditional_table(task: Task, prefix: str, conditional: Conditional) -> Group:
    """The exact conditional after a prefix: counts, probabilities and bars."""
    target = task.target
    shown = prefix or "(nothing)"
    if len(shown) > 40:
        shown = f"{shown[:18]}…{shown[-18:]} ({len(prefix)} digits)"
    table = Table(box=None)
    table.add_column("")
    table.add_column("count", justify="right")
    table.add_column("P", justify="right")
    table.add_column("")
    counts = _child_counts(target, prefix)
    for name, count, p in zip(SYMBOL_NAMES, counts, conditional.p, strict=True):
        if name != "END" or p > 0:
            table.add_row(name, _count(count), f"{p:.6f}", "█" * round(BAR_WIDTH * float(p)))
    posterior = _posterior_lines(target, prefix) if isinstance(target, Mixture) else []
    entropy = sum(-p * math.log(p) for p in conditional.p if 0 < p < 1)
    return Group(
        f"{task.title}: next symbol after {shown}",
        table,
        f"entropy {entropy:.4f} nats ({entropy / math.log(2):.4f} bits), method {conditional.method}"
        + (f", error at most {conditional.bound:.1e} nats" if conditional.bound else ""),
        *posterior,
    )


def _posterior_lines(target: Mixture, prefix: str) -> list[str]:
    shares = zip(target.posterior(prefix), target.components, strict=True)
    return ["where it comes from:", *(f"  {share:.6f}  {component}" for share, component in shares)]


def _child_counts(target: Target, prefix: str) -> list[int | None]:
    """Members that go on with each digit, and that end; None where they are not counted."""
    total = target.count(prefix)
    if total is None:
        return [None] * SYMBOLS
    digits = [0] * END if len(prefix) == target.digits else [target.count(prefix + digit) for digit in DIGITS]
    return [*digits, total - sum(digits)]


def _count(count: int | None) -> str:
    if count is None:
        return "–"  # not known, or not a matter of counting
    return f"{count:,}" if count < 10**12 else f"{Decimal(count):.4e}"  # a float ends at 308 digits


def task_table(tasks: list[Task]) -> Table:
    """Name, title and information of tasks."""
    table = Table(box=None)
    table.add_column("task", no_wrap=True)
    table.add_column("title")
    table.add_column("members", justify="right")
    table.add_column("I(S), nats", justify="right")
    table.add_column("bits", justify="right")
    for task in tasks:
        nats = task.target.information()
        bits = nats / math.log(2)
        table.add_row(task.name, task.title, _count(task.target.count("")), f"{nats:.3f}", f"{bits:.3f}")
    return table
