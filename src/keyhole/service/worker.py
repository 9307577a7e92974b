"""One of several processes on a socket: `python -m keyhole.service.worker FD`, started by `keyhole.service.workers`."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import sys
import threading

from keyhole.errors import KeyholeError
from keyhole.service.log_lines import log_to_stderr
from keyhole.service.run import run_process
from keyhole.service.runtime import make_runtime


def main() -> None:
    """Serve on the socket of this number until told to end, or until the parent has gone."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the parent's to answer
    # It comes from the parent, over a pipe that only the two have.
    service, operation = pickle.load(sys.stdin.buffer)  # noqa: S301
    threading.Thread(target=_end_with_parent, daemon=True).start()
    log_to_stderr(operation.log_format)
    with socket.socket(fileno=int(sys.argv[1])) as listener:
        try:
            run_process(service, make_runtime(service, operation), listener)
        except KeyholeError as error:
            sys.stderr.write(f"{error}\n")
            sys.exit(int(error.exit_code))


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # not by `sys.stdin`, whose lock a thread must not hold when the process ends
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
