"""The truth along the numbers of a run: computed before any model is asked, once for all of them."""

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from sampler_bench.measure.plan import Unit, numbers_along
from sampler_bench.runs.records import TRUTHS


def truths_wanted(units: Iterable[Unit], known: Mapping[str, Sequence[int]]) -> list[Unit]:
    """One unit of conditionals for all that are read along the same numbers, if their truth is not known.

    ``known``: by task, the sizes of the sets of numbers that the truth is known along.
    """
    wanted: dict[tuple, Unit] = {}
    for unit in units:
        task = unit.prompt.task.name
        if unit.kind == "conditionals" and unit.drawn not in known.get(task, ()):
            wanted.setdefault((task, unit.drawn, unit.start), unit)
    return list(wanted.values())


def truth_along(unit: Unit) -> pa.Table:
    """The true laws after all beginnings of a unit's numbers; of the TRUTHS schema."""
    target = unit.prompt.task.target
    rows = []
    for prefix in prefixes_of(number for number, _ in numbers_along(unit)):
        truth = target.conditional(prefix)
        row = {"prefix": prefix, "p": truth.p, "method": truth.method, "bound": truth.bound}
        rows.append({"task": unit.prompt.task.name, **row})
    return pa.Table.from_pylist(rows, schema=TRUTHS)


def prefixes_of(numbers: Iterable[str]) -> list[str]:
    """All beginnings, the numbers themselves included; each once."""
    return sorted({number[:length] for number in numbers for length in range(len(number) + 1)})
