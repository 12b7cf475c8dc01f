"""How inspect_ai judges answers: by the arm's rule and the exact target, with the truth beside each."""

import json
from functools import lru_cache

from anyio import to_thread
from inspect_ai.model import ContentReasoning, ModelOutput
from inspect_ai.scorer import CORRECT, INCORRECT, NOANSWER, Score, Scorer, Target, scorer
from inspect_ai.solver import TaskState

from sampler_bench.measure.parsing import parse_answers
from sampler_bench.models.engines.chat import without_thinking
from sampler_bench.plugins.inspect_metrics import (
    answered,
    by_laws,
    evenness,
    scores_of_laws,
    stderr,
    validity,
)
from sampler_bench.targets import Target as ExactTarget
from sampler_bench.targets.base import DIGITS
from sampler_bench.targets.registry import make_target
from sampler_bench.tasks import Arm

SHOWN = ("skill", "uptake", "content", "content-blind", "stopping", "opening")  # of a wording's laws


@scorer(metrics=[validity(), answered(), stderr(), evenness()], name="answers")
def answers(rule: str, take: str = "first", several: int = 1) -> Scorer:
    """Whether the number that a response holds is a member of the target.

    Parameters
    ----------
    rule, take, several
        ``answer``, ``take`` and ``answers`` of an arm. A response that is to hold several numbers is scored
        by the share that are members; one that holds one is correct, incorrect, or without an answer.
    """
    arm = arm_of_rule(rule, take, several)

    async def score(state: TaskState, target: Target) -> Score | None:
        if state.output.empty:  # it was another wording's turn
            return None
        _, text = written(state.output)
        found, exact = parse_answers(text, arm), target_of(json.dumps(state.metadata["target"]))
        judged = [await to_thread.run_sync(_judged, exact, answer) for answer in found]
        valid = [each["valid"] for each in judged]
        law = exact.conditional("").p
        first = {digit: float(p) for digit, p in zip(DIGITS, law, strict=False) if p}
        value = sum(valid) / len(valid) if several > 1 else CORRECT if valid[0] else INCORRECT
        shown = [answer for answer in found if answer is not None]
        return Score(
            value=NOANSWER if several == 1 and not shown else value,
            answer=", ".join(shown) or None,
            explanation=_in_words(state.metadata["phrase"], target.text, judged, first),
            metadata={
                "phrase": state.metadata["phrase"],
                "truth": target.text,
                "answers": judged,
                "first_digit": first,
                "seed": state.store.get("seed"),
            },
        )

    return score


@scorer(metrics=[by_laws()], name="laws")
def laws() -> Scorer:
    """The content of the model's next-digit laws in one wording, nats, in the epoch that has them."""

    async def score(state: TaskState, target: Target) -> Score | None:
        told = state.store.get("laws")
        if told is None:
            return None
        of = state.metadata
        table = await to_thread.run_sync(
            scores_of_laws, {of["wording"]: told}, of["task"], json.dumps(of["target"])
        )
        found = {metric: table[metric] for metric in SHOWN if metric in table}
        read = json.loads(told)
        beside = [
            f"{digit}: {p:.4f} in truth, {q:.4f} of the model"
            for digit, p, q in zip(DIGITS, read["p"][""], read["q"][""], strict=False)
        ]
        return Score(
            value=found["content"],
            explanation="\n".join(
                [
                    f"laws along {len(read['numbers'])} numbers, {len(read['q'])} beginnings: {target.text}",
                    *(f"{metric}: {value:.4f}" for metric, value in found.items()),
                    "the first digit:",
                    *beside,
                ]
            ),
            metadata={**found, "laws": told},
        )

    return score


def written(output: ModelOutput) -> tuple[str, str]:
    """The thinking of a response, and what was written after it."""
    content = output.message.content
    thought = "" if isinstance(content, str) else "".join(
        part.reasoning for part in content if isinstance(part, ContentReasoning)
    )  # fmt: skip
    thinking, text = without_thinking(output.completion)
    return thought or thinking, text


@lru_cache(maxsize=32)
def arm_of_rule(rule: str, take: str, several: int) -> Arm:
    """An arm of which only the rule that finds answers is of use."""
    return Arm.model_validate(
        {
            "name": "rule",
            "title": "",
            "conditionals": "none",
            "tokens": 1,
            "answer": rule,
            "take": take,
            "answers": several,
            "paraphrases": [{"name": "none", "text": "{phrase}"}],
        }
    )


@lru_cache(maxsize=256)
def target_of(definition: str) -> ExactTarget:
    """The target of a definition, as JSON."""
    return make_target(json.loads(definition))


def _judged(target: ExactTarget, answer: str | None) -> dict:
    """An answer with whether it is a member, and why not."""
    valid = answer is not None and target.contains(answer)
    reason = "" if valid else "no answer was found" if answer is None else target.why_not(answer) or ""
    return {"answer": answer, "valid": bool(valid), "why_not": reason}


def _in_words(phrase: str, truth: str, judged: list[dict], first: dict[str, float]) -> str:
    """For a person who reads the log."""
    lines = [f"asked for: a random {phrase} ({truth})"]
    for each in judged:
        verdict = (
            "a member"
            if each["valid"]
            else f"no member: {each['why_not']}"
            if each["answer"]
            else each["why_not"]
        )
        lines.append(f"{each['answer']}: {verdict}" if each["answer"] else verdict)
    law = ", ".join(f"{digit}: {p:.4f}" for digit, p in first.items())
    return "\n".join([*lines, f"the exact law of the first digit: {law}"])
