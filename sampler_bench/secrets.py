"""Keys, tokens and passwords, and what is said and written without them.

Secrets come by environment or as an argument of a function; never in a URL, nor in the arguments of a
command, which any user of the machine can read.
"""

import os
import re
import unicodedata

from sampler_bench.errors import InputError

VARIABLES = ("VLLM_API_KEY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
SHORTEST = 6  # characters: what is shorter protects nothing, and stands in ordinary words
SHOWN = 300  # characters of what somebody else says that still make a sentence
HIDDEN = "***"
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")  # categories of characters: controls, and what is no character
USER_IN_URL = re.compile(r"(?i)\b(https?://)[^\s/?#]*@")
QUERY_OF_URL = re.compile(r"(?i)\b(https?://[^\s?]*)\?[^\s'\"]*")

# What names a secret, as a word of the name of a field; and what such words name besides: prompt_cache_key.
OF_SECRETS = {"apikey", "auth", "authorization", "bearer", "cookie", "credential", "credentials", "key",
              "passphrase", "passwd", "password", "secret", "token"}  # fmt: skip
OF_OTHERS = {"cache", "bos", "eos", "pad", "unk", "sep", "cls", "mask", "start", "stop", "end", "think"}
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
KEY_OF_A_SERVICE = re.compile(r"(?i)(bearer|basic)\s+\S{8,}$|(sk|hf|gsk|xai|ghp|nvapi|glpat)[-_]\S{16}")

_known: set[str] = set()


def remember(secret: str | None) -> None:
    """Keep a secret out of all that is said from now on."""
    if secret:
        _known.add(secret)


def bearer(key: str | None) -> dict[str, str]:
    """The header that sends an API key; none without one.

    Raises
    ------
    InputError
        If it cannot be one: keys are printable ASCII characters, without spaces.
    """
    if not key:
        return {}
    remember(key)
    if not re.fullmatch(r"[!-~]+", key):
        raise InputError(
            "the API key holds a space, a line end or a character beyond ASCII: no server takes that"
        )
    return {"Authorization": f"Bearer {key}"}


def secret_field(told: object, name: str = "") -> str | None:
    """Where something that looks like a secret stands in what a user gives as JSON; None if nowhere.

    By its name, as ``api_key`` or ``Authorization``, unless it is a number; or by what it holds.
    """
    match told:
        case dict():
            inside = [(value, f"{name}.{field}" if name else str(field)) for field, value in told.items()]
        case list():
            inside = [(value, name) for value in told]
        case str():
            return name if told and (_names_a_secret(name) or _is_a_secret(told)) else None
        case _:
            return None
    return next((found for value, path in inside if (found := secret_field(value, path))), None)


def _names_a_secret(path: str) -> bool:
    """Whether a field of that name, or one that it stands in, holds secrets."""
    for name in path.split("."):
        words = {word.lower() for word in WORD.findall(name)}
        if words & OF_SECRETS and not words & OF_OTHERS:
            return True
    return False


def _is_a_secret(text: str) -> bool:
    return bool(KEY_OF_A_SERVICE.match(text)) or without_secrets(text) != text


def without_secrets(text: str) -> str:
    """The text without the secrets that this process knows, and without passwords and queries in URLs."""
    return QUERY_OF_URL.sub(r"\1", USER_IN_URL.sub(r"\1", _without_known(text)))


def quoted(text: str, shown: int = SHOWN) -> str:
    """What somebody else said, fit for a sentence: short, on one line, without secrets or terminal codes."""
    start = " ".join(_without_known(text)[: 8 * shown].split())
    line = without_secrets("".join(c for c in start if unicodedata.category(c) not in UNSEEN))
    return line if len(line) <= shown else line[:shown] + "…"


def _without_known(text: str) -> str:
    secrets = {*_known, *map(os.environ.get, VARIABLES)} - {None}
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST:
            text = text.replace(secret, HIDDEN)
    return text
