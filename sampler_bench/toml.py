"""Reading a TOML file that anybody may have written: small, in UTF-8, and not too deep."""

import tomllib
from pathlib import Path

from sampler_bench.errors import InputError
from sampler_bench.integers import MOST_DIGITS, long_literals

MOST_BYTES = 2**20
MOST_DOTS = 1000  # on a line: the time that dotted keys take grows with their square


def read_toml(path: Path) -> dict:
    """What the file says; a byte order mark at its start is skipped.

    Raises
    ------
    InputError
        If it is no file, is larger than 1 MB, or is not TOML in UTF-8: says which file and line.
    """
    try:
        text = _bytes(path).decode("utf-8-sig")
        _check_dots(path, text)
        with long_literals():
            return tomllib.loads(text)
    except RecursionError as error:
        raise InputError(f"{path}: brackets stand too deep in one another") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not text in UTF-8: {error}") from error
    except (tomllib.TOMLDecodeError, OSError) as error:
        raise InputError(f"{path}: {error}") from error
    except ValueError as error:  # Python's own, of a number too long
        raise InputError(f"{path}: a number has more than {MOST_DIGITS} digits") from error


def _bytes(path: Path) -> bytes:
    if not path.is_file():  # a folder, a pipe, a device, a link to nowhere
        raise InputError(f"{path} is not a file")
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise InputError(f"{path} has more than {MOST_BYTES} bytes: no definition is so long")
    return data


def _check_dots(path: Path, text: str) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > MOST_DOTS:
            raise InputError(f"{path}, line {number}: more than {MOST_DOTS} dots, so deep are no keys")
