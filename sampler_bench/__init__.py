"""How far is a language model from the exact distribution, digit by digit?

>>> from sampler_bench import load_task
>>> load_task("twin-primes-3").target.count("1")
14
"""

from importlib import import_module

__all__ = ["load_task", "rescore", "run"]

_HOME = {
    "load_task": "sampler_bench.tasks",
    "rescore": "sampler_bench.publish",
    "run": "sampler_bench.benchmark",
}


def __getattr__(name: str):
    """Import on first use: the command line answers at once."""
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
