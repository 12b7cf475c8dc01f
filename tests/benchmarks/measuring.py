"""How much the measuring itself costs, as ratios in one run on one server: ``make measuring``.

* conditionals per second of the measure loop, against one request a prefix, pipelined alike;
* against the same requests sent by a bare HTTP client that throws the answers away;
* processor time of this process for a conditional: all that is not the server's;
* memory of a run of 100,000 samples against one of 10,000.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from rich.console import Console
from rich.table import Table

from sampler_bench.measure.decoders import parse_decoder
from sampler_bench.measure.execute import execute
from sampler_bench.measure.plan import Unit, Units, numbers_along
from sampler_bench.models.engines import digit_laws
from sampler_bench.models.engines.endpoint import FIRST_LIMIT
from sampler_bench.models.engines.exchange import Clients
from sampler_bench.models.engines.transport import Transport
from sampler_bench.models.engines.vllm import VllmModel
from sampler_bench.models.finding import find_model
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.models.weights import smollm2
from sampler_bench.runs.manifest import Settings
from sampler_bench.runs.store import RunFolder
from sampler_bench.tasks import Catalog

TASKS = {"even-12": 192, "even-100": 16}  # numbers read along, in three wordings, with a task and without
FEW = {"even-12": 16, "even-100": 4}  # by a request a prefix, which takes long
REPEATS = 3


def main() -> None:
    table = Table(
        "conditionals per second",
        "measure loop",
        "one a prefix",
        "ratio",
        "raw requests",
        "ratio",
        "CPU ms each",
        box=None,
    )
    with find_model(smollm2.NAME, ServerOptions()).serve(print) as server:
        key = os.environ.get("VLLM_API_KEY")
        for task, numbers in TASKS.items():
            units, few = _units(task, numbers), _units(task, FEW[task])
            positions = _positions(units)
            speeds: dict[str, list[float]] = {"measured": [], "by prefix": [], "raw": []}
            own: list[float] = []
            _measure(server.base_url, key, few, [])  # what comes first takes a new server longer
            for _ in range(REPEATS):  # alternated, so that all meet the same machine
                bodies: list[dict] = []
                busy = time.process_time()
                measured = _seconds(_measure, server.base_url, key, units, bodies)
                own.append(1000 * (time.process_time() - busy) / positions)
                raw = _seconds(_fire, server.base_url, key, bodies)
                with _one_request_a_prefix():
                    by_prefix = _seconds(_measure, server.base_url, key, few, [])
                speeds["measured"].append(positions / measured)
                speeds["by prefix"].append(_positions(few) / by_prefix)
                speeds["raw"].append(positions / raw)
            table.add_row(
                f"{task}, {positions}",
                _span(speeds["measured"]),
                _span(speeds["by prefix"]),
                _span([a / b for a, b in zip(speeds["measured"], speeds["by prefix"], strict=True)], 2),
                _span(speeds["raw"]),
                _span([a / b for a, b in zip(speeds["measured"], speeds["raw"], strict=True)], 2),
                _span(own, 2),
            )
    console = Console(width=130)
    console.print(table)
    few, many = (_peak_of_a_run(samples) for samples in (10_000, 100_000))
    console.print(
        f"peak memory: {few:.0f} MB at 10,000 samples, {many:.0f} MB at 100,000; ratio {many / few:.2f}"
    )


def _units(task: str, numbers: int) -> list[Unit]:
    catalog = Catalog()
    settings = Settings(seed=0, numbers=numbers, samples=1)
    decoders = [parse_decoder("ancestral")]
    units = Units([catalog.task(task)], [catalog.arm("direct")], decoders, smollm2.NAME, settings)
    return [unit for unit in units if unit.kind == "conditionals"]


def _positions(units: list[Unit]) -> int:
    return sum(len(number) + 1 for unit in units for number, _ in numbers_along(unit))


def _measure(url: str, key: str | None, units: list[Unit], bodies: list[dict]) -> None:
    """Read, compare with the truth and store; keep what was asked for."""

    async def work(folder: RunFolder) -> None:
        async with VllmModel(Transport([url], key), smollm2.NAME) as model:
            complete = model._choice
            model._laws._complete = lambda body: (
                bodies.append({"model": smollm2.NAME, **body}) or complete(body)
            )
            await execute(units, (), model, folder, lambda *_: None)

    with tempfile.TemporaryDirectory() as scratch:
        folder = RunFolder(Path(scratch))
        with folder.locked():
            asyncio.run(work(folder))


def _fire(url: str, key: str | None, bodies: list[dict]) -> None:
    async def work() -> None:
        slots, clients = asyncio.Semaphore(FIRST_LIMIT), Clients(url, key)

        async def send(body: dict) -> None:
            async with slots:
                with clients.one() as http:
                    (await http.post("/v1/completions", json=body)).raise_for_status()

        await asyncio.gather(*map(send, bodies))
        await clients.aclose()

    asyncio.run(work())


@contextmanager
def _one_request_a_prefix():
    with mock.patch.object(digit_laws, "TOKENS_A_REQUEST", 0):
        yield


def _seconds(work: Callable[..., None], *arguments: object) -> float:
    started = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - started


def _span(values: list[float], digits: int = 0) -> str:
    low, middle, high = sorted(values)[0], sorted(values)[len(values) // 2], sorted(values)[-1]
    return f"{middle:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"


PEAK = """
import resource, sys
from sampler_bench import run
run("even-6", ["oracle"], out=sys.argv[1], numbers=1, samples=int(sys.argv[2]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def _peak_of_a_run(samples: int) -> float:
    """Megabytes, measured in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-c", PEAK, scratch, str(samples)]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    main()
