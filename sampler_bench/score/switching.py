"""Two languages of digits: how much of a law goes to the other one, after zeros have asked for it."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from sampler_bench.score.intervals import student_interval

MOST_ASKED = 3  # zeros in a row
COLUMNS = ["model", "zeros", "mass", "low", "high", "truth", "n"]


def switching(conditionals: pd.DataFrame, languages: Sequence[str]) -> pd.DataFrame:
    """The mass on the other language's digits, after words of one language and then zeros.

    Parameters
    ----------
    conditionals : DataFrame
        Records of one task, read along numbers.
    languages : sequence of str
        The digits of each of two.

    Returns
    -------
    DataFrame
        A row a model and number of zeros, 0 to 3: the mean of q's mass over ``n`` prefixes, each counted
        once, with its 95 % interval (Student), and of p's.
    """
    found = conditionals.drop_duplicates(["model", "prefix"])
    forms = [re.compile(f"[{language}]+(0{{0,{MOST_ASKED}}})") for language in languages]
    rows = []
    for prefix, model, q, p in found[["prefix", "model", "q", "p"]].itertuples(index=False):
        for form, other in zip(forms, languages[::-1], strict=True):
            if match := form.fullmatch(prefix):
                digits = [int(digit) for digit in other]
                rows.append((model, len(match[1]), np.asarray(q)[digits].sum(), np.asarray(p)[digits].sum()))
    each = pd.DataFrame(rows, columns=["model", "zeros", "mass", "truth"])
    table = []
    for (model, zeros), mine in each.groupby(["model", "zeros"], sort=False):
        low, high = np.clip(student_interval(mine["mass"].to_numpy()), 0, 1)
        mean, truth = mine["mass"].mean(), mine["truth"].mean()
        table.append((model, zeros, mean, float(low), float(high), truth, len(mine)))
    return pd.DataFrame(table, columns=COLUMNS)
