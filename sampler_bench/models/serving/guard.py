"""Run a command that must not outlive its parent.

``python -m sampler_bench.models.serving.guard COMMAND...``. The parent holds the other end of this process's
standard input. When that closes, because the parent closed it or died in whatever way, the command is asked
to end, and everything it started is killed if it has not ended in time. The command is asked to end as well
when this process is killed, as Ray does with the children of its workers. To be started in a session of its
own.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading

GRACE_SECONDS = 15
PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> int:
    """Run the command to its end; returns its exit code."""
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, preexec_fn=_end_with_parent)
    threading.Thread(target=_end_at_eof, args=(command,), daemon=True).start()
    return command.wait()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _end_at_eof(command: subprocess.Popen) -> None:
    while os.read(0, 1024):  # not sys.stdin: its lock would be held while the interpreter ends
        pass
    command.terminate()
    try:
        command.wait(GRACE_SECONDS)
    finally:
        os.killpg(0, signal.SIGKILL)  # this process too: nothing of the session is left


if __name__ == "__main__":
    sys.exit(main())
