"""Truth that took long to compute, kept on disk: each array by the hash of what it answers."""

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sampler_bench.errors import StoreError
from sampler_bench.files import cache_folder, locked, write_whole

VERSION = 1  # raised when an answer would come out differently, so that what was kept is not read again
ORIGINS = Counter()  # how many answers and tables were "computed", and how many "read", in this process


def kept(question: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
    """The answer to a question: read if it was computed before, else computed and kept.

    A second process that asks the same at the same time waits for the first one's answer.

    Parameters
    ----------
    question : str
        All that the answer depends on.
    compute : callable
        Returns a one-dimensional array.

    Raises
    ------
    StoreError
        If the answer cannot be kept, or what is kept cannot be read.
    """
    question = f"{question}, version {VERSION}"
    digest = hashlib.sha256(question.encode()).hexdigest()[:32]
    path = cache_folder() / "truth" / f"{digest}.parquet"
    answer = _read(path, question)
    if answer is None:
        with locked(path.parent / f".{digest[:2]}.lock"):  # 256 locks: files that are never removed stay few
            answer = _read(path, question)
            if answer is None:
                answer = compute()
                ORIGINS["computed"] += 1
                table = pa.table({"answer": answer}).replace_schema_metadata({"question": question})
                write_whole(path, lambda scratch: pq.write_table(table, scratch, compression="zstd"))
                return answer
    ORIGINS["read"] += 1
    return answer


def _read(path: Path, question: str) -> np.ndarray | None:
    if not path.is_file():
        return None
    try:
        table = pq.read_table(path)
        if table.schema.metadata[b"question"].decode() == question:
            return table["answer"].to_numpy().copy()
    except (OSError, pa.ArrowException, KeyError, TypeError) as error:
        raise StoreError(f"{path} cannot be read as truth ({error}); delete it") from error
    raise StoreError(f"{path} answers another question than {question!r}; delete it")
