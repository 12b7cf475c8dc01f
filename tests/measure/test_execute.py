"""Doing the units of a plan: few are held at a time, however many there are."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sampler_bench.errors import StoreError
from sampler_bench.measure.decoders import parse_decoder
from sampler_bench.measure.execute import UNITS_AT_ONCE, execute
from sampler_bench.measure.plan import Unit, Units
from sampler_bench.models.reference import find_reference
from sampler_bench.runs.manifest import Settings
from sampler_bench.runs.store import RunFolder
from sampler_bench.tasks import Catalog


@dataclass
class Counted:
    """Units, with how many have been taken."""

    units: Units
    taken: int = 0

    def __iter__(self) -> Iterator[Unit]:
        for unit in self.units:
            self.taken += 1
            yield unit


def test_units_are_taken_as_they_are_worked_on(tmp_path):
    catalog = Catalog()
    settings = Settings(seed=0, numbers=1, samples=16 * 10**6)
    arm, decoder = catalog.arm("direct").in_one_wording(), parse_decoder("ancestral")
    counted = Counted(Units([catalog.task("even-6")], [arm], [decoder], "uniform-digits", settings))
    told = []

    def tell(unit: Unit, records: int) -> None:
        told.append((unit.id, records))
        if len(told) == 40:
            raise StoreError("enough")

    folder = RunFolder(tmp_path / "run")
    with folder.locked(), pytest.raises(StoreError, match="enough"):
        asyncio.run(execute(counted, (), find_reference("uniform-digits"), folder, tell))
    assert 40 <= len(set(told)) <= counted.taken <= 40 + UNITS_AT_ONCE
