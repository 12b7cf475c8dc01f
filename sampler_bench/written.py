"""What models wrote in a run: the responses, where their answers stand, and why one is no member."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd
from pydantic import ValidationError
from rich.console import Group

from sampler_bench.errors import InputError
from sampler_bench.measure.parsing import answer_spans
from sampler_bench.report.responses import Answer, Response, answers_page
from sampler_bench.runs.manifest import Manifest
from sampler_bench.runs.merging import by_value
from sampler_bench.runs.reading import only, read
from sampler_bench.runs.records import RECORDS
from sampler_bench.runs.store import RunFolder
from sampler_bench.targets import Target
from sampler_bench.targets.registry import make_target
from sampler_bench.tasks import Arm

ROW = ["task", "model", "arm", "decoder"]
RESPONSE = [*ROW, "paraphrase", "response_id"]
A_PAGE = 10  # responses
FEW = 6  # of a row of the leaderboard


def page_of_answers(path: Path, said: Mapping[str, str | None], valid: bool | None, page: int) -> Group:
    """One page of what was written, in the order of the records. Controls are left out.

    Parameters
    ----------
    said : mapping
        Which task, model, arm and decoder, None where any will do.
    valid : bool, optional
        Whether only responses with a valid answer are meant, or only those with one that is not.
    page : int
        From 1.

    Raises
    ------
    InputError
        If there is no such task, model, arm or decoder, or there are fewer pages.
    StoreError
        If there is no such run, or it cannot be read.
    """
    run = read(path)
    records = _asked_for(run.samples)
    for column, wanted in said.items():
        if wanted is not None:
            records = only(records, column, wanted)
    numbered = records.groupby(RESPONSE, sort=False).ngroup()
    meant = numbered.unique() if valid is None else numbered[records["valid"] == valid].unique()
    pages = -(-len(meant) // A_PAGE)
    if not len(meant):
        return Group(_none(numbered.nunique(), valid))
    if page > pages:
        raise InputError(f"--page {page}: there are {pages}, of {A_PAGE} responses each")
    first = A_PAGE * (page - 1)
    shown = records[numbered.isin(meant[first : first + A_PAGE])]
    return answers_page(
        list(responses(shown, run.manifest)), first + 1, len(meant), page + 1 if page < pages else None
    )


def _none(responses: int, valid: bool | None) -> str:
    """That none of the responses is meant."""
    if not responses:
        return "no responses are stored of that"
    kind = "has a valid answer" if valid else "has an answer that is not valid"
    return f"of {responses} responses there, none {kind}"


def few_answers(path: Path) -> list[Response]:
    """The first response to each of some tasks, spread over the suite, by every model, arm and decoder.

    Raises
    ------
    StoreError
        If there is no such run, or it cannot be read.
    """
    manifest = read(path).manifest
    folder = RunFolder(path)
    without = [name for name in RECORDS["samples"].names if name not in (*RESPONSE, "blind")]
    chosen = _first_responses(_asked_for(folder.read("samples", without)), [*manifest.tasks])
    found = []
    for table in by_value(folder.tables("samples"), "task"):  # few of their long texts are wanted, and held
        records = _asked_for(table.to_pandas())
        found += responses(records.merge(chosen, on=RESPONSE), manifest)
    return found


def _first_responses(records: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """Of every model, arm and decoder, the first response to each of some tasks: the columns of RESPONSE."""
    chosen = [records[RESPONSE].head(0)]
    for _, mine in records.groupby(ROW[1:], sort=False):
        there = {*mine["task"]}
        measured = [task for task in tasks if task in there]
        few = min(FEW, len(measured))
        some = [measured[place * len(measured) // few] for place in range(few)]
        chosen.append(mine[mine["task"].isin(some)].drop_duplicates("task")[RESPONSE])
    return pd.concat(chosen)


def _asked_for(samples: pd.DataFrame) -> pd.DataFrame:
    """The records of answers to the tasks: none of controls."""
    return samples[~samples["blind"]]


def responses(records: pd.DataFrame, manifest: Manifest) -> Iterator[Response]:
    """The responses that records of samples hold, with their answers marked by the rules of their arms."""
    arms = {name: _arm(name, manifest) for name in records["arm"].unique()}
    targets = {name: _target(name, manifest) for name in records["task"].unique()}
    for _, answers in records.groupby(RESPONSE, sort=False):
        head = answers.iloc[0]
        arm, text, thinking = arms[head["arm"]], _text(head["text"]), _text(head["thinking"])
        spans = [*answer_spans(text, arm)] if arm else []
        yield Response(
            row=tuple(head[ROW]),
            label=f"wording {head['paraphrase']}, response {head['response_id']}",
            thinking=thinking,
            text=text,
            answers=[
                _answer(number, valid, text, spans[place : place + 1], targets[head["task"]])
                for place, (number, valid) in enumerate(zip(answers["answer"], answers["valid"], strict=True))
            ],
        )


def _answer(number: str | None, valid: bool, text: str, spans: list, target: Target | None) -> Answer:
    if not isinstance(number, str):
        return Answer(None, False)
    span = next((span for span in spans if span and text[span.start : span.end] == number), None)
    reason = target.why_not(number) if target and not valid else None
    return Answer(number, bool(valid), span, reason or "")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _arm(name: str, manifest: Manifest) -> Arm | None:
    """As it was when the run was made; None if the manifest does not say."""
    try:
        return Arm.model_validate({**manifest.arms.get(name, {}), "name": name})
    except ValidationError:
        return None


def _target(name: str, manifest: Manifest) -> Target | None:
    """As it was when the run was made; None if the manifest does not say, or its family is not here."""
    try:
        return make_target(manifest.tasks[name].target) if name in manifest.tasks else None
    except InputError:
        return None
