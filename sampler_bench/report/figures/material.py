"""What figures are drawn from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd
from matplotlib.figure import Figure

from sampler_bench.report.figures.style import Row, rows_of
from sampler_bench.score.scores import OVERALL

COMPARED = ("uniform-digits", "feasible-uniform")  # references drawn beside models, digit by digit
GUIDES = ("feasible-uniform", "propose-and-check-")
PLAIN_ARM = "direct"
FEW = 4  # rows of models that a small panel holds

Ladder = Sequence[tuple[float, float]]  # (y, nats)
Drawing = tuple[str, Callable[[], Figure]]  # a figure's name, and what draws it


@dataclass(frozen=True)
class Material:
    """A run as figures see it.

    Attributes
    ----------
    scores, curves : DataFrame
        Of the SCORES and CURVES schema.
    ladders : mapping of str to sequence of (y, nats)
        The sieve ladder of each task that has one.
    is_reference : callable
        Of a model's name.
    families : mapping of str to str
        The family of each task's target, where it is known.
    """

    scores: pd.DataFrame
    curves: pd.DataFrame
    ladders: Mapping[str, Ladder]
    is_reference: Callable[[str], bool]
    families: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def tasks(self) -> list[str]:
        return [task for task in pd.unique(self.scores["task"]) if task != OVERALL]

    @cached_property
    def rows(self) -> list[Row]:
        """Models, then references."""
        return rows_of(self.scores, self.is_reference)

    @cached_property
    def models(self) -> list[Row]:
        return [row for row in self.rows if not self.is_reference(row[0])]

    @cached_property
    def few_models(self) -> list[Row]:
        """The rows of models; where they are many, of each model its direct answer or its first row."""
        if len(self.models) <= FEW:
            return self.models
        chosen: dict[str, Row] = {}
        for row in sorted(self.models, key=lambda row: row[1] != PLAIN_ARM):
            chosen.setdefault(row[0], row)
        return [row for row in self.models if row in chosen.values()]

    @cached_property
    def guides(self) -> list[Row]:
        """The references that do without counting: what can be completed, and trial and error."""
        return [row for row in self.rows if self.is_reference(row[0]) and row[0].startswith(GUIDES)]

    @cached_property
    def beside(self) -> list[Row]:
        """Models and the references that they are compared with; all rows, if there are none of these."""
        return [row for row in self.rows if row in self.models or row[0] in COMPARED] or self.rows

    def tasks_with(self, table: pd.DataFrame, metric: str) -> list[str]:
        """The tasks of which a table has a metric that is known."""
        known = set(table[(table["metric"] == metric) & table["value"].notna()]["task"])
        return [task for task in self.tasks if task in known]
