"""Shared by tests of reports: a real headless Chromium that opens the leaderboard page."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from sampler_bench.report.page import page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no chromium, chromium-browser or google-chrome on the PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a page from a file; afterwards nothing may have been logged or asked for but the file."""
    said, asked = [], []

    def show(board: pd.DataFrame, profiles: pd.DataFrame, answers: dict | None = None, **context):
        path: Path = tmp_path / "leaderboard.html"
        path.write_text(page(board, profiles, frozenset({"oracle"}), answers or {}), encoding="utf-8")
        tab = browser.new_page(**context)
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(path.as_uri())
        return tab

    yield show
    assert said == []
    assert all(url.startswith("file:///") and url.endswith("leaderboard.html") for url in asked)
    assert len(asked) == 1
