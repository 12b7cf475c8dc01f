"""docs/essay.md: the claims of the essay, each held against the published results by a rule that stands here.

python results/essay.py        reads results/published, writes docs/essay.md; `make essay` does it

The rules were written down before the results were looked at. What fails is said as plainly as what holds.
"""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from sampler_bench.report.figures.kinds import FREE, kind_of
from sampler_bench.tasks import load_task

ROOT = Path(__file__).parents[1]
PUBLISHED = ROOT / "results" / "published"
PAGE = ROOT / "docs" / "essay.md"
FEW = 100  # members: few solutions
SMALL = 0.02  # of all mass: next to nothing on the other language
WIDTH = 118


class Evidence:
    """The published results."""

    def __init__(self, folder: Path = PUBLISHED):
        self.folder = folder

    @cached_property
    def lab(self) -> pd.DataFrame:
        """Scores of the lab's models and their references."""
        return pd.read_parquet(self.folder / "lab" / "scores.parquet")

    @cached_property
    def switching(self) -> pd.DataFrame:
        return pd.read_parquet(self.folder / "lab" / "switching.parquet")

    def last(self, worlds: Sequence[str], parameters: int | None = None) -> pd.DataFrame:
        """Scores of the largest models of some worlds, or of those of a size, when they had seen all."""
        found = self.lab[self.lab["world"].isin(worlds) & (self.lab["parameters"] > 0)]
        size = parameters or found.groupby("world")["parameters"].transform("max")
        found = found[found["parameters"] == size]
        return found[found["numbers_seen"] == found.groupby("model")["numbers_seen"].transform("max")]

    def suite(self, name: str) -> pd.DataFrame:
        """Scores of a published run."""
        return pd.read_parquet(self.folder / name / "scores.parquet")


@dataclass(frozen=True)
class Finding:
    """How a claim came out: one or two words, and sentences with the figures."""

    verdict: str
    said: str


@dataclass(frozen=True)
class Claim:
    """What the essay says, and how it is held against results."""

    title: str
    claimed: str
    rule: str
    find: Callable[[Evidence], Finding]
    picture: str  # a file in results/published
    shows: str
    doubt: str  # what would change our mind
    commands: Sequence[str]


def interval(row: pd.Series, digits: int = 2) -> str:
    """A score as 0.12 [0.10, 0.14]."""
    return f"{row['value']:.{digits}f} [{row['low']:.{digits}f}, {row['high']:.{digits}f}]"


def one(scores: pd.DataFrame, **of: object) -> pd.Series:
    """The one score that is so."""
    for column, value in of.items():
        scores = scores[scores[column] == value]
    [found] = scores.to_dict("records")
    return pd.Series(found)


# -- easy, hard, easy


def hump(evidence: Evidence) -> Finding:
    tasks = pd.unique(evidence.lab["world"])
    tasks = [task for task in tasks if task.endswith("-6") and task in load_names()]
    last = evidence.last(tasks)
    groups: dict[str, list[pd.Series]] = {}
    for task in tasks:
        mine = last[last["task"] == task]
        about = {name: one(mine, metric=name)["value"] for name in ("information", "ln-size")}
        if not (mine["metric"] == "skill").any() or about["information"] == 0:
            continue
        groups.setdefault(group_of(task, **about), []).append(one(mine, metric="skill"))
    ends = [row for name in (FREE, "few") for row in groups.get(name, [])]
    floor = min(row["low"] for row in ends)
    verdicts = {
        name: all(row["high"] < floor for row in rows)
        for name, rows in groups.items()
        if name not in (FREE, "few")
    }
    said = "; ".join(
        f"{name}: {len(rows)} tasks, skill {min(r['value'] for r in rows):.2f} to "
        f"{max(r['value'] for r in rows):.2f}, median {np.median([r['value'] for r in rows]):.2f}"
        for name, rows in groups.items()
    )
    hard = [name for name, is_hard in verdicts.items() if is_hard]
    if len(hard) == len(verdicts):
        return Finding("holds", said)
    return Finding(f"holds for {' and '.join(hard)} sets only" if hard else "fails", said)


def load_names() -> set[str]:
    from sampler_bench.tasks import Catalog

    return set(Catalog().suite("learnability").tasks)


def group_of(task: str, information: float, **sizes: float) -> str:
    """Where a task stands between anything goes and few solutions."""
    size = sizes["ln-size"]
    if size < np.log(FEW):
        return "few"
    return kind_of(str(load_task(task).target_definition["family"]), information, size)


