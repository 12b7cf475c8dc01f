"""What the command line prints about targets and tasks."""

import math
from decimal import Decimal
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table

from sampler_bench.plain import one_line
from sampler_bench.report.columns import Column, fitted
from sampler_bench.targets import DIGITS, END, SYMBOLS, Conditional, Target
from sampler_bench.tasks import Task

if TYPE_CHECKING:
    from sampler_bench.targets import Mixture
    from sampler_bench.tasks.sizes import Size

BAR_WIDTH = 40
NARROW = 60  # columns of a terminal, below which bits are left out beside nats
WIDTH_OF_P = 21  # columns that END, P and the space around four columns take
UNKNOWN = "–"  # or not a matter of counting
SYMBOL_NAMES = [*DIGITS, "END"]


def conditional_table(task: Task, prefix: str, conditional: Conditional, width: int) -> Group:
    """The exact conditional after a prefix: counts, probabilities, and bars as wide as there is room for."""
    from sampler_bench.targets.families.mixtures import Mixture

    target = task.target
    shown = prefix or "(nothing)"
    if len(shown) > 40:
        shown = f"{shown[:18]}…{shown[-18:]} ({len(prefix)} digits)"
    table = Table(box=None)
    table.add_column("")
    table.add_column("count", justify="right")
    table.add_column("P", justify="right")
    table.add_column("")
    counts = [*map(_count, _child_counts(target, prefix))]
    widest_bar = max(0, min(BAR_WIDTH, width - WIDTH_OF_P - max(map(len, counts))))
    for name, count, p in zip(SYMBOL_NAMES, counts, conditional.p, strict=True):
        if name != "END" or p > 0:
            table.add_row(name, count, f"{p:.6f}", "█" * round(widest_bar * float(p)))
    posterior = _posterior_lines(target, prefix) if isinstance(target, Mixture) else []
    entropy = sum(-p * math.log(p) for p in conditional.p if 0 < p < 1)
    return Group(
        f"{task.title}: next symbol after {shown}",
        table,
        f"entropy {entropy:.4f} nats ({entropy / math.log(2):.4f} bits), method {conditional.method}"
        + (f", error at most {conditional.bound:.1e} nats" if conditional.bound else ""),
        *posterior,
    )


def _posterior_lines(target: "Mixture", prefix: str) -> list[str]:
    shares = zip(target.posterior(prefix), target.components, strict=True)
    return ["where it comes from:", *(f"  {share:.6f}  {component}" for share, component in shares)]


def _child_counts(target: Target, prefix: str) -> list[int | None]:
    """Members that go on with each digit, and that end; None where they are not counted."""
    total = target.count(prefix)
    if total is None:
        return [None] * SYMBOLS
    if len(prefix) == target.digits:
        return [*[0] * END, total]
    digits = [target.count(prefix + digit) for digit in DIGITS]
    counted = [count for count in digits if count is not None]
    return [*digits, total - sum(counted) if len(counted) == len(digits) else None]


def _count(count: int | None) -> str:
    if count is None:
        return UNKNOWN
    return f"{count:,}" if count < 10**12 else f"{Decimal(count):.4e}"  # a float ends at 308 digits


def task_tables(listed: list[tuple[Task, "Size"]], width: int) -> list[Table]:
    """Name, title and information of tasks; a dash where that takes a package that is not installed."""
    tasks, rows = [task for task, _ in listed], [_cells(size) for _, size in listed]
    keys = [
        Column("task", [task.name for task in tasks]),
        Column("title", [one_line(task.title) for task in tasks], sentences=True),
    ]
    headings = ("members", "I(S), nats", "bits")
    if width < NARROW:
        headings, rows = headings[:2], [row[:2] for row in rows]
    numbers = [Column(*column) for column in zip(headings, zip(*rows, strict=True), strict=True)]
    return fitted(keys, numbers, width)


def _cells(size: "Size") -> tuple[str, str, str]:
    if size.information is None:
        return UNKNOWN, UNKNOWN, UNKNOWN
    return _count(size.members), f"{size.information:.3f}", f"{size.information / math.log(2):.3f}"
