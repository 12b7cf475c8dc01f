"""Measuring against a fake server that answers oddly."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pyarrow.parquet as pq
import pytest

from sampler_bench.errors import ServerError
from sampler_bench.measure.decoders import parse_decoder
from sampler_bench.measure.execute import execute
from sampler_bench.measure.plan import Units
from sampler_bench.models.finding import find_model
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.runs.manifest import Settings
from sampler_bench.runs.store import RunFolder
from sampler_bench.tasks import Catalog
from tests.models.fake_server import MODEL, FakeServer, fake_server

LONGEST_SENTENCE = 1000


def units() -> Units:
    catalog = Catalog()
    arms = [catalog.arm(name).in_one_wording() for name in ("direct", "few-shot")]
    task = catalog.task("even-6")
    return Units([task], arms, [parse_decoder("ancestral")], MODEL, Settings(seed=0, numbers=2, samples=2))


def measure(url: str, path, timeout: float = 60.0) -> RunFolder:
    """Measure all units against a server into a folder."""
    folder = RunFolder(path)

    async def work(entering):
        async with entering as model:
            await execute(units(), folder.done(), model, folder, lambda *_: None)

    options = ServerOptions(base_urls=[url], timeout=timeout)
    with folder.locked(), find_model(MODEL, options).open(lambda _: None) as entering:
        asyncio.run(work(entering))
    return folder


def laws_told(servers: Sequence[FakeServer], prefixes: Sequence[str]) -> tuple[np.ndarray, list]:
    """Laws after prefixes, and the requests, by path and body, that were made once the digits were learnt."""
    (unit, *_) = units()

    async def ask(entering):
        async with entering as model:
            for server in servers:
                server.requests.clear()
            return await model.conditionals(unit.prompt, prefixes)

    options = ServerOptions(base_urls=[server.url for server in servers])
    with find_model(MODEL, options).open(lambda _: None) as entering:
        found = asyncio.run(ask(entering))
    return found, [request for server in servers for request in server.requests]


def records(folder: RunFolder) -> dict[str, list[dict]]:
    """By part; without how long it took."""
    return {
        part.name: pq.read_table(part).drop_columns(["seconds"] * ("samples" in str(part))).to_pylist()
        for part in sorted(folder.path.glob("*/*.parquet"))
    }


@pytest.fixture(scope="module")
def server():
    with fake_server() as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(server, tmp_path_factory):
    return records(measure(server.url, tmp_path_factory.mktemp("undisturbed")))


@pytest.fixture
def odd(server, undisturbed, tmp_path):
    """Measure while a server answers oddly. Returns what was said; None if all was measured, and rightly."""

    def attempt(timeout: float = 60.0) -> str | None:
        try:
            found = records(measure(server.url, tmp_path, timeout))
        except ServerError as error:
            said = str(error)
            assert len(said) < LONGEST_SENTENCE
            assert all(character.isprintable() for character in said)
            kept = records(RunFolder(tmp_path))
            assert kept == {name: undisturbed[name] for name in kept}
            return said
        assert found == undisturbed
        return None

    yield attempt
    server.reset()
