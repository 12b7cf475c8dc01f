"""Numbers of a mixture: how many of each component, with which weights, whatever the order of work."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from sampler_bench import run
from sampler_bench.errors import StoreError
from sampler_bench.measure.decoders import parse_decoder
from sampler_bench.measure.plan import CHUNK, Unit, Units, numbers_along
from sampler_bench.models.model import Prompt
from sampler_bench.runs.manifest import Settings
from sampler_bench.runs.store import RunFolder
from sampler_bench.sealed import write_json
from sampler_bench.targets import Mixture, Multiples, Powers, TwinPrimes
from sampler_bench.targets.strata import allocated, strata
from sampler_bench.tasks import Catalog, Task

CATALOG = Catalog()
EVEN_OR_ODD = Mixture((0.1, 0.9), (Multiples(4, 2), Multiples(4, 2, 1)))
DEFINITION = {
    "family": "mixture",
    "weights": [0.1, 0.9],
    "components": [
        {"family": "multiples", "digits": 4, "modulus": 2},
        {"family": "multiples", "digits": 4, "modulus": 2, "residue": 1},
    ],
}
PUBLISHED = Path(__file__).parents[2] / "results" / "published"


def units(total: int, definition: dict = DEFINITION, seed: int = 0) -> list[Unit]:
    task = Task(name="t", title="t", version=1, phrase="number", target=definition)
    arm = CATALOG.arm("direct").in_one_wording()
    settings = Settings(seed=seed, numbers=total, samples=1)
    prompt = Prompt(task, arm, arm.paraphrases[0])
    return [
        Unit(
            "conditionals",
            "m",
            parse_decoder("ancestral"),
            prompt,
            settings,
            start,
            min(CHUNK, total - start),
        )
        for start in range(0, total, CHUNK)
    ]


def numbers(total: int, **of) -> list[tuple[str, float]]:
    return [number for unit in units(total, **of) for number in numbers_along(unit)]


@pytest.mark.parametrize(
    ("shares", "total", "expected"),
    [
        ([0.1, 0.9], 8, [2, 6]),  # 0.8 and 7.2: two at least
        ([0.1, 0.9], 16, [2, 14]),
        ([0.1, 0.9], 40, [4, 36]),
        ([0.5, 0.5], 9, [5, 4]),  # one half is as good as the other
        ([0.26, 0.26, 0.48], 10, [3, 2, 5]),  # 2.6, 2.6, 4.8: the largest remainders, the first of two alike
        ([0.01, 0.01, 0.98], 100, [2, 2, 96]),
        (
            [0.01, 0.3, 0.69],
            7,
            [2, 2, 3],
        ),  # 0.01 is raised; of the other five 0.3 would have 1.5: raised, too
        ([1 / 3] * 3, 6, [2, 2, 2]),
        ([1.0], 1, [1]),
    ],
)
def test_each_component_has_its_share_and_two_at_least(shares, total, expected):
    assert allocated(np.array(shares), total).tolist() == expected


def test_shares_are_handed_out_to_the_last_number_whatever_they_are():
    rng = np.random.default_rng(0)
    for _ in range(300):
        shares = rng.dirichlet(rng.uniform(0.05, 2, size=rng.integers(2, 9)))
        total = int(rng.integers(2 * len(shares), 400))
        found = allocated(shares, total)
        assert found.sum() == total
        assert found.min() >= 2
        assert (found - np.maximum(2, shares * total)).max() < 1  # nobody has more than share or two


@pytest.mark.parametrize("total", [1, 2, 3, 4, 8, 16, 40, 100])
def test_the_weighted_mean_is_an_unbiased_estimate(total):
    """Of the share of numbers that are even: in each stratum it is known, so that the mean is exact."""
    found = numbers(total)
    assert sum(weight for _, weight in found) == pytest.approx(1)
    if total >= 4:
        even = sum(weight for number, weight in found if int(number) % 2 == 0)
        assert even == pytest.approx(0.1)


def test_too_few_numbers_are_drawn_from_components_taken_together():
    """Three components, five numbers: the two rarest share two of them; two or three are of all together."""
    target = Mixture((0.1, 0.7, 0.2), (Powers(4, 2), Multiples(4, 7), TwinPrimes(4)))
    rare_together, common = strata(target, 5)
    assert (rare_together.share, common.share) == pytest.approx((0.3, 0.7))
    assert (rare_together.numbers, common.numbers) == (2, 3)
    assert rare_together.target.shares == pytest.approx([1 / 3, 2 / 3])
    (together,) = strata(target, 3)
    assert (together.share, together.numbers) == (1, 3)
    assert together.target.shares == pytest.approx([0.1, 0.7, 0.2])


def test_a_mixture_in_a_mixture_is_taken_apart_and_what_has_no_weight_left_out():
    inner = Mixture((0.5, 0.5), (Powers(4, 2), Multiples(4, 7)))
    target = Mixture((0.4, 0.6, 0.0), (inner, Multiples(4, 7), TwinPrimes(4)))
    powers, multiples = strata(target, 20)
    assert (powers.target, powers.numbers) == (Powers(4, 2), 4)
    assert (multiples.target, multiples.share) == (Multiples(4, 7), pytest.approx(0.8))


def test_the_shares_hold_over_the_whole_task_not_in_each_unit():
    found = [[int(number) % 2 for number, _ in numbers_along(unit)] for unit in units(200)]
    assert [parity.count(0) for parity in found] == [16, 4, *[0] * 11]


def test_fewer_numbers_are_among_more():
    """So that an arm that reads fewer is compared with another along the same ones."""
    many = {number for number, _ in numbers(200)}
    for total in (4, 8, 16, 50):
        assert {number for number, _ in numbers(total)} <= many
    assert len(many) > 150


def test_the_order_of_work_and_the_model_change_nothing():
    forwards, backwards = units(100), units(100)[::-1]
    first = {unit.start: numbers_along(unit) for unit in forwards}
    assert all(numbers_along(replace(unit, model="other")) == first[unit.start] for unit in backwards)
    assert numbers(100, seed=1) != numbers(100)


def test_a_mixture_with_few_members_is_measured_along_all_of_them():
    definition = {**DEFINITION, "components": [{"family": "powers", "digits": 3, "base": b} for b in (2, 3)]}
    found = [numbers_along(replace(unit, size=5)) for unit in units(8, definition)]
    assert dict(found[0]) == pytest.approx(
        {"128": 0.1 / 3, "256": 0.1 / 3, "512": 0.1 / 3, "243": 0.45, "729": 0.45}
    )


@pytest.mark.parametrize("suite", ["quick", "spectrum", "essay"])
def test_numbers_are_those_of_the_published_runs_unless_their_edition_has_changed(suite):
    folder = RunFolder(PUBLISHED / suite)
    manifest = folder.manifest()
    records = folder.read("conditionals").query("arm == 'direct' and model == 'oracle'")
    for name, rows in records.groupby("task"):
        target = CATALOG.task(name).target
        if manifest.tasks[name].draws == target.draws:
            stored = (
                rows.sort_values(["number_id", "position"]).groupby("number_id")["prefix"].last().tolist()
            )
            plan = Units([CATALOG.task(name)], [CATALOG.arm("direct")], [parse_decoder("ancestral")], "m",
                         manifest.settings)  # fmt: skip
            unit = next(unit for unit in plan if unit.kind == "conditionals")
            assert [number for number, _ in numbers_along(unit)] == stored[: unit.size], name


def test_what_is_drawn_anew_says_so_and_nothing_else_does():
    """Mixtures, and twin primes of so many digits that several batches of proposals go into a few."""
    anew = {name for name in CATALOG.task_names() if CATALOG.task(name).target.draws > 1}
    assert anew == {
        *("twin-or-any-100", "twins-one-in-ten-6", "monolingual-8", "bilingual-8"),
        "twin-primes-100",
    }


def test_an_edition_of_draws_changes_the_id_of_a_unit(monkeypatch):
    (mixture,) = units(8)
    (plain,) = units(8, {"family": "multiples", "digits": 4, "modulus": 2})
    before = mixture.id, plain.id
    monkeypatch.setattr(Mixture, "draws", 1)
    (mixture,), (plain,) = units(8), units(8, {"family": "multiples", "digits": 4, "modulus": 2})
    assert mixture.id != before[0]
    assert plain.id == before[1]


def test_a_run_of_a_mixture_drawn_otherwise_is_not_gone_on_with(tmp_path):
    (tmp_path / "mine").mkdir()
    weights, components = [0.5, 0.5], [{"family": "powers", "digits": 9, "base": b} for b in (2, 3)]
    text = f"weights = {weights}\n" + "".join(
        f'[[target.components]]\nfamily = "{each["family"]}"\ndigits = 9\nbase = {each["base"]}\n'
        for each in components
    )
    head = 'title = "t"\nversion = 1\nphrase = "p"\n[target]\nfamily = "mixture"\n'
    (tmp_path / "mine" / "powers-or-powers.toml").write_text(head + text)
    again = partial(run, "powers-or-powers", ["oracle"], out=tmp_path / "run", samples=2,
                    task_folders=[tmp_path / "mine"])  # fmt: skip
    again()
    manifest = RunFolder(tmp_path / "run").manifest()
    task = manifest.tasks["powers-or-powers"]
    assert (task.draws, task.information_error) == (2, 0)
    task.draws = 1
    RunFolder(tmp_path / "run").write_manifest(manifest)
    with pytest.raises(StoreError, match="was measured with another task 'powers-or-powers'"):
        again()


def test_a_run_from_before_information_had_an_error_is_gone_on_with(tmp_path):
    again = partial(run, "powers-of-2-6", ["oracle"], out=tmp_path, samples=2)
    again()
    manifest = RunFolder(tmp_path).manifest().model_dump(mode="json")
    del manifest["tasks"]["powers-of-2-6"]["information_error"], manifest["tasks"]["powers-of-2-6"]["draws"]
    write_json(tmp_path / "manifest.json", manifest)
    before = (tmp_path / "conditionals.parquet").read_bytes()
    again()
    assert (tmp_path / "conditionals.parquet").read_bytes() == before
