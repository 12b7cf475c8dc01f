"""Families of others: registered by the decorator, or found as entry points of installed packages."""

import importlib
import sys

import numpy as np
import pytest

import sampler_bench.targets
from sampler_bench import load_task
from sampler_bench.errors import InputError
from sampler_bench.targets import registry
from sampler_bench.targets.laws import assert_laws
from sampler_bench.targets.registry import family, find_family, make_target, registered

FAMILY = """
from dataclasses import dataclass
from sampler_bench.targets.counting.automaton import AutomatonTarget
{decorator}
@dataclass(frozen=True)
class {name}(AutomatonTarget):
    digits: int
    lucky: int = 7
    start = 0

    def __post_init__(self):
        self.check()

    def step(self, state, digit):
        return digit

    def accepts(self, state):
        return state == self.lucky

    def __str__(self):
        return f"{{self.digits}}-digit numbers that end in {{self.lucky}}"
"""
DECORATOR = "from sampler_bench.targets.registry import family\n@family({!r})"
TASK = """
title = "Lucky numbers"
version = 1
phrase = "4-digit number that ends in 3"
[target]
family = "lucky"
digits = 4
lucky = 3
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write a module, and perhaps an entry point for it, where Python finds both; nothing of it stays."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry, "_REGISTERED", registered())
    written = []

    def write(module, source, entry_point=""):
        (tmp_path / f"{module}.py").write_text(source)
        written.append(module)
        if entry_point:
            folder = tmp_path / f"{module}-1.0.dist-info"
            folder.mkdir()
            (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
            (folder / "entry_points.txt").write_text(f"[sampler_bench.families]\n{entry_point}\n")
        importlib.invalidate_caches()
        registry._entry_points.cache_clear()

    yield write
    registry._entry_points.cache_clear()
    for module in written:
        sys.modules.pop(module, None)


def registered_by_decorator(package):
    package("of_a_script", FAMILY.format(name="Lucky", decorator=DECORATOR.format("lucky")))
    importlib.import_module("of_a_script")


def named_by_an_entry_point(package):
    package("of_a_package", FAMILY.format(name="Lucky", decorator=""), "lucky = of_a_package:Lucky")


def named_by_both(package):
    source = FAMILY.format(name="Lucky", decorator=DECORATOR.format("lucky"))
    package("of_both", source, "lucky = of_both:Lucky")


@pytest.mark.parametrize("install", [registered_by_decorator, named_by_an_entry_point, named_by_both])
def test_a_family_of_someone_elses_is_like_any_other(install, package, tmp_path):
    install(package)
    target = make_target({"family": "lucky", "digits": 3})
    assert target.count("") == 90
    assert_laws(target, np.random.default_rng(0))
    (tmp_path / "lucky.toml").write_text(TASK)
    assert load_task("lucky", [tmp_path]).target.contains("1233")
    assert sampler_bench.targets.Lucky is type(target) is find_family("lucky")
    with pytest.raises(InputError, match="unknown key 'luck'; the keys are family, digits, lucky"):
        make_target({"family": "lucky", "digits": 3, "luck": 1})
    mixture = {"family": "mixture", "weights": [1.0], "components": [{"family": "lucky", "digits": 3}]}
    assert make_target(mixture).count("") == 90


def test_an_entry_point_is_listed_and_not_loaded_until_it_is_asked_for(package):
    package("costly", "raise RuntimeError('loaded')", "costly = costly:Costly")
    assert make_target({"family": "multiples", "digits": 3, "modulus": 7}).digits == 3
    with pytest.raises(
        InputError, match=r"'unheard' is not known; choose from automaton, .*, costly, digit-sums"
    ):
        make_target({"family": "unheard"})
    with pytest.raises(InputError, match="family = None is not known"):
        make_target({"integer": "5"})  # which in a value stands for a number
    assert "costly" not in sys.modules


@pytest.mark.parametrize(
    ("entry_point", "source", "reason"),
    [
        ("odd = odd:Odd", "raise RuntimeError('no disk')", "no disk"),
        ("odd = odd:Odd", "", "no attribute 'Odd'"),
        ("odd = absent_module:Odd", "", "No module named 'absent_module'"),
        ("odd = odd:Odd", "Odd = 7", "family 'odd': 7 is no dataclass of targets"),
        ("odd = odd:Odd", "class Odd: pass", "is no dataclass of targets"),
        (
            "odd = odd:Odd",
            "from sampler_bench.targets import Target\nclass Odd(Target): pass",
            "is no dataclass of targets",
        ),
        (
            "odd = odd:Odd",
            "from dataclasses import dataclass\nfrom sampler_bench.targets import UniformTarget\n"
            "@dataclass(frozen=True)\nclass Odd(UniformTarget):\n    digits: int",
            "odd.Odd lacks _count",
        ),
    ],
)
def test_an_entry_point_that_is_of_no_use_is_named(entry_point, source, reason, package):
    package("odd", source, entry_point)
    with pytest.raises(InputError) as caught:
        make_target({"family": "odd", "digits": 3})
    assert str(caught.value).startswith(f"entry point {entry_point} of sampler_bench.families: ")
    assert reason in str(caught.value)


def test_no_other_takes_the_name_of_a_family_here(package):
    package("taking", FAMILY.format(name="Taking", decorator=DECORATOR.format("multiples")))
    with pytest.raises(
        InputError, match=r"'multiples' is .*\.Multiples, so taking\.Taking needs another name"
    ):
        importlib.import_module("taking")
    package("shadow", FAMILY.format(name="Shadow", decorator=""), "multiples = shadow:Shadow")
    with pytest.raises(InputError, match=r"entry point multiples = shadow:Shadow .* needs another name"):
        make_target({"family": "multiples", "digits": 3, "modulus": 7})
    assert make_target({"family": "palindromes", "digits": 3}).digits == 3


def test_two_packages_cannot_share_a_name(package):
    for module in ("first", "second"):
        package(module, FAMILY.format(name="Lucky", decorator=""), f"lucky = {module}:Lucky")
    with pytest.raises(InputError, match=r"entry point lucky = .* needs another name"):
        make_target({"family": "lucky", "digits": 3})


def test_a_class_defined_anew_takes_its_own_place(package):
    package("notebook", FAMILY.format(name="Lucky", decorator=DECORATOR.format("lucky")))
    first = importlib.import_module("notebook").Lucky
    again = importlib.reload(sys.modules["notebook"]).Lucky
    assert find_family("lucky") is again is not first


def test_what_is_no_target_is_refused_where_it_is_defined():
    with pytest.raises(InputError, match=r"family 'word': .* is no dataclass of targets"):
        family("word")(str)
