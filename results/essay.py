"""docs/essay.md: the claims of the essay, each held against the published results by the rule in claims.toml.

python results/essay.py        reads results/published, writes docs/essay.md; `make essay` does it
"""

import sys
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import entr

from sampler_bench.models.reference import find_reference
from sampler_bench.report.figures.kinds import ARITHMETIC, FREE, kind_of
from sampler_bench.tasks import Catalog

ROOT = Path(__file__).parents[1]
PUBLISHED = ROOT / "results" / "published"
CLAIMS = Path(__file__).with_name("claims.toml")
PAGE = ROOT / "docs" / "essay.md"
GRID = "learnability-6"
FEW = 100  # members: few solutions
EASY = 0.9  # skill
SMALL = 0.02  # of all mass, or off the posterior
COST = 0.1  # of skill
CONTROL = "feasible-uniform"
WIDTH = 118
INTRODUCTION = """# The essay, claim by claim

A 2025 essay takes language models for jukeboxes of personae, and makes claims about what they can write
left to right. Here each is held against results, by rules that were written down before the published
results were there, but for the games, where the rule says what was changed and what the verdict was before;
claims.toml says what else was made stricter. `make essay` makes this page of
[results/published](../results/published) and [claims.toml](../results/claims.toml); a test makes it
again and compares.

The lab's models are small, one training each, and were trained on nothing but exact draws: intervals are of
the numbers and answers looked at, not of what another training would have given, and [lab.md](lab.md) says
what follows for large models, and what does not.

| claim | verdict |
| --- | --- |
"""


@dataclass(frozen=True)
class Finding:
    """How a claim came out: a word or a few, and the figures."""

    verdict: str
    said: str


class Evidence:
    """The published results."""

    def __init__(self, folder: Path = PUBLISHED):
        self.folder = folder

    @cached_property
    def lab(self) -> pd.DataFrame:
        """Scores of the lab's models, on their way too, and of references."""
        return pd.read_parquet(self.folder / "lab" / "scores.parquet")

    @cached_property
    def switching(self) -> pd.DataFrame:
        """Mass on the other language, by world and zeros said."""
        return pd.read_parquet(self.folder / "lab" / "switching.parquet")

    @cached_property
    def other_door(self) -> pd.Series:
        """Of what is given to doors 1 and 3, which are shut, the share of 3; by task, model, arm, wording."""
        laws = pd.read_parquet(self.folder / "games" / "conditionals.parquet")
        laws = laws[laws["task"].isin(["monty-hall", "monty-fall"]) & (laws["prefix"] == "") & ~laws["blind"]]
        share = [q[3] / (q[1] + q[3]) for q in laws["q"]]
        return laws.assign(share=share).groupby(["task", "model", "arm", "paraphrase"])["share"].mean()

    def suite(self, name: str) -> pd.DataFrame:
        """Scores of a published run."""
        return pd.read_parquet(self.folder / name / "scores.parquet")

    def trained(
        self, world: str, task: str = "", size: int | None = None, seen: float | None = None
    ) -> "Scores":
        """Scores of a world's largest model, or that of a size, when it had seen all, or about so much."""
        mine = self.lab[(self.lab["world"] == world) & (self.lab["task"] == (task or world))]
        mine = mine[mine["parameters"] == (size or mine["parameters"].max())]
        stages = sorted(mine["numbers_seen"].unique())
        stage = stages[-1] if seen is None else min(stages, key=lambda each: abs(each - seen))
        return Scores(mine[mine["numbers_seen"] == stage])

    def reference(self, name: str, world: str) -> "Scores":
        """Scores of a reference sampler at a world of one task."""
        return Scores(self.lab[(self.lab["world"] == world) & (self.lab["model"] == name)])


class Scores:
    """The scores of one model at one task, by metric."""

    def __init__(self, rows: pd.DataFrame):
        self._rows = rows.set_index("metric")

    def __contains__(self, metric: str) -> bool:
        return metric in self._rows.index

    def __getitem__(self, metric: str) -> pd.Series:
        found = self._rows.loc[metric]
        assert isinstance(found, pd.Series), metric
        return found


def hump(evidence: Evidence) -> Finding:
    """Skill of each kind of set, beside that of both ends."""
    kinds: dict[str, list[pd.Series]] = {}
    last_digits = {}
    for task in Catalog().suite(GRID).tasks:
        scores = evidence.trained(task)
        if "skill" in scores:
            kind = kind_of_set(task, scores)
            kinds.setdefault(kind, []).append(scores["skill"])
            if kind == ARITHMETIC:
                last_digits[task] = worth_of_the_last_digit(task, scores)
    ends = [row for kind in (FREE, "few") for row in kinds[kind]]
    least = min(row["low"] for row in ends)
    inner = {kind: rows for kind, rows in kinds.items() if kind not in (FREE, "few")}
    hard = [kind for kind, rows in inner.items() if all(row["high"] < least for row in rows)]
    easy = all(row["value"] > EASY for row in ends)
    said = ". ".join(
        f"{kind.capitalize()} ({len(rows)} tasks): skill {_range([row['value'] for row in rows])}"
        for kind, rows in kinds.items()
    )
    worth = ", ".join(f"{task} {_shown(each)}" for task, each in last_digits.items())
    some = f"holds of {' and '.join(hard)} sets" if hard and easy else "fails"
    verdict = "holds" if len(hard) == len(inner) and easy else some
    alone = f" The law of the last digit alone would be worth: {worth}." if worth else ""
    return Finding(verdict, f"{said}.{alone}")


