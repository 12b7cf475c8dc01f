"""Decoders: rules by which numbers are drawn from a model. The same model under another one is another row.

    ancestral     the model's own tokens, nothing masked                     Q
    digits-only   digit by digit, all that is not a digit masked             weighted: Q given n digits
    feasible      digit by digit, only those that can be completed           weighted: Q given S
    reject        ancestral, until the answer is a member                    Q given S
    twisted       sequential Monte Carlo, twisted by the exact counts        weighted: Q given S

The last column is the law that each aims at. A decoder with weights draws from a proposal; the weighted
numbers follow the law, and the mean weight estimates its normaliser without bias: Q(S), the model's total
mass on valid numbers, for ``feasible`` and ``twisted``.

A decoder is a class with a ``kind``: one that is defined elsewhere can be chosen by it as well.

Options (temperature, top_p, top_k) shape Q: the law over tokens for ``ancestral`` and ``reject``, over the
eleven symbols for the others.
"""

import asyncio
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np

from sampler_bench.errors import InputError
from sampler_bench.measure.parsing import parse_answers
from sampler_bench.measure.particles import Particle, resampled
from sampler_bench.models.model import (
    LAWS,
    NATURAL,
    SAMPLES,
    DigitModel,
    Prompt,
    Response,
    SamplingOptions,
    child_seeds,
)
from sampler_bench.targets import END, SYMBOLS, Target
from sampler_bench.tasks import Arm

TRIES = 64  # of ``reject``, for one number
KIND = re.compile(r"[a-z][a-z0-9-]*")

# Makes a next-symbol law of the model's q, both of shape (11,), given the target and the prefix.
Law = Callable[[np.ndarray, Target, str], np.ndarray]
DECODERS: dict[str, type["Decoder"]] = {}  # by their kinds


