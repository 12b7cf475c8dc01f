"""Prefix tables: those shipped against fresh sieving and published counts; made, interrupted, made again."""

import numpy as np
import pytest

from sampler_bench.errors import InputError, StoreError
from sampler_bench.kernels import count_tuples, tuples_in
from sampler_bench.targets.counting import kept_counts, tables
from sampler_bench.targets.counting.kept_counts import count_members
from sampler_bench.targets.counting.tables import PrefixTable, find_table, make_table, read_table
from sampler_bench.targets.counting.tuple_names import TUPLES, parse_tuple, tuple_name

TWINS = TUPLES["twin-primes"]
PUBLISHED = [
    2,
    8,
    35,
    205,
    1224,
    8169,
    58980,
    440312,
    3424506,
    27412679,
    224376048,
    1870585220,
]  # OEIS A007508


@pytest.fixture(autouse=True)
def _cache(cache):
    """Away from the user's own."""


def shipped(digits: int) -> PrefixTable:
    table = find_table("twin-primes", digits)
    assert table is not None
    return table


@pytest.mark.parametrize("digits", range(1, 13))
def test_shipped_tables_sum_to_the_published_counts(digits):
    table = shipped(digits)
    assert (table.digits, table.depth) == (digits, min(digits, 5))
    assert table.count("") == PUBLISHED[digits - 1] - (PUBLISHED[digits - 2] if digits > 1 else 0)


def test_shipped_tables_are_small():
    sizes = [path.stat().st_size for path in tables.shipped_folder().glob("*.parquet")]
    assert len(sizes) == 12
    assert sum(sizes) < 10**6


@pytest.mark.parametrize("digits", range(1, 13))
def test_parts_of_shipped_tables_chosen_at_random_are_what_is_sieved(digits):
    table, rng = shipped(digits), np.random.default_rng()
    width, low = 10 ** (digits - table.depth), 10 ** (table.depth - 1)
    for first in rng.integers(low, 10 * low, 5).tolist():
        edges = [prefix * width for prefix in range(first, min(first + 4, 10 * low) + 1)]
        expected = count_tuples(TWINS, edges).tolist()
        assert [table.count(str(edge // width)) for edge in edges[:-1]] == expected, f"at {first}"


def test_counts_of_all_prefixes_equal_the_members_listed():
    table = find_table("twin-primes", 6)
    members = [str(10**5 + int(offset)) for offset in tuples_in(TWINS, 10**5, 9 * 10**5)]
    for length in range(7):
        for prefix in [str(n) for n in range(10 ** (length - 1), 10**length, 997)] if length else [""]:
            assert table.count(prefix) == sum(member.startswith(prefix) for member in members)
    assert table.count("0") == table.count("012") == 0


def test_every_deeper_prefix_adds_up_to_its_parent():
    table = shipped(12)
    for prefix in ("10000", "57203", "99999", "572031"):
        assert sum(table.count(prefix + digit) for digit in "0123456789") == table.count(prefix)


@pytest.mark.parametrize("name", ["primes", "sophie-germain-primes", "n,n+2,n+6"])
def test_a_table_of_any_tuple_can_be_made(name, tmp_path):
    path = make_table(name, 5, 2, folder=tmp_path / "here")
    table, forms = read_table(path), parse_tuple(name)
    assert table.name == name
    assert table.counts.tolist() == count_tuples(forms, range(10**4, 10**5 + 1, 1000)).tolist()
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_an_interrupted_table_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_counts, "KEPT_WIDTH", 10)
    whole = read_table(make_table("twin-primes", 6, 3, folder=tmp_path / "whole")).counts
    calls = []

    def interrupted(forms, edges, *rest):
        calls.append(tuple(edges))
        if len(calls) == 30:
            raise KeyboardInterrupt
        return count_tuples(forms, edges, *rest)

    monkeypatch.setattr("sampler_bench.kernels.count_tuples", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_table("twin-primes", 6, 3, folder=tmp_path)
    assert not list(tmp_path.glob("*.parquet"))
    (kept,) = tmp_path.glob("*.parts")
    damaged = sorted(kept.iterdir())[0]
    damaged.write_bytes(b"half a fil")
    table = read_table(make_table("twin-primes", 6, 3, folder=tmp_path))
    assert table.counts.tolist() == whole.tolist()
    done = [edges for edges in calls if len(edges) > 2 or edges[0] < edges[-1]]
    counted_twice = len(done) - len(set(done))
    assert counted_twice == 2  # the part in which it was interrupted, and the one that was damaged
    assert not kept.exists()


def test_a_table_that_is_there_is_not_made_again(tmp_path, monkeypatch):
    path = make_table("twin-primes", 4, 2, folder=tmp_path)
    monkeypatch.setattr("sampler_bench.kernels.count_tuples", None)
    assert make_table("twin-primes", 4, 2, folder=tmp_path) == path


def test_a_table_made_is_found_and_the_deeper_one_preferred():
    assert find_table("cousin-primes", 5) is None
    for depth in (1, 3, 2):
        make_table("cousin-primes", 5, depth)
    assert find_table("cousin-primes", 5).depth == 3


def test_wide_intervals_are_counted_in_parts_that_are_kept(monkeypatch):
    monkeypatch.setattr(kept_counts, "KEPT_WIDTH", 10**5)
    lo, hi = 123_456, 1_000_001
    expected = int(count_tuples(TWINS, [lo, hi])[0])
    shares = []
    assert count_members("twin-primes", lo, hi, progress=shares.append) == expected
    assert shares == sorted(shares)
    assert shares[-1] == 1

    def only_the_ends(forms, edges, *rest):
        assert edges[-1] - edges[0] < 10**5
        return count_tuples(forms, edges, *rest)

    monkeypatch.setattr("sampler_bench.kernels.count_tuples", only_the_ends)
    assert count_members("twin-primes", lo, hi) == expected
    assert count_members("twin-primes", 7, 7) == 0


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: make_table("twin-primes", 0, 1), "a table is of 1 to 18 digits"),
        (lambda: make_table("twin-primes", 19, 1), "a table is of 1 to 18 digits"),
        (lambda: make_table("twin-primes", 3, 4), "depth = 4: it must be from 1 to 3 for 3 digits"),
        (lambda: make_table("twin-primes", 12, 8), "from 1 to 7 for 12 digits"),
        (lambda: count_members("twin-primes", 5, 4), "4 is below 5"),
        (lambda: count_members("twin-primes", -5, 4), "-5 is negative"),
        (lambda: count_members("twin-primes", 0, 10**20), "the most that can be sieved"),
        (lambda: count_members("n,n+2,n+4", 0, 9), "inadmissible: 3 always divides one"),
        (lambda: parse_tuple("twin-prime"), "did you mean twin-primes"),
        (lambda: parse_tuple("n,2m"), "forms as in n,n"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(call, complaint):
    with pytest.raises(InputError, match=complaint):
        call()


def test_a_damaged_table_is_named(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"not parquet")
    with pytest.raises(StoreError, match=r"x\.parquet carries no checksum"):
        read_table(tmp_path / "x.parquet")


@pytest.mark.parametrize("text", [*TUPLES, "n", "n,n+2,n+6", "2n+1,3n-2"])
def test_names_come_back(text):
    name = tuple_name(parse_tuple(text))
    assert parse_tuple(name) == parse_tuple(text)
    assert name == text or text == "n"
    assert tuple_name(((1, 2), (1, 0))) == "twin-primes"