def worth_of_the_last_digit(task: str, scores: Scores) -> float:
    """Skill of a sampler that knows the exact law of the last digit, and nothing else."""
    law = Catalog().task(task).target.residues(10)
    return float(entr(np.full(10, 0.1)).sum() - entr(law).sum()) / scores["information"]["value"]


def kind_of_set(task: str, scores: Scores) -> str:
    """Few, or what kind of constraint it is."""
    size = scores["ln-size"]["value"]
    family = Catalog().task(task).family
    return "few" if size < np.log(FEW) else kind_of(family, scores["information"]["value"], size)


def _range(values: Sequence[float]) -> str:
    return f"{_shown(min(values))} to {_shown(max(values))}, median {_shown(np.median(values))}"


def thinking(evidence: Evidence) -> Finding:
    """Validity with written checks and without."""
    task = "no-factor-below-11-6"
    without, checked = (evidence.trained(world, task) for world in ("without-traces", "with-traces"))
    assert checked["validity"]["parameters"] == without["validity"]["parameters"]
    assert np.isclose(checked["validity"]["tokens_seen"], without["validity"]["tokens_seen"], rtol=0.01)
    a, b = checked["validity"], without["validity"]
    verdict = "holds" if a["low"] > b["high"] else "fails" if a["high"] < b["low"] else "cannot be told"
    said = (
        f"After {a['tokens_seen'] / 1e6:.1f} million tokens {_with_interval(a)} of the answers are valid "
        f"with written checks, {_with_interval(b)} without. At once, {_with_interval(without['content'])} "
        f"are missing of the {without['information']['value']:.2f} nats that the constraint tells."
    )
    return Finding(verdict, said)


def intent(evidence: Evidence) -> Finding:
    """The share of the hidden component."""
    scores = evidence.trained("hidden-intent", "twins-one-in-ten-6")
    share, told = scores["component-1"], scores["information"]["value"]
    anyone = evidence.reference(CONTROL, "hidden-intent")["component-1"]
    right = share["floor"]
    half = right / 2
    verdict = "holds" if share["high"] < half else "fails" if share["low"] > half else "cannot be told"
    said = (
        f"By their mean posterior, {_with_interval(share, 3)} of the answers are of the intent, where "
        f"{right:.3f} would be right; of those of {CONTROL}, which knows nothing of it, "
        f"{_with_interval(anyone, 3)}. Of the {told:.3f} nats that the world tells beyond uniform digits, "
        f"{_with_interval(scores['content'], 3)} are missing."
    )
    return Finding(verdict, said)


def languages(evidence: Evidence) -> Finding:
    """Mass on the other language where nobody switches, and where some do."""
    asked = evidence.switching[evidence.switching["zeros"] > 0]
    alone, both = (asked[asked["task"] == world] for world in ("monolingual", "bilingual"))
    assert [*alone["zeros"]] == [*both["zeros"]] == [1, 2, 3]
    never = bool((alone["high"] < SMALL).all())
    follows = bool(((both["mass"] - both["truth"]).abs() < SMALL).all())
    verdict = "holds" if never and follows else "holds in part" if never or follows else "fails"
    said = f"Where nobody switches: {_after(alone)}. Where one in five does: {_after(both)}."
    return Finding(verdict, said)


def _after(rows: pd.DataFrame) -> str:
    return ", ".join(
        f"{row.mass:.4f} [{row.low:.4f}, {row.high:.4f}] after {'0' * row.zeros} (exact {row.truth:.4f})"
        for row in rows.itertuples()
    )


def games(evidence: Evidence) -> Finding:
    """Uptake of both games, and the door that is given more."""
    scores, other = evidence.suite("games"), evidence.other_door
    uptake = scores[(scores["metric"] == "uptake") & scores["arm"].isin(["direct", "few-shot"])]
    uptake = uptake[uptake["value"].notna() & uptake["model"].map(find_reference).isna()]
    hall, fall = (
        uptake[uptake["task"] == task].set_index(["model", "arm"]) for task in ("monty-hall", "monty-fall")
    )
    both = hall.index.intersection(fall.index)
    knowing = [
        each
        for each in both
        if hall.loc[each, "paraphrase_low"] > 0 and other[("monty-hall", *each)].min() > 0.5
    ]
    misled = [each for each in knowing if fall.loc[each, "paraphrase_high"] < 0]
    telling = [each for each in knowing if fall.loc[each, "paraphrase_low"] > 0]
    unknown = "cannot be told" if knowing else "cannot be told: no model here knows the game"
    verdict = "holds" if misled else "fails" if telling else unknown
    said = "; ".join(
        f"{' '.join(each)}: "
        + ", ".join(
            f"{name} {_over_wordings(rows.loc[each])} and {_shown(other[(task, *each)].mean())}"
            for name, task, rows in (("Hall", "monty-hall", hall), ("Fall", "monty-fall", fall))
        )
        for each in both
    )
    right = "0.67 would be right in Hall, 0.50 in Fall"
    return Finding(
        verdict,
        f"Uptake, its range over wordings, and the other door's share of both shut ones ({right}). {said}.",
    )


