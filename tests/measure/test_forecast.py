"""What a dry run says against what a run then asks for."""

import re
import time
from dataclasses import replace
from functools import partial

import pytest

from sampler_bench.api import prepare, run
from sampler_bench.measure.decoders import parse_decoder
from sampler_bench.measure.forecast import Forecast, forecast
from sampler_bench.measure.plan import Units
from sampler_bench.models.model import SAMPLES
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.report.costs import costs
from sampler_bench.runs.manifest import Settings
from sampler_bench.tasks import Catalog
from tests.models.fake_chat import MODEL, chat_api
from tests.models.fake_server import MODEL as FAKE
from tests.models.fake_server import fake_server


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


def test_where_answers_can_be_forced_requests_are_those_that_a_run_makes(tmp_path):
    with fake_server() as served:
        served.forces = True
        server = ServerOptions(base_urls=[served.url])
        run("twin-primes-6", [FAKE], ["direct"], numbers=20, samples=4, server=server, out=tmp_path / "run")
        bodies = [body for path, body in served.requests if path == "/v1/completions"]
    catalog = Catalog()
    settings = Settings(seed=0, numbers=20, samples=4)
    parts = [catalog.task("twin-primes-6")], [catalog.arm("direct")], [parse_decoder("ancestral")]
    estimate, unforced = (forecast(Units(*parts, FAKE, settings), forces=forces) for forces in (True, False))
    answers = sum("logprobs" not in body for body in bodies)
    forced = sum("vllm_xargs" in body for body in bodies) - 1  # which finds out whether that can be done
    assert answers + forced == estimate.requests < unforced.requests
    assert sum(body["max_tokens"] for body in bodies[2:] if "vllm_xargs" in body or "seed" in body) == (
        estimate.tokens_out
    )


def test_units_that_are_many_are_counted_as_if_each_were_looked_at(monkeypatch):
    """Of laws, few of the units that are read along drawn numbers stand for all."""
    catalog = Catalog()
    arms = [catalog.arm("direct").in_one_wording(), catalog.arm("cot").in_one_wording()]
    tasks = [catalog.task("even-6"), catalog.task("twin-primes-4")]
    settings = Settings(seed=0, numbers=700, samples=333)
    units = Units(tasks, arms, [parse_decoder("ancestral")], MODEL, settings)
    done = {unit.id for place, unit in enumerate(units) if place % 3 == 0}
    assert [whole.part_id(start) for whole in units.wholes() for start in whole.starts] == [
        unit.id for unit in units
    ]
    for there in (set(), done):
        quick = forecast(units, there)
        monkeypatch.setattr("sampler_bench.measure.forecast.FEW", 10**6)
        whole = forecast(units, there)
        monkeypatch.undo()
        assert quick.units == whole.units == len(units) - len(there)
        assert quick.requests == pytest.approx(whole.requests, rel=0.05)
        assert quick.tokens_in == pytest.approx(whole.tokens_in, rel=0.05)
        answers = [unit.size for unit in units if unit.kind == "samples" and unit.id not in there]
        assert forecast(replace(units, can={SAMPLES}), there).requests == sum(answers)


def test_how_long_it_takes_is_reckoned_from_what_was_measured_there(tmp_path):
    with chat_api() as api:
        server = ServerOptions(base_urls=[api.url], samples_only=True)
        asked = partial(prepare, "even-6", [MODEL], ["direct"], server=server, out=tmp_path / "run")
        assert asked(samples=9).seconds_a_request() == {}
        begun = time.monotonic()
        asked(samples=9).run()
        took = time.monotonic() - begun
        assert 0 < asked(samples=9).seconds_a_request()[MODEL] <= took / len(api.asked)
    (line,) = costs({MODEL: Forecast(1, 300, 0, 0)}, seconds_a_request={MODEL: 2.0})
    assert line.endswith("; about 10 min, as fast as here before")


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


def test_prices_are_multiplied(here, tmp_path):
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
    plain = here(*arguments)
    assert "how long it takes is known once it runs" in plain.stdout
    assert "at most" not in plain.stdout.split(" out")[1]
    priced = here(*arguments, "--price-in", 1_000_000, "--price-out", 10_000)
    money = float(re.search(r"out, ([\d.]+) at most", priced.stdout)[1])
    (estimate,) = prepare("even-6", ["smollm2-135m"], ["direct"], out=tmp_path).forecasts().values()
    assert money == pytest.approx(estimate.tokens_in + estimate.tokens_out / 100, abs=0.005)


def test_of_references_nothing_is_asked(here, tmp_path):
    done = here("run", "even-6", "--model", "oracle", "--dry-run", "--out", tmp_path)
    assert "no request to a server" in done.stdout
