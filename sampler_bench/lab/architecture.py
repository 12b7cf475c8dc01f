"""How a model of a number of parameters is made: a Llama, small.

Width d and layers L go together as d = 24 L (the shape hardly matters, as Kaplan et al. find in "Scaling laws
for neural language models", 2020). With 12 d^2 parameters a layer that makes d the cube root of twice the
parameters, rounded to heads of 32. The width of the feed-forward networks makes up what rounding leaves.
"""

from typing import TYPE_CHECKING

from sampler_bench.errors import InputError

if TYPE_CHECKING:
    from transformers import LlamaConfig

HEAD = 32  # width of an attention head, the least that vLLM serves everywhere
LEAST, MOST = 20_000, 10**9  # parameters
CONTEXT = 4096  # tokens


def check(parameters: int) -> None:
    """Raise InputError unless a model can have so many parameters."""
    if not LEAST <= parameters <= MOST:
        raise InputError(f"--parameters {parameters}: from {LEAST} to {MOST} can be trained")


def configuration(parameters: int, vocabulary: int, end: int, padding: int) -> "LlamaConfig":
    """A Llama with about so many parameters, embeddings among them (tied).

    Parameters
    ----------
    vocabulary : int
        Tokens.
    end, padding : int
        Ids of the token that ends a text, and of the one that fills up.

    Raises
    ------
    InputError
        If the parameters are fewer than 20,000 or more than 10^9.
    """
    check(parameters)
    from transformers import LlamaConfig

    width = HEAD * max(1, round((2 * parameters) ** (1 / 3) / HEAD))
    body = parameters - width * vocabulary
    layers = max(1, round(body / (12 * width**2)))
    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=max(8, 8 * round((body / layers - 4 * width**2) / (3 * width) / 8)),
        num_hidden_layers=layers,
        num_attention_heads=width // HEAD,
        num_key_value_heads=width // HEAD,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=padding,
    )
