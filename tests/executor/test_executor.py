"""What every executor obeys: here, in processes, on a Ray cluster of this machine."""

import os
from collections.abc import Iterator
from itertools import count

import pytest

from sampler_bench.errors import DeadPrefixError
from sampler_bench.executor.executor import Executor
from sampler_bench.executor.here import Here
from sampler_bench.executor.processes import Processes
from sampler_bench.executor.ray_cluster import AHEAD, LOCAL, Ray

CORES = 2
ROOM = AHEAD * max(CORES, len(os.sched_getaffinity(0)))  # the most that are on their way


@pytest.fixture(scope="module")
def ray() -> Iterator[Ray]:
    pytest.importorskip("ray")
    with Ray(LOCAL) as cluster:
        yield cluster


@pytest.fixture(params=["here", "processes", "ray"])
def executor(request) -> Executor:
    if request.param == "ray":
        return request.getfixturevalue("ray")
    if request.param == "processes":
        request.getfixturevalue("nothing_here")
        return Processes(CORES)
    return Here()


def doubled(number: int) -> int:
    return 2 * number


def three_is_dead(number: int) -> int:
    if number == 3:
        raise DeadPrefixError("no member starts with 3")
    return number


def counting(taken: list[int]) -> Iterator[int]:
    """0, 1, ... for ever, noted as they are taken."""
    for number in count():
        taken.append(number)
        yield number


def test_every_item_comes_once_with_its_result(executor):
    results = list(executor.map(doubled, range(50)))
    assert sorted(results) == [(number, 2 * number) for number in range(50)]


def test_no_items_give_no_results(executor):
    assert list(executor.map(doubled, [])) == []


def test_an_item_comes_back_itself(executor):
    items = [[number] for number in range(8)]
    for item, copied in executor.map(list, items):
        assert any(item is one for one in items)
        assert copied == item


def test_a_function_of_here_and_now_will_do(executor):
    shift = 7
    assert sorted(executor.map(lambda number: number + shift, range(8))) == [(k, k + 7) for k in range(8)]


def test_items_without_end_are_taken_as_there_is_room(executor):
    taken = []
    results = executor.map(doubled, counting(taken))
    assert taken == []
    for done in range(1, 21):
        number, result = next(results)
        assert result == 2 * number
        assert len(taken) <= done + ROOM
    results.close()
    before = len(taken)
    assert list(results) == []
    assert len(taken) == before


def test_a_failure_comes_through_as_it_is_and_nothing_is_taken_after_it(executor):
    taken, done = [], []
    results = executor.map(three_is_dead, counting(taken))
    with pytest.raises(DeadPrefixError, match="no member starts with 3") as caught:
        done.extend(results)  # its worker may be slow: others come before it
    assert type(caught.value) is DeadPrefixError
    before = len(taken)
    assert before <= len(done) + ROOM
    assert list(results) == []
    assert len(taken) == before
    assert sorted(executor.map(doubled, [1, 2])) == [(1, 2), (2, 4)]  # it goes on working
