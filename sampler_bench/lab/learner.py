"""A Llama that reads a prompt once for all answers to it.

The loss is that of the answers alone, in nats a document: what an ideal reader's is the entropy of the world.
"""

# transformers names the tensors that it takes more narrowly than torch does those that it makes.
# pyright: reportArgumentType=false, reportIncompatibleMethodOverride=false, reportOptionalMemberAccess=false

from typing import TYPE_CHECKING

import torch
import transformers
from torch.nn.functional import cross_entropy
from transformers.modeling_outputs import CausalLMOutput

if TYPE_CHECKING:
    from torch import Tensor


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
        known.past_key_values.batch_repeat_interleave(group)
        last, read, places = (part.repeat_interleave(group, dim=0) for part in (prompt, read, places))
        given = torch.cat([last[:, -1:], answers[:, :-1]], dim=1)
        logits = (
            super()
            .forward(
                input_ids=given,
                attention_mask=torch.cat([read, (given != padding)[:, 1:]], dim=1).long(),
                position_ids=places[:, -1:] + torch.arange(given.shape[1], device=given.device),
                past_key_values=known.past_key_values,
            )
            .logits
        )
        total = cross_entropy(logits.float().flatten(0, 1), labels.flatten(), reduction="sum")
        return CausalLMOutput(loss=total / len(answers))
