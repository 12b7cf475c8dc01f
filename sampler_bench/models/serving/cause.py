"""Why a vLLM server died, from its log: the exception at the root, not the tracebacks above and below it."""

import re

# What stands before a message: the process, the level, the time and the place.
BEFORE = re.compile(
    r"^\s*(\([^()]*pid=\d+\)\s*)?((DEBUG|INFO|WARNING|ERROR|CRITICAL) [\d-]+ [\d:]+ (\[[^]]*\] ?)?)?"
)
EXCEPTION = re.compile(r"([\w.]+\.)?[A-Z]\w*(Error|Exception|Interrupt|Exit)\b: ?(?P<said>.*)")
ARGUMENT = re.compile(r"[\w. -]+: error: (?P<said>.+)")  # argparse
COUNTED = re.compile(r"\d+ validation errors? for \w+")  # pydantic, which tells what on the lines below
FOLLOWED = re.compile("Engine core initialization failed|EngineDeadError")  # the parent, of its engine
KILLED = re.compile(r"Failed core proc\(s\): .*: -9\b")
OUT_OF_MEMORY = "its engine was killed (signal 9), as happens where memory runs out"


def cause(log: str) -> str | None:
    """The last exception that is the cause of no other, as one line; None if there is none."""
    lines = [BEFORE.sub("", line) for line in log.splitlines()]
    found = None
    for place, line in enumerate(lines):
        match = ARGUMENT.fullmatch(line) or EXCEPTION.fullmatch(line)
        if match and not FOLLOWED.search(line):
            found = match["said"] if match.re is ARGUMENT else line
            if COUNTED.search(line):
                found = " ".join([line, *lines[place + 1 : place + 3]])
    if found is None and KILLED.search(log):
        return OUT_OF_MEMORY
    return found
