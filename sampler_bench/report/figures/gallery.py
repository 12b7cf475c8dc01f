"""All figures that a run has something for. A figure is a module of this folder: nothing else names it."""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import pandas as pd
from matplotlib.figure import Figure

from sampler_bench.report import figures
from sampler_bench.report.figures.material import Ladder, Material


def gallery(
    scores: pd.DataFrame,
    curves: pd.DataFrame,
    ladders: Mapping[str, Ladder],
    is_reference: Callable[[str], bool],
    families: Mapping[str, str] | None = None,
) -> dict[str, Callable[[], Figure]]:
    """What draws each figure, by its name; the parameters are those of ``Material``."""
    material = Material(scores, curves, ladders, is_reference, families or {})
    return {name: draw for module in _modules() for name, draw in module.drawings(material)}


def _modules() -> Iterator[ModuleType]:
    """Those of the folder with a function ``drawings``: from ``Material`` to the figures that there are."""
    for found in iter_modules(figures.__path__, f"{figures.__name__}."):
        module = import_module(found.name)
        if hasattr(module, "drawings"):
            yield module
