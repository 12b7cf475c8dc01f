"""What a run will cost, in words."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from sampler_bench.report.progress import duration

if TYPE_CHECKING:
    from sampler_bench.measure.forecast import Forecast


def costs(
    forecasts: "Mapping[str, Forecast]",
    price_in: float = 0.0,
    price_out: float = 0.0,
    seconds_a_request: Mapping[str, float] = MappingProxyType({}),
) -> list[str]:
    """A line for each model behind a server, and one for the sum of several; prices are of a million tokens.

    Of models that run here nothing is said: they cost no request.

    Parameters
    ----------
    seconds_a_request : mapping
        Of the models of which it was measured.
    """
    times = {name: each.requests * seconds_a_request.get(name, math.nan) for name, each in forecasts.items()}
    lines = [_line(name, each, price_in, price_out, times[name]) for name, each in forecasts.items()]
    if len(lines) > 1:
        first, *others = forecasts.values()
        lines.append(_line("together", sum(others, first), price_in, price_out, sum(times.values())))
    return lines


def _line(name: str, estimate: "Forecast", price_in: float, price_out: float, seconds: float) -> str:
    said = (
        f"{name}: {estimate.units} units, {estimate.requests} requests, about {_many(estimate.tokens_in)} "
        f"tokens in and at most {_many(estimate.tokens_out)} out"
    )
    money = estimate.price(price_in, price_out)
    said += f", {money:.2f} at most" if price_in or price_out else ""
    if not estimate.requests:
        return said
    if math.isnan(seconds):
        return f"{said}; how long it takes is known once it runs"
    return f"{said}; about {duration(seconds)}, as fast as here before"


def _many(number: int) -> str:
    """To two or three figures: 950, 12,000, 3.4 million."""
    if number >= 10**6:
        return f"{number / 1e6:.3g} million"
    return f"{number if number < 1000 else round(number, 2 - len(str(number))):,}"
