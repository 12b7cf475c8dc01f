"""What vLLM's own classes say of requests and flags: a process of its own, for vLLM changes the one it is in.

Reads ``{"requests": [[kind, body], ...], "flags": [...]}``, and prints what is unknown, and flags as parsed.
"""

import json
import sys
from importlib import import_module

CLASSES = {  # where versions keep them, under ``entrypoints``
    "completion": ("CompletionRequest", ["openai.completion.protocol"]),
    "chat": ("ChatCompletionRequest", ["openai.chat_completion.protocol"]),
    "tokenize text": ("TokenizeCompletionRequest", ["serve.tokenize.protocol"]),
    "tokenize chat": ("TokenizeChatRequest", ["serve.tokenize.protocol"]),
    "detokenize": ("DetokenizeRequest", ["serve.tokenize.protocol"]),
    "generate": ("GenerateRequest", ["scale_out.token_in_token_out.protocol"]),
}
PARSERS = ["common.cli_args", "launchers.cli_args"]  # of 0.33, of 0.32


def of_vllm(name: str, modules: list[str]):
    """From the first of the modules that has it."""
    for module in modules:
        try:
            return getattr(import_module(f"vllm.entrypoints.{module}"), name)
        except ModuleNotFoundError:
            continue
    raise SystemExit(f"this vLLM keeps {name} in none of {modules}")


def fields_unknown_to(request, body: dict) -> list[str]:
    """Fields of a body that its class does not have: some keep them apart, others drop them."""
    dropped = {*body} - {*type(request).model_fields} if request.model_extra is None else ()
    nested = body.get("sampling_params", {})
    inner = (name for name in nested if not hasattr(request.sampling_params, name))
    return [*(request.model_extra or ()), *dropped, *inner]


def main() -> None:
    asked = json.load(sys.stdin)
    unknown: dict[str, list[str]] = {}
    for kind, body in asked["requests"]:
        request = of_vllm(*CLASSES[kind]).model_validate(body)
        unknown.setdefault(kind, []).extend(fields_unknown_to(request, body))
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    parser = of_vllm("make_arg_parser", PARSERS)(FlexibleArgumentParser())
    known, rest = parser.parse_known_args(asked["flags"])
    flags = {name: getattr(known, name) for name in ("max_logprobs", "generation_config", "max_model_len")}
    print(json.dumps({"unknown": unknown, "unknown flags": rest, "flags": flags}))


if __name__ == "__main__":
    main()
