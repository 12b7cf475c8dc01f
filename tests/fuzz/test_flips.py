"""No bit that flips on the disk changes an answer unnoticed."""

from tests.fuzz.flips import check_flips


def test_a_flipped_bit_is_noticed_in_every_kind_of_file():
    found = check_flips(seed=17, trials=2400)
    assert sum(kind["flips"] for kind in found.values()) >= 2400
    assert len(found) >= 10
    for name, kind in found.items():
        assert (kind["noticed"], kind["wrong"], kind["tracebacks"]) == (kind["flips"], 0, 0), name
