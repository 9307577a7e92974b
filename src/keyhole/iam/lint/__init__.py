"""What AWS accepts in a policy although it can never match, or opens more than its author is likely to want.

    policy = parse_policy(text, PolicyKind.IDENTITY)
    for warning in find_warnings(policy, PolicyKind.IDENTITY):
        print(f"{warning.path}: {warning.message}\\n  help: {warning.hint}")

A warning is given only where it is certain by AWS's documentation: what the catalogue does not know is not judged.
"""

from keyhole.iam.lint.report import PolicyWarning, WarningCode
from keyhole.iam.lint.rules import find_warnings

__all__ = ["PolicyWarning", "WarningCode", "find_warnings"]
