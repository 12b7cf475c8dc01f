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


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_answers_may_be_as_long_as_an_extra_body_says(tmp_path, field):
    with chat_api() as api:
        api.writes = 4000
        server = ServerOptions(base_urls=[api.url], samples_only=True, extra_body={field: 4000})
        asked = prepare("even-6", [MODEL], ["direct"], samples=9, server=server, out=tmp_path / "run")
        (estimate,) = asked.forecasts().values()
        asked.run()
        assert all(body[field] == 4000 for body in api.asked)
        assert estimate.tokens_out == sum(
            api.answer(body)["usage"]["completion_tokens"] for body in api.asked
        )


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