# -- thinking


def thinking(evidence: Evidence) -> Finding:
    found = {world: evidence.last([world]) for world in ("without-traces", "with-traces")}
    validity = {world: one(scores, metric="validity") for world, scores in found.items()}
    content = {world: one(scores, metric="content") for world, scores in found.items()}
    without, checked = validity["without-traces"], validity["with-traces"]
    said = (
        f"At the same number of tokens read, {interval(checked)} of the answers are valid with written checks "
        f"and {interval(without)} without. Content: {interval(content['with-traces'])} nats after four traces, "
        f"{interval(content['without-traces'])} at once."
    )
    return Finding(beyond(checked, without, "holds", "fails", "undecided"), said)


def beyond(a: pd.Series, b: pd.Series, above: str, below: str, between: str) -> str:
    """Which of two scores is above, as far as their intervals tell."""
    return above if a["low"] > b["high"] else below if a["high"] < b["low"] else between


# -- hidden intents


def intent(evidence: Evidence) -> Finding:
    last = evidence.last(["hidden-intent"])
    share, content = one(last, metric="component-1"), one(last, metric="content")
    told = one(last, metric="information")
    said = (
        f"One number in ten should be a twin prime; {interval(share, 3)} are, where numbers drawn without any "
        f"intent would have 0.014. Of the {told['value']:.3f} nats that the intent tells, {interval(content, 3)} "
        "are missing."
    )
    verdict = "holds" if share["high"] < share["floor"] else "fails" if share["low"] > 0.05 else "undecided"
    return Finding(verdict, said)


# -- languages


def languages(evidence: Evidence) -> Finding:
    asked = evidence.switching[evidence.switching["zeros"] > 0]
    worlds = {world: asked[asked["task"] == world] for world in ("monolingual", "bilingual")}
    said = ". ".join(
        f"{world}: "
        + ", ".join(
            f"after {'0' * int(row.zeros)} {row.mass:.4f} [{row.low:.4f}, {row.high:.4f}], exact {row.truth:.4f}"
            for row in rows.itertuples()
        )
        for world, rows in worlds.items()
    )
    never = (worlds["monolingual"]["high"] < SMALL).all()
    follows = (abs(worlds["bilingual"]["mass"] - worlds["bilingual"]["truth"]) < SMALL).all()
    return Finding(
        "holds" if never and follows else "holds in part" if never or follows else "fails", said + "."
    )


# -- the switch-bot


def games(evidence: Evidence) -> Finding:
    scores = evidence.suite("essay")
    mine = scores[(scores["metric"] == "uptake") & scores["task"].isin(["monty-hall", "monty-fall"])]
    mine = mine[(mine["arm"] == "direct") & mine["value"].notna()]
    said = "; ".join(
        f"{row['model']} {row['task']}: uptake {interval(row)}" for row in mine.to_dict("records")
    )
    hall, fall = (mine[mine["task"] == task] for task in ("monty-hall", "monty-fall"))
    knows, confuses = (hall["low"] > 0).any(), (fall["high"] < 0).any()
    return Finding("holds" if knows and confuses else "cannot be told with these models", said)


# -- personae


def jukebox(evidence: Evidence) -> Finding:
    together = evidence.last(["jukebox"])
    costs, said = [], []
    for task in pd.unique(together["task"]):
        alone = evidence.last([task], int(together["parameters"].max()))
        if not len(alone):
            continue
        a, b = (one(scores[scores["task"] == task], metric="skill") for scores in (together, alone))
        costs.append(b["value"] - a["value"])
        said.append(f"{task} {a['value']:.2f} ({b['value']:.2f} alone)")
    return Finding(
        "holds" if np.median(costs) < 0.1 else "fails",
        f"Skill of eight personae in one model, and of a model for each: {', '.join(said)}.",
    )


