"""Lists of tasks with their sizes: what was counted before is not counted again, and never mistaken."""

import pytest

from sampler_bench.errors import InputError, MissingPackageError
from sampler_bench.targets.families.multiples import Multiples
from sampler_bench.tasks import Catalog
from sampler_bench.tasks import sizes as module
from sampler_bench.tasks.sizes import Size, with_sizes

TASK = """
title = "Multiples"
version = 1
phrase = "3-digit multiple of {0}"
[target]
family = "multiples"
digits = 3
modulus = {0}
"""


def size_of(modulus):
    target = Multiples(3, modulus)
    return Size(target.count(""), target.information())


@pytest.fixture
def listed(tmp_path, cache):  # noqa: ARG001
    """The size of a task "m" whose file says a modulus."""

    def size(modulus):
        (tmp_path / "m.toml").write_text(TASK.format(modulus))
        [(task, found)] = with_sizes(Catalog([tmp_path]), ["m"])
        assert task.target_definition["modulus"] == modulus
        return found

    return size


def test_a_size_is_counted_once_and_anew_for_another_definition(listed, monkeypatch):
    assert listed(9) == size_of(9)
    assert listed(10) == size_of(10)
    monkeypatch.setattr(module, "_counted", lambda task: pytest.fail(f"{task.name} is counted again"))
    assert listed(9) == size_of(9)
    with pytest.raises(pytest.fail.Exception, match="counted again"):
        listed(11)


def test_a_task_that_is_not_right_is_not_kept(listed):
    for _ in range(2):
        with pytest.raises(InputError, match=r"m\.toml, \[target\]: modulus = 0: it must be at least 1"):
            listed(0)


def test_a_missing_package_leaves_a_gap_until_it_is_there(listed, monkeypatch):
    def missing(_):
        raise MissingPackageError("no package")

    with monkeypatch.context() as patch:
        patch.setattr(Multiples, "information", missing)
        assert listed(9) == Size()
    assert listed(9) == size_of(9)


def test_of_a_family_of_someone_elses_nothing_is_kept(listed, monkeypatch):
    monkeypatch.setattr(module, "foreign_names", lambda: {"multiples"})
    assert listed(9) == size_of(9)
    monkeypatch.setattr(Multiples, "information", lambda _: 2.0)
    assert listed(9) == Size(100, 2.0)
