"""Single bits flipped in every kind of file that is read back: none may change an answer unnoticed.

``check_flips(seed, trials)`` makes a file of each kind in an empty folder, flips one random bit at a time and
asks again. A cache must give the right answer and say a line; a run must refuse with a sentence.
"""

import io
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow.parquet as pq
from sympy import isprime, primerange

from sampler_bench import files, run
from sampler_bench.errors import SamplerBenchError
from sampler_bench.models.weights import smollm2
from sampler_bench.models.weights.conversion import SOURCE_FILE
from sampler_bench.runs.scored import read_scored
from sampler_bench.runs.store import RunFolder
from sampler_bench.sealed import ANSWERS, read_kept, write_json
from sampler_bench.targets.counting import kept_counts, prime_counts, tables, windows


@dataclass(frozen=True)
class Kind:
    """A file, how it is asked, and the right answer."""

    name: str
    path: Path
    ask: Callable[[], object]
    right: object


def check_flips(seed: int, trials: int) -> dict[str, Counter]:
    """For each kind of file: how many ``flips``, and how many of them had each outcome.

    ``noticed``: a line or a sentence named the file; ``wrong``: another answer than the right one;
    ``tracebacks``: an exception that is not ours. ``trials`` flips are shared among the kinds.
    """
    rng = np.random.default_rng(seed)
    with _of_every_kind() as kinds:
        per_kind = -(-trials // len(kinds))
        outcomes = {kind.name: Counter() for kind in kinds}
        for kind in kinds:
            for _ in range(per_kind):
                outcomes[kind.name].update(_flip(kind, rng))
        return outcomes


def _flip(kind: Kind, rng: np.random.Generator) -> Counter:
    whole = kind.path.read_bytes()
    content = bytearray(whole)
    content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
    kind.path.write_bytes(content)
    found = Counter(flips=1, noticed=0, wrong=0, tracebacks=0)
    files._TOLD.clear()
    with redirect_stderr(io.StringIO()) as said:
        try:
            found["wrong"] += kind.ask() != kind.right
            found["noticed"] += str(kind.path) in said.getvalue()
        except SamplerBenchError as error:
            found["noticed"] += str(kind.path) in str(error)
        except Exception:
            found["tracebacks"] += 1
    kind.path.write_bytes(whole)
    return found


@contextmanager
def _of_every_kind() -> Iterator[list[Kind]]:
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        kernels = files.cache_folder() / "kernels"
        (folder / "cache").mkdir()
        (folder / "cache" / "kernels").symlink_to(kernels)  # to compile them takes a quarter of a minute
        held.enter_context(patch.dict(os.environ, {"SAMPLER_BENCH_CACHE": str(folder / "cache")}))
        held.enter_context(patch.object(kept_counts, "KEPT_WIDTH", 2 * 10**4))
        held.enter_context(patch.object(windows, "KEPT_FROM", 0))
        held.enter_context(patch.object(prime_counts, "KEPT_FROM", 0))
        held.enter_context(patch.object(tables, "shipped_folder", lambda: folder / "shipped"))
        yield [*_truths(folder), *_of_a_run(folder / "run"), _note(), *_machine_code(kernels)]


def _truths(folder: Path) -> Iterator[Kind]:
    def ask_window() -> list[int]:
        windows.window.cache_clear()
        return windows.window("twin-primes", 10**6, 3000).tolist()

    pairs = [n for n in range(3000) if isprime(10**6 + n) and isprime(10**6 + n + 2)]
    yield _kept("truth window", folder / "cache" / "truth", ask_window, pairs)

    def ask_primes() -> int:
        prime_counts.primes_below.cache_clear()
        return prime_counts.primes_below(20_000)

    if _has_primecount():
        yield _kept("prime count", folder / "cache" / "truth", ask_primes, len(list(primerange(20_000))))

    lower = [p for p in primerange(10**5) if isprime(p + 2)]
    yield _kept(
        "count part",
        folder / "cache" / "counts" / "twin-primes",
        lambda: kept_counts.count_members("twin-primes", 19_990, 40_005),
        sum(19_990 <= p < 40_005 for p in lower),
    )
    made = ("made table", "cousin-primes", 4, folder / "cache" / "tables")
    shipped = ("shipped table", "twin-primes", 2, folder / "shipped")
    for name, of, gap, place in (made, shipped):
        members = [p for p in primerange(10**3, 10**4) if isprime(p + gap)]
        counts = [sum(p // 10 == prefix for p in members) for prefix in range(100, 1000)]
        path = tables.make_table(of, 4, 3, folder=place)

        def ask_table(of: str = of) -> list[int]:
            return (tables.find_table(of, 4) or tables.table_to_depth(of, 4, 3)).counts.tolist()

        yield Kind(name, path, ask_table, counts)


def _kept(name: str, folder: Path, ask: Callable[[], object], right: object) -> Kind:
    """The file that an answer is kept in once it has been asked for."""
    before = set(folder.glob("*.parquet"))
    ask()
    (path,) = set(folder.glob("*.parquet")) - before
    return Kind(name, path, ask, right)


def _of_a_run(folder: Path) -> Iterator[Kind]:
    run("twin-primes-3", ["oracle", "uniform-digits"], out=folder, samples=6)
    there = RunFolder(folder)
    asked = {kind: (lambda kind=kind: there.read(kind).to_csv()) for kind in ("conditionals", "samples")}
    for kind, ask in asked.items():
        yield Kind(f"{kind} of a run", folder / f"{kind}.parquet", ask, ask())
    yield Kind("truths of a run", folder / "truths.parquet", asked["conditionals"], asked["conditionals"]())
    parts = RunFolder(folder.with_name("stopped"))
    parts.path.mkdir()
    shutil.copy(folder / "manifest.json", parts.path)
    parts.write_part("samples", "0", pq.read_table(folder / "samples.parquet").drop_columns("unit"))

    def ask_part() -> str:
        return parts.read("samples").to_csv()

    yield Kind("samples part", parts.path / "samples" / "0.parquet", ask_part, ask_part())
    yield Kind("manifest", folder / "manifest.json", there.manifest, there.manifest())
    for name in ("scores", "curves"):

        def ask_scored(name: str = name) -> str:
            return read_scored(there.path, name).to_pandas().to_csv()

        yield Kind(name, folder / f"{name}.parquet", ask_scored, ask_scored())


def _note() -> Kind:
    """The note beside the built-in model: what it says of a file."""
    path = smollm2.model_folder() / SOURCE_FILE
    path.parent.mkdir(parents=True)
    write_json(path, {"files_sha256": {"model.safetensors": "0123456789abcdef" * 4}})
    return Kind("note of the model", path, smollm2.identity, "sha256:" + "0123456789abcdef" * 4)


def _machine_code(kernels: Path) -> Iterator[Kind]:
    """A copy of what a kernel was compiled to; that no damaged one is run."""
    for path in sorted(kernels.rglob("*.parquet"))[:1]:
        copy = files.cache_folder() / path.name
        shutil.copy(path, copy)
        answers = pq.read_metadata(path).metadata[ANSWERS.encode()].decode()

        def ask(copy: Path = copy, answers: str = answers, code: object = read_kept(copy, answers)) -> bool:
            found = read_kept(copy, answers)
            return found is None or found.equals(code)

        yield Kind("machine code", copy, ask, True)


@cache
def _has_primecount() -> bool:
    try:
        import primecountpy  # noqa: F401
    except ImportError:
        return False
    return True