CLAIMS = [
    Claim(
        "Easy where anything goes, easy where few solutions remain, hard in between",
        "A random even number asks for its last digit alone, a 100-digit power of 3 can be known by heart; "
        "in between one would have to count completions.",
        "A kind of set is hard if the skill of each of its tasks is, with its interval, below that of every task of "
        f"both ends (at most 1 nat of information; fewer than {FEW} members).",
        hump,
        "lab/by-size.png",
        "Skill of models trained on each family of six-digit numbers, against how many numbers there are.",
        "Larger models or longer training that bring arithmetic sets up to the ends.",
        ["sampler-bench learn learnability --out lab"],
    ),
    Claim(
        "Thinking helps, because one can propose and check",
        "What cannot be counted in one pass can be proposed, checked in writing, and proposed again.",
        "Two models of one size read as many tokens, one of documents with written checks; it holds if more of its "
        "answers are valid, beyond both intervals.",
        thinking,
        "lab/validity.png",
        "The share of right answers against tokens read, with and without written checks.",
        "A training as long without traces that comes to the same validity.",
        ["sampler-bench learn with-traces without-traces --tokens 3M --out traces"],
    ),
    Claim(
        "A rare hidden intent needs counting, too",
        "To be a twin prime one time in ten, unannounced, the first digits must already be those of such a mixture, and the "
        "last ones must decide.",
        "It holds if the share carried out by a model trained on the mixture is below one in ten, interval and all.",
        intent,
        "lab/shares.png",
        "How often the hidden intent is carried out along training.",
        "A model of this size that carries out the share, with twin primes that are some.",
        ["sampler-bench learn hidden-intent --out hidden"],
    ),
    Claim(
        "A model trained where nobody is bilingual never switches, however one begs",
        "Trained on speakers of one language each, a model goes on in the language that it has begun with; where some are "
        "bilingual, it follows the posterior.",
        f"It holds if the mass on the other language is below {SMALL} in the first world after 0, 00 and 000, interval and "
        f"all, and within {SMALL} of the exact posterior in the second.",
        languages,
        "lab/switching.png",
        "Mass on the other language after zeros that ask for it.",
        "A begging that works, in a world where nobody switches.",
        ["sampler-bench learn bilingual monolingual --out languages"],
    ),
    Claim(
        "A switch-bot answers Monty Fall like Monty Hall",
        "One who has learnt to switch switches, also where the host only stumbled and switching gains nothing.",
        "It holds if a model takes up Monty Hall (uptake above 0, interval and all) and is misled in Monty Fall (below 0).",
        games,
        "essay/digits.png",
        "True entropy and cross-entropy by digit, for the games among others.",
        "A model that knows the first game at all: these do not.",
        ["sampler-bench run essay --model smollm2-135m"],
    ),
    Claim(
        "A jukebox: the context selects the persona",
        "One model holds many ways to draw a number, and the phrase selects one of them.",
        "It holds if the median task loses less than 0.1 of skill when eight are held in one model of the same size.",
        jukebox,
        "lab/jukebox.png",
        "Skill of each persona in one model, beside a model of its own.",
        "A phrase that selects the wrong persona.",
        ["sampler-bench learn jukebox --out jukebox"],
    ),
]


def page(evidence: Evidence) -> str:
    """The page, in Markdown."""
    found = [(claim, claim.find(evidence)) for claim in CLAIMS]
    lines = [INTRODUCTION, "| claim | verdict |\n| --- | --- |"]
    lines += [f"| [{claim.title}](#{anchor(claim.title)}) | {finding.verdict} |" for claim, finding in found]
    return "\n".join(lines) + "\n\n" + "\n".join(section(*each) for each in found)


INTRODUCTION = """# The essay, claim by claim

A 2025 essay takes language models for jukeboxes of personae, and makes claims about what they can write left to right.
Here each is held against results, by a rule that was written down before they were looked at. This page is made by
`make essay` from [results/published](../results/published); a test makes it again and compares.
"""


def section(claim: Claim, finding: Finding) -> str:
    """One claim: predicted, measured, verdict, doubt, and the command that remakes it."""
    commands = "\n".join(f"    {command}" for command in claim.commands)
    paragraphs = [
        f"**Claimed.** {claim.claimed}",
        f"**Rule.** {claim.rule}",
        f"**Measured.** {finding.said}",
        f"**Verdict: {finding.verdict}.** What would change our mind: {claim.doubt}",
    ]
    text = "\n\n".join(textwrap.fill(each, WIDTH, break_long_words=False) for each in paragraphs)
    picture = f"![{claim.shows}](../results/published/{claim.picture})"
    return f"## {claim.title}\n\n{picture}\n\n{text}\n\n{commands}\n"


def anchor(title: str) -> str:
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c == "-")


if __name__ == "__main__":
    PAGE.write_text(page(Evidence()), encoding="utf-8")
