"""Keyhole's exceptions: everything that ends a command early.

    KeyholeError            message, hint, where; exit code 2 (wrong usage or spec)
    ├── SpecError           one or more mistakes in keyhole.toml, all reported at once
    ├── NotOursError        a name that leads to something of others
    ├── PolicyError         a policy document that AWS would refuse
    └── AwsError            AWS said no, or could not be reached; exit code 3

Expected negatives (denied, drifted, a claim that fails) are values, not exceptions.
Messages are lower case without a final period, with user input in backticks; the fix is the hint.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's exit status means."""

    OK = 0
    FINDING = 1
    USAGE = 2
    AWS = 3
    BUG = 70
    INTERRUPTED = 130


class KeyholeError(Exception):
    """A run that cannot go on: what is wrong, where, and what to do about it."""

    exit_code: ExitCode = ExitCode.USAGE

    def __init__(self, message: str, *, hint: str = "", where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.message}"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong in the user's file: where it stands, what is wrong, what to write instead."""

    where: str
    message: str
    hint: str = ""


class SpecError(KeyholeError):
    """The spec has mistakes: all of them, in the order of the file."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        self.mistakes = mistakes
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        super().__init__(f"{count} in the spec: nothing was changed")

    def __str__(self) -> str:
        lines = []
        for mistake in self.mistakes:
            lines.append(f"{mistake.where}: {mistake.message}")
            if mistake.hint:
                lines.append(f"  help: {mistake.hint}")
        return "\n".join(lines)


class NotOursError(KeyholeError):
    """A name of the file leads to something that is certainly not this app's, or to several things at once."""


class PolicyError(KeyholeError):
    """A policy document that AWS would refuse; `where` is the JSON path of what is wrong.

    `line` and `column` count from 1 and say where it stands in the text; they are 0 where there was no text, or where
    it is wrong as a whole. `file` is the name that the caller gave to the text.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        where: str = "",
        line: int = 0,
        column: int = 0,
        file: str = "",
    ) -> None:
        super().__init__(message, hint=hint, where=where)
        self.line = line
        self.column = column
        self.file = file

    @property
    def place(self) -> str:
        """`policy.json:3:14: Statement[0].Effect`; without a file name the path alone, or line and column."""
        if self.file:
            position = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
            return f"{position}: {self.where}" if self.where else position
        return self.where or (f"line {self.line}, column {self.column}" if self.line else "")

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class AwsError(KeyholeError):
    """A call that AWS refused or that did not reach AWS."""

    exit_code = ExitCode.AWS

    def __init__(
        self,
        message: str,
        *,
        code: str,
        operation: str,
        request_id: str = "",
        status: int = 0,
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.operation = operation
        self.request_id = request_id
        self.status = status

    def __str__(self) -> str:
        request = f" (request id {self.request_id})" if self.request_id else ""
        return f"{self.operation}: {self.code}: {self.message}{request}"
