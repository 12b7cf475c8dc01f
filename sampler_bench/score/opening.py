"""Whether a number begins where the laws are read: the mass on digits at its first place."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from sampler_bench.score.knowledge import Knowledge
from sampler_bench.score.score import Score
from sampler_bench.targets import END


def opening(knowledge: Knowledge) -> Iterator[Score]:
    """The mean over wordings of the law before the first digit, which is one for all numbers."""
    pieces = knowledge.laws.pieces(["paraphrase", "position", "q"])
    begins = (piece[piece["position"] == 0] for piece in pieces)
    first = pd.concat([rows.drop_duplicates("paraphrase") for rows in begins])
    first = first.drop_duplicates("paraphrase").set_index("paraphrase")
    by_paraphrase = pd.Series([1 - law[END] for law in first["q"].to_list()], first.index)
    value = float(np.mean(by_paraphrase))
    yield Score("opening", value, by_paraphrase=by_paraphrase, n=len(by_paraphrase))