def jukebox(evidence: Evidence) -> Finding:
    """Skill of personae together, and alone."""
    skills = list(personae(evidence))
    loss, loss_at_as_many = (
        np.median([alone["value"] - together["value"] for together, alone in pairs])
        for pairs in zip(*((pair[:2], pair[::2]) for _, *pair in skills), strict=True)
    )
    want = "cannot be told: it may be for want of numbers" if loss_at_as_many < COST else "fails"
    each = ", ".join(
        f"{task} {_shown(together['value'])} ({_shown(alone['value'])}, {_shown(early['value'])})"
        for task, together, alone, early in skills
    )
    losses = {task: alone["value"] - together["value"] for task, together, alone, _ in skills}
    lost = [task for task, loss_of_it in losses.items() if loss_of_it > COST]
    return Finding(
        "holds in the median" if loss < COST else want,
        "Skill in one model of eight personae, and in brackets in a model for it alone, in the end and after "
        f"as many numbers of the task: {each}. The median loss is {loss:.3f}, the mean "
        f"{np.mean([*losses.values()]):.3f}; more than {COST:g} is lost by {' and '.join(lost) or 'none'}.",
    )


def personae(evidence: Evidence) -> Iterator[tuple[str, pd.Series, pd.Series, pd.Series]]:
    """Each persona's skill in the jukebox, in a model of its own, and in that after as many numbers."""
    world = Catalog().world("jukebox")
    size = int(evidence.lab.loc[evidence.lab["world"] == "jukebox", "parameters"].max())
    for document in world.documents:
        task = document.task
        together = evidence.trained("jukebox", task, size)["skill"]
        read = together["numbers_seen"] * document.weight
        yield (
            task,
            together,
            evidence.trained(task, size=size)["skill"],
            evidence.trained(task, size=size, seen=read)["skill"],
        )


def _with_interval(row: pd.Series, digits: int = 2) -> str:
    value, low, high = (_shown(row[name], digits) for name in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def _over_wordings(row: pd.Series) -> str:
    return f"{_shown(row['value'])} ({_shown(row['paraphrase_low'])} to {_shown(row['paraphrase_high'])})"


def _shown(value: float, digits: int = 2) -> str:
    return f"{round(float(value), digits) + 0.0:.{digits}f}"  # no -0.00


RULES = {rule.__name__: rule for rule in (hump, thinking, intent, languages, games, jukebox)}


def findings(evidence: Evidence) -> dict[str, Finding]:
    """By the name of a claim."""
    return {name: RULES[name](evidence) for name in tomllib.loads(CLAIMS.read_text())}


def page(evidence: Evidence) -> str:
    """The page, in Markdown."""
    claims, found = tomllib.loads(CLAIMS.read_text()), findings(evidence)
    table = "".join(
        f"| [{claim['title']}](#{_anchor(claim['title'])}) | {found[name].verdict} |\n"
        for name, claim in claims.items()
    )
    return INTRODUCTION + table + "".join(_section(claim, found[name]) for name, claim in claims.items())


def _section(claim: Mapping, finding: Finding) -> str:
    """What was claimed, the rule, what was measured, what would change our mind, and how to make it again."""
    paragraphs = [
        f"**Claimed.** {claim['claimed']}",
        f"**Rule.** {claim['rule']}",
        f"**Measured.** {finding.said}",
        f"**Verdict: {finding.verdict}.** What would change our mind: {claim['doubt']}",
    ]
    text = "\n\n".join(
        textwrap.fill(each, WIDTH, break_long_words=False, break_on_hyphens=False) for each in paragraphs
    )
    commands = "\n".join(f"    {command}" for command in claim["commands"])
    picture = f"![{claim['shows']}](../results/published/{claim['picture']})"
    return f"\n## {claim['title']}\n\n{text}\n\n{picture}\n\n{commands}\n"


def _anchor(title: str) -> str:
    return "".join(each for each in title.lower().replace(" ", "-") if each.isalnum() or each == "-")


if __name__ == "__main__":
    if not (PUBLISHED / "lab" / "scores.parquet").is_file():
        print(f"error: {PUBLISHED / 'lab'} is not there; results/collect.py makes it of what `learn` left")
        sys.exit(2)
    PAGE.write_text(page(Evidence()), encoding="utf-8")
