"""What a Ray cluster costs and gives on this machine, as ratios in one run: ``make scale``.

* a table counted by one and two workers, against one and two threads;
* seconds that a unit takes beyond its own work, with few tasks and with many on their way;
* the same for the units of a run of reference samplers.
"""

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ray.cluster_utils import Cluster
from rich.console import Console
from rich.table import Table

from sampler_bench import run
from sampler_bench.executor.executor import Executor
from sampler_bench.executor.here import Here
from sampler_bench.executor.ray_cluster import AHEAD, Ray
from sampler_bench.kernels import count_tuples
from sampler_bench.targets.counting.tables import make_table
from sampler_bench.targets.counting.tuple_names import parse_tuple
from tests.cluster.three_nodes import NODE
from tests.processes import units

DIGITS, DEPTH = 11, 3
REPEATS = 5
EFFICIENCY = 0.96  # that docs/scale.md reckons with
TASKS = 2000  # that do nothing
CORES = (2, 640)  # of clusters, by what the driver believes
SUITE, SAMPLER, SAMPLES = "quick", "uniform-digits", 2000


def main() -> None:
    console = Console(width=110)
    with tempfile.TemporaryDirectory() as scratch:
        console.print(_tables(Path(scratch)))
        with _cluster(2) as cluster:
            for cores in CORES:
                overheads = [_overhead_of_nothing(cluster, cores) for _ in range(REPEATS)]
                console.print(
                    f"a task that does nothing, {AHEAD * cores} on their way: {_span(overheads)} ms each"
                )
        console.print(_run(Path(scratch)))


def _tables(scratch: Path) -> Table:
    """Seconds for the same table, alternated so that all meet the same machine."""
    ways = ("1 thread", "2 threads", "1 worker", "2 workers", "4 workers")
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(REPEATS):
        for way in ways:
            number = int(way[0])
            if "thread" in way:
                seconds[way].append(_seconds(_count, scratch, number, None))
            else:
                with _cluster(number) as cluster:
                    seconds[way].append(_seconds(_count, scratch, None, cluster))
    columns = ("seconds", "threads' time over workers'", "seconds by the law")
    table = Table(f"twin primes of {DIGITS} digits", *columns, box=None)
    for way in ways:
        # Four workers share two cores: no more is to be had of them than of two.
        peer = seconds[way.replace("worker", "thread").replace("4", "2")]
        ratios = [one / other for one, other in zip(peer, seconds[way], strict=True)]
        by_law = f"{statistics.median(peer) / EFFICIENCY:.2f}"
        table.add_row(way, _span(seconds[way]), *((_span(ratios), by_law) if "worker" in way else ("", "")))
    for kind in ("thread", "worker"):
        gains = [a / b for a, b in zip(seconds[f"1 {kind}"], seconds[f"2 {kind}s"], strict=True)]
        table.add_row(f"1 {kind} over 2", _span(gains), "", "")
    return table


def _count(scratch: Path, threads: int | None, executor: Executor | None) -> None:
    make_table("twin-primes", DIGITS, DEPTH, threads, folder=scratch / "table", executor=executor)
    shutil.rmtree(scratch / "table")


@contextmanager
def _cluster(workers: int) -> Iterator[Ray]:
    """Nodes of one core each, whose workers have loaded the kernels."""
    nodes = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    for _ in range(workers - 1):
        nodes.add_node(**NODE)
    with Ray(nodes.address) as cluster:
        list(cluster.map(_load_kernels, range(4 * workers)))
        yield cluster
    nodes.shutdown()


def _load_kernels(_: int) -> None:
    count_tuples(parse_tuple("twin-primes"), [10**9, 10**9 + 10**7], 1)
    time.sleep(0.2)  # so that each worker has one


def _nothing(_: int) -> None:
    pass


def _overhead_of_nothing(cluster: Ray, cores: int) -> float:
    """Milliseconds a task, given out as on a cluster of so many cores."""
    cluster._cores, cluster._asked = cores, time.monotonic() + 10**6
    return 1000 * _seconds(lambda: list(cluster.map(_nothing, range(TASKS)))) / TASKS


def _run(scratch: Path) -> str:
    """Milliseconds a unit of a run, on the cluster and without."""
    extra, alone = [], []

    def measure(executor: Executor, folder: Path) -> None:
        run(SUITE, [SAMPLER], out=folder, samples=SAMPLES, executor=executor)

    for repeat in range(REPEATS):
        here, there = scratch / f"here-{repeat}", scratch / f"there-{repeat}"
        without = _seconds(measure, Here(), here)
        with _cluster(1) as cluster:
            within = _seconds(measure, cluster, there)
        count = len(units(here))
        alone.append(1000 * without / count)
        extra.append(1000 * (within - without) / count)
    return (
        f"{SAMPLER} on {SUITE}, {count} units: {_span(alone)} ms a unit here, {_span(extra)} ms more on a "
        "cluster of one core"
    )


def _seconds(work: Callable[..., object], *arguments: object) -> float:
    started = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - started


def _span(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


if __name__ == "__main__":
    main()
