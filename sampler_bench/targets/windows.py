"""Windows of large numbers: all members of a tuple in them, sieved once and kept on disk."""

import hashlib
from collections import Counter
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sampler_bench.errors import StoreError
from sampler_bench.files import cache_folder, explained, write_whole
from sampler_bench.targets.tuple_names import parse_tuple

KEPT_FROM = 2**64  # windows below are sieved faster than they are worth keeping
ORIGINS = Counter()  # how many windows were "computed" and how many "read" from disk, in this process


@lru_cache(maxsize=64)
def window(name: str, start: int, length: int) -> np.ndarray:
    """Offsets from ``start`` of the tuple's members in [start, start + length); ndarray of int64, read-only.

    Raises
    ------
    StoreError
        If the window cannot be kept.
    """
    path = cache_folder() / "truth" / f"{_digest(name, start, length)}.parquet"
    offsets = _read(path) if start >= KEPT_FROM else None
    ORIGINS["computed" if offsets is None else "read"] += 1
    if offsets is None:
        from sampler_bench.kernels import tuples_in  # loads Numba

        offsets = tuples_in(parse_tuple(name), start, length)
        if start >= KEPT_FROM:
            with explained(path):
                path.parent.mkdir(parents=True, exist_ok=True)
            kept = pa.table({"offset": offsets})
            kept = kept.replace_schema_metadata({"tuple": name, "start": str(start), "length": str(length)})
            write_whole(path, lambda scratch: pq.write_table(kept, scratch, compression="zstd"))
    offsets.flags.writeable = False
    return offsets


def _digest(name: str, start: int, length: int) -> str:
    return hashlib.sha256(f"{name} {start} {length}".encode()).hexdigest()[:32]


def _read(path) -> np.ndarray | None:
    if not path.is_file():
        return None
    try:
        return pq.read_table(path)["offset"].to_numpy().copy()
    except (OSError, pa.ArrowException, KeyError) as error:
        raise StoreError(f"{path} cannot be read as a window ({error}); delete it") from error
