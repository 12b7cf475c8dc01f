"""Coroutines run by code that is none."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


def run_to_end(work: Coroutine[Any, Any, Result]) -> Result:
    """What a coroutine returns, also where an event loop is running already, as in a notebook.

    Interrupted there, it is cancelled, and has ended when this returns.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    loop, ended = asyncio.new_event_loop(), threading.Event()
    task = loop.create_task(work)
    thread = threading.Thread(target=_run, args=(loop, task, ended))
    try:
        thread.start()
        ended.wait()
    except BaseException:  # Ctrl-C falls upon this thread
        loop.call_soon_threadsafe(task.cancel)
        ended.wait()
        raise
    finally:
        thread.join()
        loop.close()
    return task.result()


def _run(loop: asyncio.AbstractEventLoop, task: asyncio.Task, ended: threading.Event) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(asyncio.wait([task]))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        ended.set()
