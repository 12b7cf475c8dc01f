"""The tokenizer of the lab's models: every character is a token of its own."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

END, PADDING, UNKNOWN = "<end>", "<padding>", "<unknown>"
PRINTABLE = "".join(map(chr, range(32, 127))) + "\n"
# A model of the lab reads what was asked last, and a line end. Instructions and examples before it would
# have to be learnt as well; nothing that is measured hangs on them.
CHAT = "{{ messages[-1]['content'] }}{% if add_generation_prompt %}{{ '\\n' }}{% endif %}"


def tokenizer(texts: Iterable[str]) -> "PreTrainedTokenizerFast":
    """For the printable characters of ASCII, and whatever else stands in the texts."""
    from tokenizers import Tokenizer, decoders, models
    from transformers import PreTrainedTokenizerFast

    characters = sorted({*PRINTABLE, *"".join(texts)})
    vocabulary = {token: i for i, token in enumerate([END, PADDING, UNKNOWN, *characters])}
    made = Tokenizer(models.BPE(vocabulary, merges=[], unk_token=UNKNOWN))
    made.decoder = decoders.Fuse()
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token=END,
        pad_token=PADDING,
        unk_token=UNKNOWN,
        clean_up_tokenization_spaces=False,
    )
    wrapped.chat_template = CHAT
    return wrapped
