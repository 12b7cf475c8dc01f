"""Truth that took long to compute, kept on disk: each array by the hash of what it answers."""

import hashlib
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from sampler_bench.files import cache_folder, keeping, locked
from sampler_bench.sealed import numbers, read_kept, write_sealed

VERSION = 2  # raised when an answer would come out differently, so that what was kept is not read again
ORIGINS = Counter()  # how many answers and tables were "computed", and how many "read", in this process


def kept(question: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
    """The answer to a question: read if it was computed before, else computed and kept, if it can be.

    A second process that asks the same at the same time waits for the first one's answer. What is damaged is
    computed again, and a line says so.

    Parameters
    ----------
    question : str
        All that the answer depends on.
    compute : callable
        Returns a one-dimensional array.
    """
    question = f"{question}, version {VERSION}"
    digest = hashlib.sha256(question.encode()).hexdigest()[:32]
    path = cache_folder() / "truth" / f"{digest}.parquet"
    answer = _read(path, question)
    if answer is None:
        with ExitStack() as held:
            with keeping(path):  # 256 locks: files that are never removed stay few
                held.enter_context(locked(path.parent / f".{digest[:2]}.lock"))
                answer = _read(path, question)
            if answer is None:
                answer = compute()
                ORIGINS["computed"] += 1
                with keeping(path):
                    _write(path, question, answer)
                return answer
    ORIGINS["read"] += 1
    return answer


def _write(path: Path, question: str, answer: np.ndarray) -> None:
    import pyarrow as pa  # loads Arrow

    write_sealed(path, pa.table({"answer": answer}), question)


def _read(path: Path, question: str) -> np.ndarray | None:
    table = read_kept(path, question)
    return None if table is None else numbers(table, "answer").copy()
