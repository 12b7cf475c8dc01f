"""How long the leaderboard page takes with 10,000 rows of nine columns, in headless Chromium: make page."""

import statistics
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import sync_playwright

from sampler_bench.report.page import page
from sampler_bench.score.scores import OVERALL
from tests.report.conftest import CHROMIUM
from tests.report.test_page import curves

ROWS, ROUNDS = 10_000, 5
TASKS = [*(f"task-{n}" for n in range(8)), OVERALL]
FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"  # rows are drawn before
SORT = """() => {
  const started = performance.now();
  document.querySelector("th[data-key='task-3'] button").click();
  document.body.getBoundingClientRect();  // lays the page out
  return performance.now() - started;
}"""


def board() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    models = np.repeat([f"model-{n}" for n in range(ROWS)], 2 * len(TASKS))
    table = pd.DataFrame({"model": models, "task": np.tile(np.repeat(TASKS, 2), ROWS)})
    table["metric"] = np.tile(["skill", "validity"], ROWS * len(TASKS))
    table["value"] = rng.random(len(table))
    of = {
        "run": "r",
        "suite": "quick",
        "arm": "direct",
        "decoder": "ancestral",
        "n": 16,
        "like_oracle": False,
    }
    return table.assign(low=table["value"] - 0.1, high=table["value"] + 0.1, **of)


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    path = folder / "leaderboard.html"
    path.write_text(page(board(), curves("none"), frozenset()), encoding="utf-8")
    paints, loads, sorts = [], [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for _ in range(ROUNDS):
            tab = browser.new_page()
            tab.goto(path.as_uri())
            tab.locator("#models tr").first.wait_for()
            paints.append(tab.evaluate(FIRST_PAINT))
            loads.append(tab.evaluate(LOADED))
            sorts += [tab.evaluate(SORT) for _ in range(3)]
            tab.close()
        browser.close()
    print(f"{ROWS:,} rows, a page of {path.stat().st_size / 1e6:.1f} MB, {ROUNDS} rounds")
    for name, times in (("first paint", paints), ("rows drawn", loads), ("sort", sorts)):
        print(f"{name:12} {statistics.median(times):6.0f} ms  ({min(times):.0f} to {max(times):.0f})")


if __name__ == "__main__":
    main()
