"""How many tokens what is to be asked may need, before there is a model to count them."""

from sampler_bench.measure.plan import Units
from sampler_bench.models.model import Prompt

TEMPLATE = 512  # tokens that a chat template may add: roles, the date, a system prompt of its own
MESSAGE = 16  # and around each message
READ_BACK = 1024  # more that a trace may have when it is read back: what is no character comes back as three


def tokens_needed(units: Units) -> int:
    """A bound for the longest prompt with its response, or with a trace and the number read after it.

    A tokenizer makes at most a token of each byte; most texts have three or four bytes a token.
    """
    prompts = [
        Prompt(task, arm, paraphrase, blind)
        for task in units.tasks
        for arm in units.arms
        for paraphrase in arm.paraphrases
        for blind in (False, True)
    ]
    responses = max(prompt.arm.budget + prompt.max_tokens for prompt in prompts)
    leads = max(len(prompt.arm.lead.encode()) for prompt in prompts)
    numbers = max(prompt.task.target.digits for prompt in prompts) + 1
    traces = READ_BACK if any(prompt.arm.conditionals == "trace" for prompt in prompts) else 0
    return max(map(_prompt_tokens, prompts)) + responses + traces + leads + numbers


def _prompt_tokens(prompt: Prompt) -> int:
    contents = [message["content"] for message in prompt.messages] or [prompt.text]
    written = sum(len(content.encode()) + MESSAGE for content in contents)
    return written + prompt.seed_length + (TEMPLATE if prompt.messages else MESSAGE)