@dataclass(frozen=True)
class Decoder(ABC):
    """A rule for drawing numbers; ``name`` says all of it, options included.

    Raises
    ------
    InputError
        When a class is defined whose ``kind`` is another's, or cannot be part of a name.
    """

    options: SamplingOptions = NATURAL
    kind = ""
    draws_from = SAMPLES  # what a model must give for numbers to be drawn

    def __init_subclass__(cls, **settings: object):
        super().__init_subclass__(**settings)
        if "kind" not in cls.__dict__:  # not to be chosen by itself, or being unpickled
            return
        if not KIND.fullmatch(cls.kind):
            raise InputError(f"decoder {cls.kind!r}: a kind is of a-z, 0-9 and -, and begins with a letter")
        other = DECODERS.setdefault(cls.kind, cls)
        if (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
            raise InputError(
                f"decoder {cls.kind!r} is {other.__module__}.{other.__qualname__}: choose another kind"
            )
        DECODERS[cls.kind] = cls

    @property
    def name(self) -> str:
        values = [(field.name, getattr(self.options, field.name), field.default) for field in fields(NATURAL)]
        changed = ",".join(f"{key}={value:g}" for key, value, default in values if value != default)
        return f"{self.kind}:{changed}" if changed else self.kind

    @property
    def law(self) -> Law | None:
        """Its next-symbol law, if it is known."""
        return None

    def suits(self, arm: Arm) -> bool:
        """Whether numbers can be drawn so under the arm."""
        return True

    @abstractmethod
    async def sample(self, model: DigitModel, prompt: Prompt, size: int, seed: int) -> list[Response]:
        """``size`` responses. A decoder with weights draws them together."""


class Ancestral(Decoder):
    """Token by token from the model."""

    kind = "ancestral"

    @property
    def law(self) -> Law | None:
        return _as_it_is if self.options == NATURAL else None  # else it hangs on tokens that are not read

    async def sample(self, model: DigitModel, prompt: Prompt, size: int, seed: int) -> list[Response]:
        return await model.sample(prompt, size, seed, self.options)


class Reject(Decoder):
    """Ancestral, drawn again until the answer is a member, at most ``TRIES`` times. Every try costs."""

    kind = "reject"

    def suits(self, arm: Arm) -> bool:
        return arm.answers == 1

    async def sample(self, model: DigitModel, prompt: Prompt, size: int, seed: int) -> list[Response]:
        return await asyncio.gather(
            *(self._until_valid(model, prompt, child) for child in child_seeds(seed, size))
        )

    async def _until_valid(self, model: DigitModel, prompt: Prompt, seed: int) -> Response:
        tries: list[Response] = []
        for child in child_seeds(seed, TRIES):
            tries += await model.sample(prompt, 1, child, self.options)
            (answer,) = parse_answers(tries[-1].text, prompt.arm)
            if answer is not None and prompt.task.target.contains(answer):
                break
        return replace(
            tries[-1],
            prompt_tokens=sum(response.prompt_tokens for response in tries),
            completion_tokens=sum(response.completion_tokens for response in tries),
            seconds=sum(response.seconds for response in tries),
            forward_passes=sum(response.forward_passes for response in tries),
        )


class _Twisting(Decoder):
    """Draws numbers side by side, symbol by symbol, from q(s|u) r(s|u) / Z(u) with a twist r >= 0.

    The weight of a number x is Q(x) over its probability of being drawn: the product of the Z along it over
    the product of the r (Del Moral, Feynman-Kac Formulae, 2004; Zhao et al., ICML 2024, for language models).
    """

    draws_from = LAWS
    resamples = False

    @abstractmethod
    def twist(self, target: Target, prefix: str) -> np.ndarray:
        """r(next symbol | prefix), shape (11,)."""

    def suits(self, arm: Arm) -> bool:
        return arm.conditionals == "start" and arm.answers == 1

    def twisted(self, q: np.ndarray, target: Target, prefix: str) -> np.ndarray:
        """q with options and twist, normalised; shape (11,)."""
        weighed = shaped(q, self.options) * self.twist(target, prefix)
        return weighed / (weighed.sum() or 1.0)  # zero where the model has no mass on what may follow

    async def sample(self, model: DigitModel, prompt: Prompt, size: int, seed: int) -> list[Response]:
        rng, started = np.random.default_rng(seed), time.monotonic()
        particles = [Particle() for _ in range(size)]
        while growing := [particle for particle in particles if particle.grows]:
            prefixes = sorted({particle.text for particle in growing})
            q_of = dict(zip(prefixes, await model.conditionals(prompt, prefixes), strict=True))
            next(iter(growing)).forward_passes += len(prefixes)
            for particle in growing:
                twist = self.twist(prompt.task.target, particle.text)
                particle.extend(shaped(q_of[particle.text], self.options) * twist, twist, rng)
            if self.resamples:
                particles = resampled(particles, rng)
        seconds = (time.monotonic() - started) / size
        return [particle.response(seed, seconds) for particle in particles]


class DigitsOnly(_Twisting):
    """Only digits may stand, until the number is as long as the target's longest."""

    kind = "digits-only"

    @property
    def law(self) -> Law | None:
        return self.twisted

    def twist(self, target: Target, prefix: str) -> np.ndarray:
        allowed = np.ones(SYMBOLS)
        allowed[:END] = len(prefix) < target.digits
        allowed[END] = not target.fixed or len(prefix) == target.digits
        return allowed


class Feasible(_Twisting):
    """Only what can still be completed: the support without the counts."""

    kind = "feasible"

    @property
    def law(self) -> Law | None:
        return self.twisted

    def twist(self, target: Target, prefix: str) -> np.ndarray:
        return (target.conditional(prefix).p > 0).astype(float)


class Twisted(_Twisting):
    """The exact conditional over that of uniform digits, and particles resampled where few carry the weight.

    Their product along u is P(u) / U(u): how much likelier u is completed to a member than chance has it.
    """

    kind = "twisted"
    resamples = True

    def twist(self, target: Target, prefix: str) -> np.ndarray:
        p = target.conditional(prefix).p
        choices = END if prefix or p[0] > 0 else END - 1
        go_on = p[:END].sum()
        return np.append(p[:END] * choices / (go_on or 1.0), float(p[END] > 0))


def parse_decoder(text: str) -> Decoder:
    """The decoder of a name, as in ``feasible`` or ``ancestral:temperature=0.7,top_p=0.9``.

    Raises
    ------
    InputError
        If there is no such decoder or option, or an option's value is out of range.
    """
    kind, _, settings = text.partition(":")
    if kind not in DECODERS:
        raise InputError(f"unknown decoder {kind!r}; there are {', '.join(sorted(DECODERS))}")
    options, keys = NATURAL, [field.name for field in fields(NATURAL)]
    for setting in filter(None, settings.split(",")):
        key, _, value = setting.partition("=")
        if key not in keys:
            raise InputError(f"unknown option {key!r} of decoder {kind}; there are {', '.join(keys)}")
        try:
            options = replace(options, **{key: type(getattr(NATURAL, key))(value)})
        except ValueError as error:
            raise InputError(f"{key} = {value!r} in decoder {text!r} is not a number") from error
    if not (0 < options.temperature <= 100 and 0 < options.top_p <= 1 and options.top_k >= 0):
        raise InputError(f"decoder {text!r}: needs 0 < temperature <= 100, 0 < top_p <= 1 and top_k >= 0")
    return DECODERS[kind](options)


def _as_it_is(q: np.ndarray, target: Target, prefix: str) -> np.ndarray:
    return q


def shaped(q: np.ndarray, options: SamplingOptions) -> np.ndarray:
    """A law at a temperature, cut to its top symbols and normalised; q itself without options."""
    if options == NATURAL:
        return q
    law = (q / q.max()) ** (1 / options.temperature)
    order = np.argsort(-law, kind="stable")
    before = np.cumsum(law[order]) - law[order]
    kept = before < options.top_p * law.sum()
    kept[options.top_k or len(q) :] = False
    law[order[~kept]] = 0.0
    return law / law.sum()
