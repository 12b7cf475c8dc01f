"""Mixtures: with some probability one target, else another. "One time in ten a twin prime, else any"."""

import math
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from pydantic import PlainValidator

from sampler_bench.errors import DeadPrefixError, InputError
from sampler_bench.targets.base import (
    SYMBOLS,
    Conditional,
    LogProbability,
    Target,
    UniformTarget,
)
from sampler_bench.targets.mixture_information import (
    information_from_draws,
    information_of_list,
    information_of_uniforms,
)

LISTED = 10_000  # members of a component: if none has more, the mixture's are listed
TOLERANCE = 1e-9  # of the sum of the weights
AFTER_DIGITS = ":"  # the character that follows 9
GRADES = ["exact", "exact-tail", "hardy-littlewood"]  # methods, the best first


def _component(given: object) -> Target:
    """A target as it is, or made from a definition as it stands in a task file."""
    from sampler_bench.targets.definitions import make_target  # knows all families, this one too

    if isinstance(given, Target):
        return given
    if isinstance(given, dict):
        return make_target(given)
    raise InputError(f"component {given!r} is neither a target nor the definition of one")


@dataclass(frozen=True)
class Mixture(Target):
    """Draws from one of the ``components``, chosen with the probabilities ``weights``.

    Its conditional weighs those of the components by their posterior given the prefix. ``normalise`` divides
    the weights by their sum; else that must be 1.

    Raises
    ------
    InputError
        If there are not as many weights as components, one is negative, or they do not sum to 1.
    """

    weights: tuple[float, ...]
    components: tuple[Annotated[Target, PlainValidator(_component)], ...]
    normalise: bool = False

    def __post_init__(self):
        if len(self.weights) != len(self.components) or not self.weights:
            raise InputError(f"{len(self.weights)} weights for {len(self.components)} components")
        if min(self.weights) < 0 or not all(map(math.isfinite, self.weights)) or sum(self.weights) == 0:
            raise InputError(
                f"weights = {list(self.weights)}: natural or real numbers, not negative, not all 0"
            )
        total = math.fsum(self.weights)
        if not self.normalise and abs(total - 1) > TOLERANCE:
            raise InputError(
                f"weights = {list(self.weights)} sum to {total:g}, not to 1; normalise = true divides by it"
            )

    @cached_property
    def shares(self) -> np.ndarray:
        """The weights, summing to 1; ndarray of float64, shape (components,)."""
        return np.array(self.weights) / math.fsum(self.weights)

    @property
    def digits(self) -> int:
        return max(component.digits for component in self.components)

    @property
    def fixed(self) -> bool:
        return all(each.fixed and each.digits == self.digits for each in self.components)

    def posterior(self, prefix: str) -> np.ndarray:
        """P(component | prefix): how far the digits written so far give away where they come from.

        Returns
        -------
        ndarray of float64, shape (components,)

        Raises
        ------
        DeadPrefixError
            If no component has a member that starts with the prefix.
        """
        return self._posterior(prefix)[0]

    def _posterior(self, prefix: str) -> tuple[np.ndarray, float]:
        """The posterior, and a bound on the KL divergence, nats, of the true one from it."""
        self.check_prefix(prefix)
        logs = [self._log_probability(component, prefix) for component in self.components]
        with np.errstate(divide="ignore"):
            joint = np.log(self.shares) + [log.value for log in logs]
        total = np.logaddexp.reduce(joint)
        if total == -np.inf:
            raise DeadPrefixError(f"no member of {self} starts with {prefix!r}")
        # Hoeffding's lemma: ln E exp(X - EX) <= (range of X)^2 / 8, X the error of a component's logarithm.
        errors = sum(log.error for log in logs if log.value > -math.inf)
        return np.exp(joint - total), errors**2 / 8

    @staticmethod
    def _log_probability(component: Target, prefix: str) -> LogProbability:
        longer = len(prefix) > component.digits
        return LogProbability(-math.inf) if longer else component.log_probability(prefix)

    def conditional(self, prefix: str) -> Conditional:
        posterior, error = self._posterior(prefix)
        pairs = zip(posterior, self.components, strict=True)
        alive = [(share, component.conditional(prefix)) for share, component in pairs if share]
        p = np.zeros(SYMBOLS)
        for share, conditional in alive:
            p += share * conditional.p
        bound = sum(share * conditional.bound for share, conditional in alive) + error
        methods = [conditional.method for _, conditional in alive] + [GRADES[-1]] * (error > 0)
        return Conditional(p / p.sum(), max(methods, key=GRADES.index), float(bound))

    def log_probability(self, prefix: str) -> LogProbability:
        self.check_prefix(prefix)
        logs = [self._log_probability(component, prefix) for component in self.components]
        values = [math.log(share) + log.value for share, log in zip(self.shares, logs, strict=True) if share]
        return LogProbability(float(np.logaddexp.reduce(values)), max(log.error for log in logs))

    def count(self, prefix: str) -> int | None:
        self.check_prefix(prefix)
        if self._listed is None:
            return None
        first, last = (bisect_left(self._listed, (end,)) for end in (prefix, prefix + AFTER_DIGITS))
        return last - first

    def nth_member(self, rank: int) -> tuple[str, float]:
        self.check_rank(rank)
        return self._listed[rank]

    @cached_property
    def _listed(self) -> list[tuple[str, float]] | None:
        """All members with their probabilities, in the order of a dictionary, unless they are many."""
        sizes = [component.count("") for component in self.components]
        if any(size is None or size > LISTED for size in sizes):
            return None
        found: dict[str, float] = defaultdict(float)
        for share, component, size in zip(self.shares, self.components, sizes, strict=True):
            for rank in range(size if share else 0):
                number, p = component.nth_member(rank)
                found[number] += float(share) * p
        return sorted(found.items())

    def contains(self, number: str) -> bool:
        return any(c.contains(number) for s, c in zip(self.shares, self.components, strict=True) if s)

    def residues(self, modulus: int) -> np.ndarray | None:
        laws = [component.residues(modulus) for component in self.components]
        return None if any(law is None for law in laws) else np.average(laws, axis=0, weights=self.shares)

    def live_digits(self, number: str) -> int:
        return max(c.live_digits(number) for s, c in zip(self.shares, self.components, strict=True) if s)

    @property
    def slow_lengths(self) -> range:
        return max((component.slow_lengths for component in self.components), key=len)

    def sample(self, size: int, rng: np.random.Generator) -> list[str]:
        picks = rng.choice(len(self.components), size, p=self.shares)
        draws = [
            iter(component.sample(int(np.count_nonzero(picks == index)), rng))
            for index, component in enumerate(self.components)
        ]
        return [next(draws[pick]) for pick in picks]

    def __str__(self) -> str:
        parts = [f"{share:g} of {each}" for share, each in zip(self.shares, self.components, strict=True)]
        return f"mixture of {', '.join(parts)}"

    def information(self) -> float:
        """I = KL(P || U), nats.

        Exact if the members can be listed, or if all components are uniform over numbers of one length and no
        two overlap but with one that holds all such numbers. Else expectations are means over draws with a
        fixed seed: 2,000 of each component, or, where conditionals must be walked along, of the mixture.
        """
        if self._listed is not None:
            return information_of_list(self._listed)
        if self.fixed and all(isinstance(component, UniformTarget) for component in self.components):
            return information_of_uniforms(self.shares, self.components)
        return information_from_draws(self)
