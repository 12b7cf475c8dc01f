"""What a person should know of scores, once a run has them."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from sampler_bench.models.reference import find_reference
from sampler_bench.score.scores import unanswered


def remarks(scores: pd.DataFrame) -> list[str]:
    """A sentence for each model and arm whose scores are not what they seem."""
    return [*unanswered(scores), *excluding(scores)]


def excluding(scores: pd.DataFrame) -> Iterator[str]:
    """A line for each served model whose content is infinite somewhere: what that means."""
    infinite = scores[(scores["metric"] == "content") & np.isinf(scores["value"])]
    for (model, arm, decoder), rows in infinite.groupby(["model", "arm", "decoder"]):
        if not find_reference(str(model)):
            yield (
                f"{model}, arm {arm}, {decoder}: content is infinite at {', '.join(rows['task'])}: digits "
                "that may stand there have probability 0 (-inf in the log, or vLLM's word for it, -9999). "
                "Servers that mask tokens answer so: structured outputs, bad words, logits processors"
            )
