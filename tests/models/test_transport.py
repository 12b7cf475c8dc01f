"""How many requests are sent at once. What happens when servers fail is in tests/vllm/test_faults.py."""

from collections import Counter
from contextlib import ExitStack

import pytest

from sampler_bench.errors import InputError
from sampler_bench.models.engines.endpoint import FIRST_LIMIT, MOST_IN_FLIGHT, Endpoint
from sampler_bench.models.engines.exchange import AT_ONCE, Clients
from sampler_bench.models.engines.transport import Transport


@pytest.fixture
def endpoint():
    return Endpoint("http://127.0.0.1:9", Clients("http://127.0.0.1:9", None))


def test_overload_halves_the_requests_in_flight_down_to_one(endpoint):
    endpoint.overloaded()
    assert endpoint.limit == FIRST_LIMIT / 2
    for _ in range(20):
        endpoint.overloaded()
    assert endpoint.limit == 1
    assert endpoint.has_room()


def test_a_round_of_answers_adds_one_up_to_a_bound(endpoint):
    for _ in range(FIRST_LIMIT):
        endpoint.succeeded()
    assert endpoint.limit == pytest.approx(FIRST_LIMIT + 1, abs=0.1)
    for _ in range(MOST_IN_FLIGHT**2):
        endpoint.succeeded()
    assert endpoint.limit == MOST_IN_FLIGHT


def test_one_server_named_twice_is_one():
    transport = Transport(["http://a:1/v1", "http://a:1/", "http://b:1"])
    assert [endpoint.base_url for endpoint in transport.endpoints] == ["http://a:1", "http://b:1"]


def test_what_is_no_url_is_refused():
    with pytest.raises(InputError, match="'http://a:port' is not a URL"):
        Transport(["http://a:port"])


def test_a_client_has_few_requests_under_way_and_is_used_again():
    clients = Clients("http://127.0.0.1:9", None)
    with ExitStack() as under_way:
        first = [under_way.enter_context(clients.one()) for _ in range(3 * AT_ONCE)]
        assert [*Counter(first).values()] == [AT_ONCE] * 3
    with ExitStack() as under_way:
        again = [under_way.enter_context(clients.one()) for _ in range(3 * AT_ONCE)]
    assert again == first
    with pytest.raises(ZeroDivisionError), clients.one():
        1 / 0  # noqa: B018
    with clients.one() as http:
        assert http is first[0]
