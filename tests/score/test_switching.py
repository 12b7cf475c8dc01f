"""Mass on the other language, after zeros: by hand, and of an exact sampler by counting."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest

from sampler_bench import run
from sampler_bench.score.switching import switching

LANGUAGES = ["1234", "56789"]


def law(first: float, other: float) -> list[float]:
    """What the words of the two languages have together; the rest is on 0."""
    return [1 - first - other, *[first / 4] * 4, *[other / 5] * 5, 0.0]


def test_prefixes_of_one_language_and_zeros_are_told_by_how_many_there_are():
    rows = [
        ("12", law(0.9, 0.1), law(0.8, 0.0)),
        ("340", law(0.5, 0.3), law(0.6, 0.2)),
        ("10", law(0.5, 0.1), law(0.6, 0.2)),
        ("10", law(0.5, 0.1), law(0.6, 0.2)),  # the same of another number
        ("500", law(0.25, 0.7), law(0.5, 0.4)),
        ("15", law(0.0, 1.0), law(0.5, 0.5)),  # of both
        ("107", law(0.0, 1.0), law(0.5, 0.5)),
        ("", law(0.5, 0.5), law(0.5, 0.5)),
    ]
    table = pd.DataFrame(rows, columns=["prefix", "q", "p"]).assign(model="m")
    found = switching(table, LANGUAGES).set_index("zeros")
    assert found["n"].to_dict() == {0: 1, 1: 2, 2: 1}
    assert found["mass"].to_dict() == pytest.approx({0: 0.1, 1: 0.2, 2: 0.25})
    assert found["truth"].to_dict() == pytest.approx({0: 0.0, 1: 0.2, 2: 0.5})
    assert np.isnan(found["low"]).all()  # of fewer than four there is no interval


def texts(pattern: str, digits: int) -> list[str]:
    every = map("".join, itertools.product("0123456789", repeat=digits))
    return [text for text in every if re.fullmatch(pattern, text)]


def test_of_a_sampler_that_is_exact_it_is_what_counting_says(tmp_path):
    """Four words: monolinguals of either language, and one speaker in five who switches after zeros."""
    home = tmp_path / "tasks"
    home.mkdir()
    patterns = [
        "[1-4][0-4]{3}",
        "[5-9][05-9]{3}",
        "([1-4]+0+[5-9]+0+)*([1-4]+|[1-4]+0+|[1-4]+0+[5-9]+|[1-4]+0+[5-9]+0+)",
        "([5-9]+0+[1-4]+0+)*([5-9]+|[5-9]+0+|[5-9]+0+[1-4]+|[5-9]+0+[1-4]+0+)",
    ]
    weights = [0.4, 0.4, 0.1, 0.1]
    components = "".join(
        f'[[target.components]]\nfamily = "pattern"\ndigits = 4\npattern = "{pattern}"\n'
        for pattern in patterns
    )
    (home / "words.toml").write_text(
        'title = "t"\nversion = 1\nphrase = "text of four words"\ncontrol = "number"\n'
        f'[target]\nfamily = "mixture"\nweights = {weights}\n{components}'
    )
    measured = run("words", ["oracle"], out=tmp_path / "run", numbers=200, samples=3, task_folders=[home])
    found = switching(measured.conditionals, LANGUAGES).set_index("zeros")
    all_texts = [
        (weight / len(each), each)
        for weight, each in zip(weights, map(texts, patterns, [4] * 4), strict=True)
    ]

    def mass(start: str) -> float:
        return sum(p * sum(text.startswith(start) for text in each) for p, each in all_texts)

    seen = measured.conditionals.drop_duplicates("prefix")["prefix"]
    for zeros in (0, 1, 2):
        exact = []
        for prefix in seen:
            for language, other in (LANGUAGES, LANGUAGES[::-1]):
                if re.fullmatch(f"[{language}]+0{{{zeros}}}", prefix) and len(prefix) < 4:
                    exact.append(sum(mass(prefix + digit) for digit in other) / mass(prefix))
                elif re.fullmatch(f"[{language}]+0{{{zeros}}}", prefix):
                    exact.append(0.0)
        assert found.loc[zeros, "mass"] == pytest.approx(np.mean(exact), abs=1e-9)
        assert found.loc[zeros, "truth"] == pytest.approx(np.mean(exact), abs=1e-9)
