"""Draws from the distributions of probability theory, written as natural numbers."""

import difflib
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.targets.tabulated import TabulatedTarget

MOST_CUT = 1e-3  # the share of a law that may fall outside of the numbers that can be written


@dataclass(frozen=True)
class Distribution(TabulatedTarget):
    """A ``scipy.stats`` law, given that it falls within 0..10^digits - 1.

    ``law`` is its name there and ``parameters`` its own, ``loc`` and ``scale`` included. A continuous law is
    rounded to the ``nearest`` integer or ``down``. With ``leading_zeros`` all numbers are written with
    ``digits`` digits.

    Raises
    ------
    InputError
        If there is no such law, the parameters do not fit it, or more than a thousandth of it falls outside.
    """

    digits: int
    law: str
    parameters: dict[str, float] = field(default_factory=dict)
    rounding: Literal["nearest", "down"] = "nearest"
    leading_zeros: bool = False

    def __post_init__(self):
        self.check()
        weights = self._weights
        cut = 1 - math.fsum(weights)
        if not np.isfinite(weights).all() or (weights < 0).any():
            raise InputError(f"parameters {self.parameters} make no {self.law} law")
        if cut > MOST_CUT:
            raise InputError(
                f"{self}: {cut:.2g} of the law falls outside 0..{10**self.digits - 1}; at most {MOST_CUT} may"
            )

    @cached_property
    def _weights(self) -> np.ndarray:
        from scipy import stats

        law = self._frozen
        numbers = np.arange(10**self.digits)
        if isinstance(law.dist, stats.rv_discrete):
            return law.pmf(numbers)
        edges = np.arange(10**self.digits + 1) - (0.5 if self.rounding == "nearest" else 0)
        below, above = law.cdf(edges), law.sf(edges)
        # Of two small numbers the difference is more accurate.
        return np.where(below[1:] < 0.5, np.diff(below), -np.diff(above))

    @property
    def _frozen(self):
        """The law of scipy with its parameters."""
        from scipy import stats

        kinds = stats.rv_continuous | stats.rv_discrete
        law = getattr(stats, self.law, None)
        if not isinstance(law, kinds):
            laws = [name for name in dir(stats) if isinstance(getattr(stats, name), kinds)]
            close = difflib.get_close_matches(self.law, laws, n=3)
            hint = f"did you mean {' or '.join(close)}?" if close else "norm, poisson and beta are some"
            raise InputError(f"law = {self.law!r} is none of scipy.stats; {hint}")
        try:
            return law(**self.parameters)
        except TypeError as error:
            shapes = f"{law.shapes}, " if law.shapes else ""
            raise InputError(
                f"parameters of {self.law} are {shapes}loc and scale (scale of continuous laws alone), "
                f"not {', '.join(self.parameters) or 'none'}"
            ) from error

    def __str__(self) -> str:
        given = ", ".join(f"{name} = {value:g}" for name, value in self.parameters.items())
        return f"{self.law}({given}) in {self.digits} digits"
