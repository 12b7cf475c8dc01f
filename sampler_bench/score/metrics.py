"""The one table of metrics: what page, leaderboard, comparison and docs/method.md say of each stands here.

A metric is its function and a row. ``python -m sampler_bench.score.metrics`` prints the table of the docs.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sampler_bench.errors import InputError
from sampler_bench.score.answers import costs, evenness, level_of_validity, mass, shares
from sampler_bench.score.components import component_shares
from sampler_bench.score.knowledge import Knowledge
from sampler_bench.score.opening import opening
from sampler_bench.score.score import Score
from sampler_bench.score.skill import shares as shares_of_information
from sampler_bench.score.trace_scores import scores_of_traces

Place = Literal["page", "leaderboard", "compare"]
Material = Literal["samples", "all samples", "conditionals", "suite"]
NAME = re.compile(r"[a-z][a-z0-9-]*(-N)?")
RESERVED = ("run", "suite", "task", "model", "arm", "decoder")  # columns of the scores and the leaderboard


@dataclass(frozen=True)
class Metric:
    """A row of the table.

    Attributes
    ----------
    name : str
        As in the column ``metric`` of the scores. ``-N`` at its end stands for a number.
    unit : str
    better : str
        ``more``, ``less``, or empty where neither is better.
    shown : tuple of str
        Besides scores.csv: ``page``, in the opened rows of leaderboard.html; ``leaderboard``, in the cells on
        the terminal and in leaderboard.md and as columns of leaderboard.csv; ``compare``, by that command.
    about : str
        What it is, in a plain sentence.
    of : str
        What it is made of. ``samples``: those of one task, model, arm and decoder. ``all samples``: the same,
        and for the whole suite those of all its tasks. ``conditionals``: those of one task, model, arm and
        decoder. ``suite``: the scores at all tasks; these are made in ``overall.py``.
    function : callable, optional
        What makes it, given (records, truth), (records,) or (knowledge,): a DataFrame of samples records, a
        ``Truth``; a ``Knowledge``, which holds both. Gives scores of this metric, and of others that name it.
    label : str
        In a few words, for captions and axes; by default the name.
    """

    name: str
    unit: str
    better: Literal["more", "less", ""]
    shown: tuple[Place, ...]
    about: str
    of: Material
    function: Callable[..., Iterable[Score]] | None = None
    label: str = ""


EVERYWHERE: tuple[Place, ...] = ("page", "leaderboard", "compare")
PAGE: tuple[Place, ...] = ("page",)

# In the order of the page. Functions are called in the order in which the table first names them.
BUILT_IN = (
    Metric(
        "skill", "1", "more", EVERYWHERE,
        "The share of the constraint's information that the model has, where something is asked.",
        "conditionals", shares_of_information, label="skill (1: exact, 0: uniform digits)",
    ),
    Metric(
        "uptake", "1", "more", EVERYWHERE,
        "What speaking of the constraint is worth, where something is asked, as a share of what it could be.",
        "conditionals", shares_of_information, label="uptake (1: taken up whole, 0: ignored)",
    ),
    Metric(
        "validity", "share", "more", EVERYWHERE, "The share of answers that are members.",
        "all samples", shares, label="share of valid answers",
    ),
    Metric("answered", "share", "more", PAGE, "The share of answers that were found.", "all samples", shares),
    Metric("skill-median", "1", "more", PAGE, "The median of the tasks' skills.", "suite"),
    Metric("uptake-median", "1", "more", PAGE, "The median of the tasks' uptakes.", "suite"),
    Metric(
        "skill-all", "1", "more", PAGE, "Skill at all positions: 1 - content / I.",
        "conditionals", shares_of_information,
    ),
    Metric(
        "uptake-all", "1", "more", PAGE, "Uptake at all positions: (content-blind - content) / I.",
        "conditionals", shares_of_information,
    ),
    Metric(
        "content", "nats", "less", PAGE, "KL(P || Q) of which digit comes, summed over positions.",
        "conditionals", Knowledge.scores, label="content, nats (0: exact)",
    ),
    Metric(
        "stopping", "nats", "less", PAGE, "KL(P || Q) of whether a digit comes, summed over positions.",
        "conditionals", Knowledge.scores,
    ),
    Metric(
        "format", "nats", "less", (), "The part of stopping where the number must go on.",
        "conditionals", Knowledge.scores,
    ),
    Metric(
        "stop", "nats", "less", (), "The part of stopping where the number may end.",
        "conditionals", Knowledge.scores,
    ),
    Metric(
        "free-digit-bias", "nats", "less", PAGE, "The part of content where any digit may stand.",
        "conditionals", Knowledge.scores,
    ),
    Metric(
        "free-information", "nats", "", (), "The part of I where any digit may stand.",
        "conditionals", Knowledge.scores,
    ),
    Metric(
        "content-blind", "nats", "less", PAGE,
        "The content where the constraint is not spoken of: the control of uptake.",
        "conditionals", shares_of_information,
    ),
    Metric(
        "dead-end", "digits", "less", PAGE,
        "The mass on digits after which no member is left, summed over positions.",
        "conditionals", Knowledge.scores,
    ),
    Metric(
        "jsd", "nats", "less", (), "The Jensen-Shannon divergence of the digits, summed over positions.",
        "conditionals", Knowledge.scores,
    ),
    Metric(
        "variation", "digits", "less", (),
        "The total variation distance of the digits, summed over positions.",
        "conditionals", Knowledge.scores,
    ),
    Metric(
        "bound", "nats", "", (), "What the error of the truth's method can add to the divergence.",
        "conditionals", Knowledge.scores,
    ),
    Metric(
        "information", "nats", "", (), "I, the information of the constraint: the content of uniform digits.",
        "conditionals", Knowledge.scores,
    ),
    Metric(
        "ln-size", "nats", "", (), "The logarithm of the number of members.",
        "conditionals", Knowledge.scores,
    ),
    Metric(
        "opening", "share", "more", PAGE,
        "The mass on digits where the number is to begin: with little of it, laws say little of numbers.",
        "conditionals", opening,
    ),
    Metric(
        "forced", "share", "less", PAGE,
        "The share of traces that came to no answer, so that a lead was put after them.",
        "conditionals", scores_of_traces,
    ),
    Metric(
        "content-traces-N", "nats", "less", (), "The content of the law over N traces.",
        "conditionals", scores_of_traces,
    ),
    Metric(
        "content-limit", "nats", "less", PAGE,
        "The content of the law over ever more traces, extrapolated in 1 / T.",
        "conditionals", scores_of_traces,
    ),
    Metric(
        "content-irrelevant", "nats", "less", PAGE,
        "The content after the traces of another task: a control.",
        "conditionals", scores_of_traces,
    ),
    Metric(
        "gain", "nats", "more", PAGE, "The content of the direct answer less that of this arm.",
        "conditionals", Knowledge.scores,
    ),
    Metric(
        "level", "y", "more", PAGE, "The y of the sieve that has this content.",
        "conditionals", Knowledge.scores,
    ),
    Metric(
        "level-of-validity", "y", "more", PAGE, "The y of the sieve that has this validity.",
        "samples", level_of_validity,
    ),
    Metric(
        "passes", "forward passes", "less", (), "Forward passes of the model for each valid answer.",
        "all samples", costs,
    ),
    Metric("tokens", "tokens", "less", PAGE, "Tokens written for each valid answer.", "all samples", costs),
    Metric(
        "seconds", "s", "less", PAGE, "Wall time of the requests for each valid answer.",
        "all samples", costs,
    ),
    Metric(
        "mass", "nats", "more", PAGE,
        "The logarithm of the model's mass on what its decoder restricts it to.", "samples", mass,
    ),
    Metric("rank", "1", "less", PAGE, "The place by overall skill, 1 the best.", "suite"),
    Metric("rank-kept", "share", "", PAGE, "The share of the resamples that give the same rank.", "suite"),
    Metric(
        "leading-digit", "tv", "less", PAGE,
        "The distance of the leading digits of the answers from their probabilities.", "samples", evenness,
    ),
    Metric(
        "last-digit", "tv", "less", PAGE,
        "The distance of the last digits of the answers from their probabilities.", "samples", evenness,
    ),
    Metric(
        "mod-N", "tv", "less", PAGE,
        "The distance of the answers' residues modulo N from their probabilities.", "samples", evenness,
    ),
    Metric(
        "duplicates", "share", "", PAGE, "The share of answers that repeat an earlier one.",
        "samples", evenness,
    ),
    Metric(
        "ks", "share", "less", PAGE,
        "The largest gap between the distribution functions of the answers and of the law on a line.",
        "samples", evenness, label="Kolmogorov-Smirnov distance",
    ),
    Metric(
        "wasserstein", "sd", "less", PAGE,
        "How far the answers lie from the law on a line, on average, in its standard deviations.",
        "samples", evenness, label="Wasserstein-1 distance in standard deviations",
    ),
    Metric(
        "component-N", "share", "", (), "The share of the answers that come from a mixture's component N.",
        "samples", component_shares, label="share of component N",
    ),
)  # fmt: skip
_added: dict[str, Metric] = {}


def table() -> tuple[Metric, ...]:
    """All rows: the built-in ones, then those that ``metric`` added."""
    return (*BUILT_IN, *_added.values())


def metric(
    name: str,
    *,
    unit: str,
    better: Literal["more", "less", ""] = "",
    shown: Iterable[Place] = (),
    about: str = "",
    of: Literal["samples", "all samples", "conditionals"],
    label: str = "",
) -> Callable[[Callable[..., Iterable[Score]]], Callable[..., Iterable[Score]]]:
    """Add a row to the table for the function below it; the parameters are those of ``Metric``.

    What was added under the same name is replaced. Where no row is (in another process, say), scores of it
    that were stored are not shown.

    Raises
    ------
    InputError
        If the name is that of a built-in metric or of a column, or is not of small letters, digits, hyphens.
    """
    if not NAME.fullmatch(name) or name in RESERVED or find(name, BUILT_IN):
        raise InputError(
            f"a metric {name!r}: choose a name of small letters, digits and hyphens that neither a built-in "
            f"metric nor a column has ({', '.join(RESERVED)})"
        )

    def add(function: Callable[..., Iterable[Score]]) -> Callable[..., Iterable[Score]]:
        _added[name] = Metric(name, unit, better, tuple(shown), about, of, function, label)
        return function

    return add


def find(name: str, rows: Sequence[Metric] | None = None) -> Metric | None:
    """The row of a metric, by its name or by that with N for the number at its end; None if there is none."""
    by_name = {row.name: row for row in (table() if rows is None else rows)}
    return by_name.get(name) or by_name.get(re.sub(r"-[0-9]+$", "-N", name))


def in_words(name: str) -> str:
    """What a metric is in a few words; its name if nothing is said."""
    row = find(name)
    return re.sub(r"\bN\b", name.rpartition("-")[2], row.label or name) if row else name


def shown(place: Place, names: Iterable[str]) -> dict[str, Metric]:
    """The rows of those of the names that are shown at a place, in the table's order, then by number."""
    found = [(name, row) for name in dict.fromkeys(names) if (row := find(name)) and place in row.shown]
    found.sort(key=lambda each: (table().index(each[1]), len(each[0]), each[0]))
    return dict(found)


def markdown() -> str:
    """The table of built-in metrics, as it stands in docs/method.md."""
    lines = ["| metric | unit | better | shown | what it is |", "| --- | --- | --- | --- | --- |"]
    for row in BUILT_IN:
        cells = (f"`{row.name}`", row.unit, row.better, ", ".join(row.shown), row.about.replace("|", r"\|"))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown())
