"""A process that talks to nobody and starts nothing: the kernel refuses sockets and programs to a worker.

Linux man-pages, seccomp(2). Should a stranger's file take a worker over, it finds neither the instance's credentials,
which are had over the network, nor another program to go on with.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys
from dataclasses import dataclass

_PR_SET_NO_NEW_PRIVS = 38
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
# Classic BPF: load a word, jump if equal, jump if at least, return.
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _ARCHITECTURE = 0, 4  # offsets in `struct seccomp_data`
# On x86 a second set of numbers, of 32-bit programs, begins here.
_X32 = 0x40000000


@dataclass(frozen=True, slots=True)
class _Machine:
    """The kernel's names for an architecture: its own, seccomp's number, and those of the calls that are refused."""

    audit: int
    seccomp: int
    refused: tuple[int, ...]


_MACHINES = {
    # socket, connect, socketpair, ptrace, execve, execveat, process_vm_readv, process_vm_writev, io_uring_setup
    "x86_64": _Machine(0xC000003E, 317, (41, 42, 53, 101, 59, 322, 310, 311, 425)),
    "aarch64": _Machine(0xC00000B7, 277, (198, 203, 199, 117, 221, 281, 270, 271, 425)),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def confine() -> bool:
    """Refuse sockets and programs to this process, in all its threads and for ever; tell whether the kernel does."""
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None:
        return False
    code = _make_filter(machine)
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    return bool(libc.syscall(machine.seccomp, _SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(program)) == 0)


def _make_filter(machine: _Machine) -> bytes:
    """Give the filter: a foreign architecture is the end, calls on the list are refused, all others allowed."""
    refused = len(machine.refused)
    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 1, 0, machine.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_IF_AT_LEAST, refused + 1, 0, _X32),
        *((_IF_EQUAL, refused - at, 0, number) for at, number in enumerate(machine.refused)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
