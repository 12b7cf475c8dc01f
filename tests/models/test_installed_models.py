"""Models that installed packages offer as entry points."""

import importlib
import sys

import pytest

from sampler_bench import run
from sampler_bench.errors import InputError
from sampler_bench.models import objects
from sampler_bench.models.finding import find_model
from sampler_bench.models.server_options import ServerOptions

OFFERED = """
from tests.models.own_models import Both
class Offered(Both):
    name = "offered"
    def __init__(self, identity="offered 1"):
        self.identity = identity
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Write a module and an entry point for it where Python finds both; nothing of it stays."""
    monkeypatch.syspath_prepend(str(tmp_path))
    written = []

    def write(module, source, entry_point):
        (tmp_path / f"{module}.py").write_text(source)
        written.append(module)
        folder = tmp_path / f"{module}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[sampler_bench.models]\n{entry_point}\n")
        importlib.invalidate_caches()
        objects._entry_points.cache_clear()

    yield write
    objects._entry_points.cache_clear()
    for module in written:
        sys.modules.pop(module, None)


@pytest.mark.parametrize("made_by", ["Offered", "make"])
def test_a_package_offers_a_model_by_its_name(made_by, package, tmp_path):
    package("offering", f"{OFFERED}\ndef make():\n    return Offered()", f"offered = offering:{made_by}")
    assert find_model("offered", ServerOptions()).describe()["identity"] == "offered 1"
    scores = run("even-6", ["offered"], ["direct"], out=tmp_path / "run", numbers=8, samples=6).scores
    assert set(scores["model"]) == {"offered"}


def test_a_model_that_is_offered_is_listed_and_not_loaded_until_it_is_asked_for(package):
    package("costly", "raise RuntimeError('loaded')", "costly = costly:Costly")
    with pytest.raises(
        InputError, match=r"unknown model 'unheard': neither oracle, .*, costly, nor a folder"
    ):
        find_model("unheard", ServerOptions())
    assert find_model("oracle", ServerOptions()).name == "oracle"
    assert find_model("costly", ServerOptions(base_urls=["http://here:1"])).own is None  # served there
    assert "costly" not in sys.modules


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('no disk')", "no disk"),
        ("", "no attribute 'Odd'"),
        ("Odd = 7", "'int' object is not callable"),
        ("def Odd(): raise RuntimeError('no weights')", "no weights"),
        ("def Odd(): return 7", "a model of class int has name = None"),
        ("def Odd(path): return 7", "missing 1 required positional argument: 'path'"),
        (f"{OFFERED}\nclass Odd(Offered):\n    can = 7", "can = 7; it must be a set"),
    ],
)
def test_an_entry_point_that_is_of_no_use_is_named(source, reason, package):
    package("odd", source, "odd = odd:Odd")
    with pytest.raises(InputError) as caught:
        find_model("odd", ServerOptions())
    assert str(caught.value).startswith("entry point odd = odd:Odd of sampler_bench.models: ")
    assert reason in str(caught.value)


def test_two_packages_cannot_offer_one_name(package):
    for module in ("first", "second"):
        package(module, OFFERED, f"offered = {module}:Offered")
    with pytest.raises(InputError, match=r"two packages offer a model 'offered' .* first:Offered and second"):
        find_model("offered", ServerOptions())
