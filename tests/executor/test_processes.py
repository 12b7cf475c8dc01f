"""Worker processes: when there are any, what becomes of them, and of the work that they lose."""

import os
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest

from sampler_bench.errors import InputError, WorkerError
from sampler_bench.executor.processes import Processes
from tests.processes import is_alive, processes_below, wait_until

# In no function, and with no guard: as one writes it.
SCRIPT = """
import os, time
from itertools import count
from sampler_bench.executor.processes import Processes

SHIFT, HOME = 7, os.getpid()

def shifted(number):
    time.sleep(0.2)
    return number + SHIFT, os.getpid()

for number, (result, place) in Processes(2).map(shifted, count()):
    assert result == number + 7
    if place != HOME:
        print("elsewhere")
        break
"""
BUSY = """
import sys
from itertools import chain, repeat
from pathlib import Path
from sampler_bench.executor import processes
from tests.executor.test_processes import busy

processes._here_until = lambda *_: iter(())
folder = Path(sys.argv[1])
for _ in processes.Processes(2).map(busy, chain(["short"], repeat(folder))):
    pass
"""


def where(_: object) -> int:
    return os.getpid()


def busy(folder: Path | str) -> None:
    """For ever, in a file named by its process; or a moment, if there is no folder."""
    if folder == "short":
        return
    (folder / str(os.getpid())).touch()
    time.sleep(10**6)


def busy_workers(folder: Path) -> list[int]:
    """The two processes that are busy."""
    wait_until(lambda: len(list(folder.iterdir())) == 2, "no two workers were busy")
    return [int(path.name) for path in folder.iterdir()]


def made_in(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


def one_of_two(folder: Path) -> int:
    """This process, once another one has come into the folder, too."""
    (folder / str(os.getpid())).touch()
    wait_until(lambda: len(list(folder.iterdir())) == 2, "no two workers were busy")
    return os.getpid()


def killed(home: int) -> int:
    if os.getpid() != home:
        os.kill(os.getpid(), signal.SIGKILL)
    return home


def interrupted(number: int) -> int:
    os.kill(os.getpid(), signal.SIGINT)
    return number


def test_small_work_starts_no_process():
    before = processes_below(os.getpid())
    assert {place for _, place in Processes(2).map(where, range(100))} == {os.getpid()}
    assert processes_below(os.getpid()).keys() <= before.keys()


def test_what_takes_longer_goes_on_in_processes():
    def slow(_: int) -> int:
        time.sleep(0.6)
        return os.getpid()

    places = []
    for _, place in Processes(2).map(slow, count()):
        places.append(place)
        if place != os.getpid():
            break
    assert places[:1] == [os.getpid()]


@pytest.mark.usefixtures("nothing_here")
def test_two_cores_are_two_processes_kept_for_the_next_map(tmp_path):
    first, second = (
        {place for _, place in Processes(2).map(one_of_two, [made_in(tmp_path, name)] * 8)} for name in "ab"
    )
    assert first == second
    assert len(first) == 2
    assert os.getpid() not in first


def test_one_core_is_this_process():
    def slow(_: int) -> int:
        time.sleep(0.6)
        return os.getpid()

    assert {place for _, place in Processes(1).map(slow, range(3))} == {os.getpid()}


def test_all_cores_that_may_be_used_are_by_default():
    assert Processes().cores == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("cores", [0, -1])
def test_no_core_is_refused(cores):
    with pytest.raises(InputError, match=f"cores = {cores}: at least one"):
        Processes(cores)


@pytest.mark.usefixtures("nothing_here")
def test_a_worker_that_is_killed_is_one_sentence():
    with pytest.raises(WorkerError, match=r"^a worker process was killed, .* memory .* start again$"):
        list(Processes(2).map(killed, [os.getpid()] * 20))
    assert len(list(Processes(2).map(where, range(20)))) == 20  # others take its place


@pytest.mark.usefixtures("nothing_here")
def test_ctrl_c_is_for_the_process_that_gives_work_out():
    assert sorted(Processes(2).map(interrupted, range(8))) == [(number, number) for number in range(8)]


@pytest.mark.usefixtures("nothing_here")
def test_left_early_no_process_works_on(tmp_path):
    results = Processes(2).map(busy, ["short"] + [tmp_path] * 10)
    assert next(results) == ("short", None)
    workers = busy_workers(tmp_path)
    assert all(map(is_alive, workers))
    results.close()
    assert not any(map(is_alive, workers))


@pytest.fixture
def script(tmp_path):
    """Starts Python on a file with this text, in a group of processes as a terminal makes one."""
    started = []

    def start(text: str, *arguments: object) -> subprocess.Popen[str]:
        path = tmp_path / "script.py"
        path.write_text(text)
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        started.append(
            subprocess.Popen(
                [sys.executable, path, *map(str, arguments)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=environment,
                start_new_session=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "busy").mkdir()
    return tmp_path / "busy"


def test_a_script_needs_no_guard(script):
    process = script(SCRIPT)
    out, said = process.communicate()
    assert process.returncode == 0, said
    assert (out, said) == ("elsewhere\n", "")


def test_after_ctrl_c_no_process_works_on_and_none_has_anything_to_say(script, folder):
    process = script(BUSY, folder)
    workers = busy_workers(folder)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == -signal.SIGINT
    assert said.count("Traceback") == said.count("KeyboardInterrupt") == 1, said
    assert not any(map(is_alive, workers))


def test_workers_end_with_the_process_they_work_for(script, folder):
    process = script(BUSY, folder)
    workers = busy_workers(folder)
    process.kill()
    wait_until(lambda: not any(map(is_alive, workers)), "workers outlived it")
