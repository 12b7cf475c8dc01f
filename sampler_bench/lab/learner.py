"""A Llama that reads a prompt once for all answers to it.

The loss is that of the answers alone, in nats a document: what an ideal reader's is the entropy of the world.
"""

# transformers names the tensors that it takes more narrowly than torch does those that it makes.
# pyright: reportArgumentType=false, reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false

import copy
from typing import TYPE_CHECKING

import torch
import transformers
from torch.nn.functional import cross_entropy
from transformers.modeling_outputs import CausalLMOutput

from sampler_bench.lab.lessons import IGNORED

if TYPE_CHECKING:
    from torch import Tensor

PARTS = 4  # of the answers of a step, where their lengths differ


class LlamaForCausalLM(transformers.LlamaForCausalLM):
    """The Llama of transformers; given groups of answers it gives their loss. It is saved as any other."""

    def forward(
        self,
        input_ids: "Tensor | None" = None,
        prompt: "Tensor | None" = None,
        answers: "Tensor | None" = None,
        labels: "Tensor | None" = None,
        **more,
    ):
        """As usual; with ``prompt``, ``answers`` and ``labels``, made by ``lessons.together``, the loss."""
        if prompt is None or answers is None or labels is None:
            return super().forward(input_ids=input_ids, labels=labels, **more)
        padding = self.config.pad_token_id
        group = len(answers) // len(prompt)
        read = prompt != padding  # filled up at the left, so that the last token of each is the last
        places = (read.cumsum(dim=1) - 1).clamp(min=0)
        known = super().forward(
            input_ids=prompt[:, :-1],
            attention_mask=read[:, :-1].long(),
            position_ids=places[:, :-1],
            use_cache=True,
            logits_to_keep=1,
        )
        whose = torch.arange(len(prompt), device=prompt.device).repeat_interleave(group)
        total = sum(
            self._loss(prompt, read, places, known.past_key_values, whose[some], answers[some], labels[some])
            for some in alike((labels != IGNORED).sum(dim=1))
        )
        return CausalLMOutput(loss=total / len(answers))

    def _loss(
        self,
        prompt: "Tensor",
        read: "Tensor",
        places: "Tensor",
        known: transformers.DynamicCache,
        whose: "Tensor",
        answers: "Tensor",
        labels: "Tensor",
    ) -> "Tensor":
        """Of some answers, given the prompt of each by its place: nats in all."""
        long = int((labels != IGNORED).sum(dim=1).max())
        given = torch.cat([prompt[whose, -1:], answers[:, : long - 1]], dim=1)
        written = (given != self.config.pad_token_id)[:, 1:]
        logits = (
            super()
            .forward(
                input_ids=given,
                attention_mask=torch.cat([read[whose], written], dim=1).long(),
                position_ids=places[whose, -1:] + torch.arange(long, device=given.device),
                past_key_values=_chosen(known, whose),
            )
            .logits
        )
        return cross_entropy(logits.float().flatten(0, 1), labels[:, :long].flatten(), reduction="sum")


def alike(lengths: "Tensor") -> "tuple[Tensor, ...]":
    """The places of answers in parts of about one length, so that little is read of what fills up the short.

    One part where that would spare less than a third.
    """
    if lengths.float().mean() > 2 / 3 * lengths.max():
        return (torch.arange(len(lengths), device=lengths.device),)
    return lengths.argsort().chunk(PARTS)


def _chosen(known: transformers.DynamicCache, whose: "Tensor") -> transformers.DynamicCache:
    """A cache of its own for answers to the prompts at these places; the cache of the prompts stays."""
    own = copy.copy(known)
    own.layers = [copy.copy(layer) for layer in known.layers]
    own.batch_select_indices(whose)
    return own
