"""A command run in this one's place: its terminal, its signals and its exit status are the command's."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from keyhole.errors import KeyholeError

# As shells say it: POSIX, "Shell Command Language", exit status for commands.
_NOT_FOUND = 127
_NOT_EXECUTABLE = 126

# What ends a program or tells it something. Stopping and going on (Ctrl-Z, fg) reach the command without us.
_PASSED_ON = frozenset(
    {
        *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM),
        *(signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGWINCH),
    }
)
# Python ignores these two; a program expects them as they are.
_PYTHONS_OWN = (signal.SIGPIPE, signal.SIGXFSZ)
_FROM_KERNEL = 0x80


class CannotRunError(KeyholeError):
    """There is no such program, or it cannot be executed; `status` is the exit status that says which."""

    def __init__(self, message: str, *, hint: str, status: int) -> None:
        super().__init__(message, hint=hint)
        self.status = status


def check_command(command: str) -> None:
    """Return if there is such a program. Raises: CannotRunError."""
    if shutil.which(command):
        return
    if os.sep in command and Path(command).is_dir():
        raise CannotRunError(f"`{command}` is a folder", hint="name the program in it", status=_NOT_EXECUTABLE)
    if os.sep in command and Path(command).exists():
        raise CannotRunError(
            f"`{command}` cannot be executed", hint=f"if it is a program: `chmod +x {command}`", status=_NOT_EXECUTABLE
        )
    raise CannotRunError(
        f"there is no command `{command}`", hint="it is looked for in the PATH, as a shell does", status=_NOT_FOUND
    )


def run_command(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run it, pass on the signals that reach this process, and give its exit status: 128 + n where signal n ended it.

    Raises: CannotRunError.
    """
    awaited = _PASSED_ON | {signal.SIGCHLD}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    try:
        child = os.posix_spawnp(command[0], list(command), environment, setsigmask=mask, setsigdef=_PYTHONS_OWN)
        while True:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code
            number = _next_signal(awaited)
            if number in _PASSED_ON:
                os.kill(child, number)
    except FileNotFoundError as error:
        hint = "what its first line asks for (`#!…`) is not there"
        raise CannotRunError(f"`{command[0]}` does not start", hint=hint, status=_NOT_FOUND) from error
    except OSError as error:
        message = f"`{command[0]}` does not start: {(error.strerror or str(error)).lower()}"
        hint = "a script needs a first line such as `#!/bin/sh`"
        raise CannotRunError(message, hint=hint, status=_NOT_EXECUTABLE) from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextmanager
def ending_in_order() -> Iterator[Callable[[], None]]:
    """Within the block, what asks this process to end does it as Ctrl-C does: what was begun is taken back.

    The function that is given makes it deaf to such signals from then on: nothing is to be begun any more.
    """
    numbers = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_DFL]
    for number in numbers:
        signal.signal(number, signal.default_int_handler)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        yield _hear_nothing
    finally:
        for number in signal.sigpending() & _PASSED_ON - mask:
            signal.sigwait({number})
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _hear_nothing() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)


def _next_signal(awaited: frozenset[signal.Signals]) -> int:
    """Give the next signal for the command; 0 for one that the terminal has sent to it as well."""
    if sys.platform == "darwin":
        number = signal.sigwait(awaited)
        return 0 if os.isatty(0) and number in {signal.SIGINT, signal.SIGQUIT, signal.SIGWINCH} else number
    found = signal.sigwaitinfo(awaited)
    return 0 if found.si_code == _FROM_KERNEL else found.si_signo
