"""Teacher forcing in a vLLM server: a response is the tokens that a request names, and its log-probabilities
tell what the model would have written in the place of each.

vLLM takes log-probabilities before logits processors change anything (its documentation, "Custom Logits
Processors"), so they are the model's own. A server loads this by ``--logits-processors``; nothing else does.
"""

import torch
from vllm import SamplingParams
from vllm.logits_process import LogitsProcessor
from vllm.v1.sample.logits_processor import AdapterLogitsProcessor


class TeacherForcing(AdapterLogitsProcessor):
    """Forces what a request names as ``forced_tokens`` in its ``vllm_xargs``; others are left alone."""

    @classmethod
    def validate_params(cls, sampling_params: SamplingParams) -> None:
        """Raise ValueError, which vLLM answers with 400, if they are no tokens."""
        forced = _forced(sampling_params)
        if not isinstance(forced, list) or any(type(token) is not int or token < 0 for token in forced):
            raise ValueError("forced_tokens should be a list of token ids")

    def is_argmax_invariant(self) -> bool:
        return False

    def new_req_logits_processor(self, params: SamplingParams) -> LogitsProcessor | None:
        forced = _forced(params)

        def force(written: list[int], logits: torch.Tensor) -> torch.Tensor:
            """``logits``: of shape (vocabulary,)."""
            if len(written) >= len(forced) or forced[len(written)] >= len(logits):
                return logits
            alone = torch.full_like(logits, -torch.inf)
            alone[forced[len(written)]] = 0.0
            return alone

        return force if forced else None


def _forced(params: SamplingParams) -> list[int]:
    return (params.extra_args or {}).get("forced_tokens", [])
