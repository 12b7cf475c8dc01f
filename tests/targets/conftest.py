"""Targets keep what they compute: in the tests, away from the user's own."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def _cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAMPLER_BENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
