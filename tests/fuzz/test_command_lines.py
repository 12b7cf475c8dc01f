"""A short form of the fuzz of command lines; `make fuzz` runs the long one."""

from tests.fuzz.command_lines import check_command_lines


def test_no_command_line_ends_in_a_traceback_hangs_or_writes_elsewhere():
    found = check_command_lines(seed=0, trials=200)
    assert found["failures"] == []
    assert found["exit code 2"] >= 100
    assert found["exit code 0"] >= 10
