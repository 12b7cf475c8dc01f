"""Draws from the distributions of probability theory, written as natural numbers."""

import difflib
import math
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from typing import Literal

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.integers import shown
from sampler_bench.targets.counting.tabulated import TabulatedTarget
from sampler_bench.targets.counting.truth_cache import kept
from sampler_bench.targets.registry import family

MOST_CUT = 1e-3  # the share of a law that may fall outside of the numbers that can be written
MOST_TRUNCATED = 0.5  # the same of a law that is said to be truncated
ROUNDING = 1e-6  # by which probabilities may sum to more than 1
MOST_SECONDS = 60.0  # that a table of probabilities may take
PROBED = 100  # numbers at which the time is taken
TIMINGS = 3  # that must all be too long: a busy machine may be slow once


@family("distribution")
@dataclass(frozen=True)
class Distribution(TabulatedTarget):
    """A ``scipy.stats`` law, given that it falls within 0..10^digits - 1.

    ``law`` is its name there and ``parameters`` its own, ``loc`` and ``scale`` included. A continuous law is
    rounded to the ``nearest`` integer or ``down``. With ``leading_zeros`` all numbers are written with
    ``digits`` digits. ``truncated`` says that what falls outside is more than a trifle, as of a Cauchy law.

    Raises
    ------
    InputError
        If there is no such law, the parameters do not fit it, it takes more than a minute to list, or more
        than a thousandth of it (half, if ``truncated``) falls outside.
    """

    digits: int
    law: str
    parameters: dict[str, float] = field(default_factory=dict)
    rounding: Literal["nearest", "down"] = "nearest"
    leading_zeros: bool = False
    truncated: bool = False

    def __post_init__(self):
        self.check()
        for name, value in self.parameters.items():
            if not math.isfinite(value):
                raise InputError(f"parameters: {shown(name)} = {value} is not a finite number")
        weights = self._weights
        if not np.isfinite(weights).all() or (weights < 0).any() or math.fsum(weights) > 1 + ROUNDING:
            raise InputError(f"{self}: these parameters make no {self.law} law")
        cut, most = 1 - math.fsum(weights), MOST_TRUNCATED if self.truncated else MOST_CUT
        if cut > most:
            raise InputError(
                f"{self}: {cut:.2g} of the law falls outside 0..{10**self.digits - 1}; at most {most} may"
                + ("" if self.truncated else f", or {MOST_TRUNCATED} with truncated = true")
            )

    @cached_property
    def _weights(self) -> np.ndarray:  # pyright: ignore[reportIncompatibleMethodOverride]  a property, kept
        return kept(f"weights of {self!r} by scipy {version('scipy')}", self._listed)

    def _listed(self) -> np.ndarray:
        numbers = np.arange(10**self.digits)
        with self._explained():
            self._weights_of(numbers[:1])  # the first question may take longer than others
            probed = numbers[:: -(-len(numbers) // PROBED)]
            seconds = math.inf
            for _ in range(TIMINGS):
                started = time.perf_counter()
                self._weights_of(probed)
                seconds = (time.perf_counter() - started) * len(numbers) / len(probed)
                if seconds <= MOST_SECONDS:
                    break
            else:
                raise InputError(
                    f"{self}: to list {len(numbers)} probabilities would take {seconds:,.0f} s; at most "
                    f"{MOST_SECONDS:g} s are spent, so ask for fewer digits"
                )
            return self._weights_of(numbers)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Without the warnings of scipy, and with its errors, of whatever kind, as InputError."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                yield
            except InputError:
                raise
            except Exception as error:
                raise InputError(f"{self}: these parameters make no {self.law} law ({error})") from error

    def _weights_of(self, numbers: np.ndarray) -> np.ndarray:
        """Probabilities of the numbers; ndarrays of the same shape."""
        from scipy import stats

        law = self._frozen
        if isinstance(law.dist, stats.rv_discrete):
            return law.pmf(numbers)  # pyright: ignore[reportAttributeAccessIssue]  discrete laws have it
        first = numbers - (0.5 if self.rounding == "nearest" else 0.0)
        edges = np.stack([first, first + 1])
        below, above = law.cdf(edges), law.sf(edges)
        # Of two small numbers the difference is more accurate.
        return np.where(below[1] < 0.5, below[1] - below[0], above[0] - above[1])

    @property
    def _frozen(self):
        """The law of scipy with its parameters."""
        from scipy import stats

        kinds = (stats.rv_continuous, stats.rv_discrete)
        law = getattr(stats, self.law, None)
        if not isinstance(law, kinds):
            laws = [name for name in dir(stats) if isinstance(getattr(stats, name), kinds)]
            close = difflib.get_close_matches(self.law, laws, n=3)
            hint = f"did you mean {' or '.join(close)}?" if close else "norm, poisson and beta are some"
            raise InputError(f"law = {shown(self.law)!r} is none of scipy.stats; {hint}")
        try:
            return law(**self.parameters)
        except TypeError as error:
            shapes = f"{law.shapes}, " if law.shapes else ""
            raise InputError(
                f"parameters of {self.law} are {shapes}loc and scale (scale of continuous laws alone), "
                f"not {', '.join(map(shown, self.parameters)) or 'none'}"
            ) from error

    def __str__(self) -> str:
        given = ", ".join(f"{shown(name)} = {value:g}" for name, value in self.parameters.items())
        return f"{self.law}({given}) in {self.digits} digits"
