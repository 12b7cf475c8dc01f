"""Errors meant for the person at the terminal: what is wrong, where, and what would be right.

The command line prints the message as one sentence on stderr and exits with code 2.
"""


class SamplerBenchError(Exception):
    """Base of every error that a user can cause or cure."""


class InputError(SamplerBenchError):
    """An argument, task file or prefix is not what it must be."""


class MissingPackageError(InputError):
    """An optional package is not installed. The message says what it is needed for, and how to get it."""


class DeadPrefixError(InputError):
    """No member of the target starts with the given prefix, so no conditional exists."""


class ModelError(SamplerBenchError):
    """A model cannot be found, fetched, converted or tokenized as needed."""


class ServerError(SamplerBenchError):
    """A vLLM server did not start, died, or answered in a way that cannot be used."""


class ClusterError(SamplerBenchError):
    """A Ray cluster cannot be reached, or does not do what it was given."""


class WorkerError(SamplerBenchError):
    """A process of this machine that worked for another one was lost."""


class StoreError(SamplerBenchError):
    """A run folder cannot be read or written, or belongs to another run."""


class DamagedError(StoreError):
    """A file is not what was written, or answers something else than what is asked."""
