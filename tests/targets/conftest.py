"""Targets keep what they compute: in the tests, away from the user's own."""

import pytest

from tests.conftest import empty_cache


@pytest.fixture(autouse=True, scope="package")
def _cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAMPLER_BENCH_CACHE", str(empty_cache(tmp_path_factory.mktemp("targets") / "cache")))
        yield
