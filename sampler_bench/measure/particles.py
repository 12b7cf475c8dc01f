"""Numbers being drawn side by side, each with its weight: the particles of sequential Monte Carlo."""

import math
from copy import copy

import numpy as np

from sampler_bench.models.model import Response
from sampler_bench.targets import END, SYMBOLS

RESAMPLE_BELOW = 0.5  # effective share of the particles


class Particle:
    """A number being drawn, its log weight so far, and the log of the twist within that weight."""

    def __init__(self):
        self.text, self.finish_reason = "", ""
        self.log_weight, self.log_twist = 0.0, 0.0
        self.symbols, self.forward_passes = 0, 0

    @property
    def grows(self) -> bool:
        """Whether it has not come to an end."""
        return not self.finish_reason

    def extend(self, weighed: np.ndarray, twist: np.ndarray, rng: np.random.Generator) -> None:
        """Draw the next symbol in proportion to ``weighed``, q times the twist; both of shape (11,)."""
        mass = weighed.sum()
        if mass == 0:
            self.log_weight, self.finish_reason = -math.inf, "dead-end"
            return
        symbol = rng.choice(SYMBOLS, p=weighed / mass)
        self.log_weight += math.log(mass)
        self.log_twist += math.log(twist[symbol])
        self.symbols += 1
        if symbol == END:
            self.finish_reason = "stop"
        else:
            self.text += str(symbol)

    def response(self, seed: int, seconds: float) -> Response:
        """What was drawn, weighed without the twist."""
        return Response(
            text=self.text,
            seed=seed,
            finish_reason=self.finish_reason,
            prompt_tokens=0,
            completion_tokens=self.symbols,
            seconds=seconds,
            forward_passes=self.forward_passes,
            log_weight=self.log_weight - self.log_twist,
        )


def resampled(particles: list[Particle], rng: np.random.Generator) -> list[Particle]:
    """The particles, or, where few carry the weight, as many drawn among them (systematic resampling)."""
    logs = np.array([particle.log_weight for particle in particles])
    if np.isneginf(logs).all():
        return particles
    weights = np.exp(logs - logs.max())
    if weights.sum() ** 2 / (weights**2).sum() >= RESAMPLE_BELOW * len(particles):
        return particles
    level = logs.max() + math.log(weights.mean())
    edges = np.cumsum(weights)
    ticks = (rng.random() + np.arange(len(particles))) / len(particles)
    chosen = np.searchsorted(edges / edges[-1], ticks, side="right")
    drawn = [copy(particles[i]) for i in chosen]
    for particle, former in zip(drawn, particles, strict=True):
        particle.log_weight = level
        particle.forward_passes = former.forward_passes  # stay where they were counted
    return drawn
