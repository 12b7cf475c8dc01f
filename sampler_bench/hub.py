"""Datasets on the Hugging Face hub."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sampler_bench.errors import InputError, MissingPackageError, StoreError
from sampler_bench.plain import one_line


@dataclass(frozen=True)
class Push:
    """Files of a folder, and the dataset repository that they go to.

    Attributes
    ----------
    repository : str
        ``OWNER/NAME``, or ``NAME`` for one's own.
    folder : Path
        On this machine; files go where they lie in it.
    files : sequence of Path
        Nothing else that lies in the folder is sent.
    """

    repository: str
    folder: Path
    files: Sequence[Path]

    def said(self) -> str:
        size = sum(path.stat().st_size for path in self.files)
        return f"{len(self.files)} files ({size / 1e6:.1f} MB) to the dataset {self.repository}"


def check_repository(repository: str) -> None:
    """Raise InputError if no repository can have that name, MissingPackageError without huggingface_hub."""
    if not find_spec("huggingface_hub"):
        raise MissingPackageError("--push needs huggingface_hub: pip install huggingface_hub")
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(repository)
    except HFValidationError as error:
        raise InputError(f"--push {repository!r}: {one_line(str(error))}") from None


def push(what: Push) -> str | None:
    """Upload files to a dataset repository, in one commit; it is made, for oneself alone, if it is not there.

    Parameters
    ----------
    what : Push

    Returns
    -------
    str or None
        The address of the commit; None, and nothing is sent, where ``huggingface_hub`` finds no token.

    Raises
    ------
    StoreError
        If the hub cannot be reached, or refuses.
    """
    from huggingface_hub import CommitOperationAdd, HfApi, get_token
    from huggingface_hub.errors import HfHubHTTPError

    token = get_token()
    if token is None:
        return None
    if not (token.isascii() and token.isprintable()):  # a client would quote it
        raise StoreError("the token of the hub (HF_TOKEN, or `hf auth login`) has characters that none has")
    operations: list[Any] = [
        CommitOperationAdd(path.relative_to(what.folder).as_posix(), path) for path in what.files
    ]
    api = HfApi()
    # OSError, and the errors of the HTTP library that this version of the hub's takes.
    unreachable: Any = (OSError, *HfHubHTTPError.__bases__)
    try:
        address = api.create_repo(what.repository, repo_type="dataset", private=True, exist_ok=True)
        commit = api.create_commit(
            address.repo_id, operations, commit_message="Export of sampler_bench", repo_type="dataset"
        )
    except HfHubHTTPError as error:
        said = one_line(error.server_message or str(error))
        raise StoreError(f"the hub refused {what.repository}: {said}") from None
    except (ValueError, RuntimeError) as error:  # of an address, a token, or what the hub makes of the card
        raise StoreError(f"{what.repository} cannot be sent: {one_line(str(error))}") from None
    except unreachable as error:
        raise StoreError(f"the hub at {api.endpoint} cannot be reached: {one_line(str(error))}") from None
    return commit.commit_url
