"""Twin counts against the primesieve command, alternated in one run: ``make kernels``."""

import shutil
import statistics
import subprocess
import sys
import time

from sampler_bench.kernels import count_tuples

TWINS = ((1, 0), (1, 2))
WINDOWS = [(0, 10**9), (0, 10**10), (10**12, 10**9), (10**13, 10**9), (10**15, 10**9), (10**18, 10**9)]
ROUNDS = 5


def ours(lo: int, hi: int) -> int:
    return int(count_tuples(TWINS, [lo, hi], threads=1)[0])


def primesieve(lo: int, hi: int) -> int:
    # It counts the pairs that lie whole in a window; ours those whose lower member does.
    command = ["primesieve", str(lo), str(hi + 1), "-c2", "-t1", "-q"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def seconds(count, lo: int, hi: int) -> tuple[float, int]:
    started = time.perf_counter()
    found = count(lo, hi)
    return time.perf_counter() - started, found


def main() -> int:
    if shutil.which("primesieve") is None:
        print("the peer is missing: on Debian and Ubuntu, apt-get install primesieve", file=sys.stderr)
        return 2
    ours(0, 10**6)  # compiles
    ours(10**14, 10**14 + 10**6)
    print(f"{'window':>22} {'pairs':>10} {'ours, s':>8} {'peer, s':>8}   ratio (min to max), one thread")
    for lo, width in WINDOWS:
        times, ratios = ([], []), []
        for _ in range(ROUNDS):
            (mine, pairs), (peer, expected) = (seconds(f, lo, lo + width) for f in (ours, primesieve))
            assert pairs == expected, f"[{lo}, {lo + width}): {pairs} pairs, primesieve finds {expected}"
            times[0].append(mine)
            times[1].append(peer)
            ratios.append(peer / mine)
        mine, peer = map(statistics.median, times)
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"{f'{lo:.0e} + {width:.0e}':>22} {pairs:>10} {mine:8.3f} {peer:8.3f}   {spread}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
