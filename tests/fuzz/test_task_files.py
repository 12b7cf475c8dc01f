"""A short form of the fuzz of task files; `make fuzz` runs the long one."""

from tests.fuzz.task_files import check_task_files


def test_a_task_file_is_right_or_refused_in_a_sentence():
    found = check_task_files(seed=0, trials=400)
    assert (found["wrong"], found["tracebacks"], found["hangs"]) == (0, 0, 0), found["first"]
    assert found["accepted"] >= 100
    assert found["refused"] >= 100
