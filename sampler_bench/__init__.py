"""How far is a language model from the exact distribution, digit by digit?

>>> from sampler_bench import load_task
>>> load_task("twin-primes-3").target.count("1")
14
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sampler_bench.api import run
    from sampler_bench.models.model import DigitModel, Prompt, Response, SamplingOptions
    from sampler_bench.models.model_laws import check_model
    from sampler_bench.publish import rescore
    from sampler_bench.tasks import load_task

__all__ = [
    "DigitModel",
    "Prompt",
    "Response",
    "SamplingOptions",
    "check_model",
    "load_task",
    "rescore",
    "run",
]

_HOME = {
    "DigitModel": "sampler_bench.models.model",
    "Prompt": "sampler_bench.models.model",
    "Response": "sampler_bench.models.model",
    "SamplingOptions": "sampler_bench.models.model",
    "check_model": "sampler_bench.models.model_laws",
    "load_task": "sampler_bench.tasks",
    "rescore": "sampler_bench.publish",
    "run": "sampler_bench.api",
}


def __getattr__(name: str):
    """Import on first use: the command line answers at once."""
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
