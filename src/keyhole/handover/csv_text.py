"""The text of an access key's CSV file as the console offers it: a line of headings, and the key.

AWS: IAM User Guide, "Manage access keys for IAM users", Download .csv file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from keyhole.errors import KeyholeError
from keyhole.handover.values import Scalar

HEADINGS = ("Access key ID", "Secret access key")


def read_values(text: str) -> dict[str, Scalar]:
    """Give the key by its headings. Raises: KeyholeError if it is the table of something else."""
    lines = text.removeprefix("\ufeff").split()
    if not lines:
        return {}
    heading, *rows = text.removeprefix("\ufeff").splitlines()
    if tuple(part.strip() for part in heading.split(",")) != HEADINGS or len([row for row in rows if row.strip()]) > 1:
        raise KeyholeError(
            "this CSV file is not one of a single access key", hint="name another `csv_file`, or move this one away"
        )
    fields = rows[0].split(",") if rows else []
    return dict(zip(HEADINGS, (part.strip() for part in fields), strict=False))


def write_values(text: str, values: Mapping[str, Scalar | None]) -> str:
    """Give the table of this one key. Raises: KeyholeError if the text is the table of something else."""
    read_values(text)
    return f"{','.join(HEADINGS)}\r\n{','.join(str(values.get(name) or '') for name in HEADINGS)}\r\n"


def remove_values(text: str, _names: Collection[str]) -> str:
    """Nothing is left of the table."""
    read_values(text)
    return ""
