"""What a dry run says against what a run then asks for."""

import re
from functools import partial

import pytest

from sampler_bench.benchmark import prepare
from sampler_bench.measure.forecast import Forecast
from sampler_bench.models.server_options import ServerOptions
from tests.models.fake_chat import MODEL, chat_api


def test_of_a_chat_api_requests_are_those_that_a_run_makes(tmp_path):
    with chat_api() as api:
        server = ServerOptions(base_urls=[api.url], samples_only=True)
        asked = partial(prepare, "quick", [MODEL], ["direct", "verify"], numbers=6, samples=9, server=server)
        (estimate,) = asked(out=tmp_path / "run").forecasts().values()
        assert not api.asked
        asked(out=tmp_path / "run").run()
        assert len(api.asked) == estimate.requests
        usage = [api.answer(body)["usage"] for body in api.asked]
        assert sum(each["completion_tokens"] for each in usage) <= estimate.tokens_out
        assert asked(out=tmp_path / "run").forecasts()[MODEL] == Forecast()


def test_prices_are_multiplied(cli, tmp_path):
    arguments = [
        "run",
        "even-6",
        "--model",
        "smollm2-135m",
        "--arm",
        "direct",
        "--dry-run",
        "--out",
        tmp_path,
    ]
    plain = cli(*arguments)
    assert "at most" not in plain.stdout.split(" out")[1]
    priced = cli(*arguments, "--price-in", 1_000_000, "--price-out", 0)
    money = float(re.search(r"out, ([\d.]+) at most", priced.stdout)[1])
    tokens = int(re.search(r"about ([\d,]+) tokens", priced.stdout)[1].replace(",", ""))
    assert money == pytest.approx(tokens, rel=0.01)


def test_of_references_nothing_is_asked(cli, tmp_path):
    done = cli("run", "even-6", "--model", "oracle", "--dry-run", "--out", tmp_path)
    assert "no request to a server" in done.stdout
