"""Coroutines run from inside a running event loop, as in a notebook."""

import asyncio
import signal
import threading

import pytest

from sampler_bench.measure.event_loop import run_to_end


def in_a_cell(work):
    """Run as a notebook does: in a loop that leaves Ctrl-C to Python."""

    async def cell():
        return run_to_end(work)

    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(cell())
    finally:
        loop.close()


def test_what_it_returns_and_raises_comes_through():
    async def six():
        return 6

    async def failing():
        raise ZeroDivisionError("mine")

    assert in_a_cell(six()) == run_to_end(six()) == 6
    with pytest.raises(ZeroDivisionError, match="mine"):
        in_a_cell(failing())


def test_ctrl_c_ends_it_before_it_is_left():
    seen = []

    async def work():
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        try:
            await asyncio.sleep(600)
        finally:
            seen.append("ended")

    with pytest.raises(KeyboardInterrupt):
        in_a_cell(work())
    assert seen == ["ended"]
