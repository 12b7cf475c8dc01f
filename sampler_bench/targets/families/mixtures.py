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
)
from sampler_bench.targets.counting.mixture_information import (
    Information,
    Part,
    information_of_list,
    information_of_parts,
)
from sampler_bench.targets.registry import family, make_target

LISTED = 10_000  # members of a component: if none has more, the mixture's are listed
EXPLAINED = 3  # components, of which it is said why a number is none of theirs
TOLERANCE = 1e-9  # of the sum of the weights
AFTER_DIGITS = ":"  # the character that follows 9
GRADES = ["exact", "exact-tail", "hardy-littlewood"]  # methods, the best first


def _component(given: object) -> Target:
    """A target as it is, or made from a definition as it stands in a task file."""
    if isinstance(given, Target):
        return given
    if isinstance(given, dict):
        return make_target(given)
    raise InputError(f"component {given!r} is neither a target nor the definition of one")


@family("mixture")
@dataclass(frozen=True)
class Mixture(Target):
    """Draws from one of the ``components``, chosen with the probabilities ``weights``.

    Its conditional weighs those of the components by their posterior given the prefix. ``normalise`` divides
    the weights by their sum; else that must be 1. Members are counted if no component has more than 10,000.

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
        if min(self.weights) < 0 or not 0 < sum(self.weights) < math.inf:
            raise InputError(
                f"weights = {list(self.weights)}: numbers, not negative, not all 0, with a finite sum"
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
    def digits(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]  read, never set
        return max(component.digits for component in self.components)

    @property
    def fixed(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]  read, never set
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
        assert self._listed is not None  # else there are no ranks
        return self._listed[rank]

    @cached_property
    def _listed(self) -> list[tuple[str, float]] | None:
        """All members with their probabilities, in the order of a dictionary, unless they are many."""
        counts = [component.count("") for component in self.components]
        sizes = [size for size in counts if size is not None and size <= LISTED]
        if len(sizes) < len(counts):
            return None
        found: dict[str, float] = defaultdict(float)
        for share, component, size in zip(self.shares, self.components, sizes, strict=True):
            for rank in range(size if share else 0):
                number, p = component.nth_member(rank)
                found[number] += float(share) * p
        return sorted(found.items())

    def contains(self, number: str) -> bool:
        return any(c.contains(number) for s, c in zip(self.shares, self.components, strict=True) if s)

    def _why_not(self, number: str) -> str:
        targets = [part.target for part in self.parts]
        reasons = [f"of {target}: {target.why_not(number)}" for target in targets[:EXPLAINED]]
        more = [f"and of {len(targets) - EXPLAINED} more"] if len(targets) > EXPLAINED else []
        return f"it is no member {'; '.join(reasons + more)}"

    def residues(self, modulus: int) -> np.ndarray | None:
        found = [component.residues(modulus) for component in self.components]
        laws = [law for law in found if law is not None]
        return np.average(laws, axis=0, weights=self.shares) if len(laws) == len(found) else None

    def live_digits(self, number: str) -> int:
        return max(c.live_digits(number) for s, c in zip(self.shares, self.components, strict=True) if s)

    @property
    def doubtful_lengths(self) -> range:
        return max((component.doubtful_lengths for component in self.components), key=len)

    @property
    def slow_lengths(self) -> range:
        return max((component.slow_lengths for component in self.components), key=len)

    @property
    def draws(self) -> int:
        return 2

    def sample(self, size: int, rng: "np.random.Generator") -> list[str]:
        """Each component draws from a stream of its own, so that few draws are the beginning of many."""
        first, *seeds = rng.integers(2**63, size=1 + len(self.components))
        picks = np.random.default_rng(first).choice(len(self.components), size, p=self.shares)
        drawn = [
            iter(component.sample(times, np.random.default_rng(seed)) if times else ())
            for component, seed, times in zip(
                self.components, seeds, np.bincount(picks, minlength=len(seeds)).tolist(), strict=True
            )
        ]
        return [next(drawn[pick]) for pick in picks]

    def __str__(self) -> str:
        parts = [f"{share:g} of {each}" for share, each in zip(self.shares, self.components, strict=True)]
        return f"mixture of {', '.join(parts)}"

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """What is drawn from in the end, with its share: mixtures in a mixture are taken apart.

        Components without weight are left out, and the same target stands but once.
        """
        shares: list[float] = []
        targets: list[Target] = []
        for share, component in zip(self.shares.tolist(), self.components, strict=True):
            inner = component.parts if isinstance(component, Mixture) else (Part(1.0, component),)
            for part in inner if share else ():
                if part.target not in targets:
                    targets.append(part.target)
                    shares.append(0.0)
                shares[targets.index(part.target)] += share * part.share
        return tuple(map(Part, shares, targets))

    def information(self) -> float:
        """I = KL(P || U), nats, and its standard error in ``information_error``.

        Exact, with error 0, if the members can be listed; if prefixes that several components share, and that
        go on differently, are few, as where lengths or first digits differ; or if all components are uniform
        over numbers of one length and all but one hold every such number. Else from draws with a fixed seed.
        """
        return self._information.value

    @property
    def information_error(self) -> float:
        return self._information.error

    @cached_property
    def _information(self) -> Information:
        if self._listed is not None:
            return Information(information_of_list(self._listed))
        return information_of_parts(self.parts, self)
