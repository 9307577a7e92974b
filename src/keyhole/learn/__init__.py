"""What a program really asked of AWS, and the smallest grants that would have been enough for it.

    uses = read_uses(events)                     the questions that its calls put to the policies
    for who, asked in by_principal(uses).items():
        lesson = learn(who, asked, grants)       verbs on folders, a policy document, and how the file's grants differ
        assert not lesson.unproved               both allow every request with its context, as keyhole.iam decides

Pure: events come in as parsed JSON, nothing is read or asked.
"""

from keyhole.learn.comparison import Comparison, Unused
from keyhole.learn.lesson import Lesson, NamedGrants, as_grant, learn
from keyhole.learn.needs import Needed, Needs
from keyhole.learn.use import Use, by_principal, read_uses

__all__ = [
    "Comparison",
    "Lesson",
    "NamedGrants",
    "Needed",
    "Needs",
    "Unused",
    "Use",
    "as_grant",
    "by_principal",
    "learn",
    "read_uses",
]
