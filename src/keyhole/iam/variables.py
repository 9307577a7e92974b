"""Policy variables: `${aws:username}` in a Resource or a condition value stands for the request's own value.

AWS: IAM User Guide, "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

from keyhole.iam.match import Parts, Wildcard, split_wildcards
from keyhole.iam.model import Context

VARIABLES_VERSION = "2012-10-17"
LITERALS = {"*", "?", "$"}


def has_variables(text: str, version: str) -> bool:
    """Hold iff the text has to be expanded: version 2008-10-17 takes `${…}` literally."""
    return version == VARIABLES_VERSION and "${" in text


def expand_variables(text: str, context: Context, version: str) -> Parts | None:
    """The pattern with its variables filled in, or None where one cannot be resolved: then it matches nothing.

    A `*` or `?` of the pattern is a wildcard, one that arrives inside a value is a literal.
    """
    if not has_variables(text, version):
        return split_wildcards(text)
    parts: list[str | Wildcard] = []
    position = 0
    while (start := text.find("${", position)) >= 0 and (end := text.find("}", start)) >= 0:
        value = _resolve(text[start + 2 : end], context)
        if value is None:
            return None
        parts.extend(split_wildcards(text[position:start]))
        parts.append(value)
        position = end + 1
    parts.extend(split_wildcards(text[position:]))
    return tuple(parts)


def _resolve(expression: str, context: Context) -> str | None:
    """The value of what stands between the braces; a key with several values is not a variable."""
    if expression in LITERALS:
        return expression
    key, default = split_default(expression)
    value = context.get(key)
    if value is None:
        return default
    return value if isinstance(value, str) else None


def split_default(expression: str) -> tuple[str, str | None]:
    """`key, 'default'` as its two halves; None where there is no default."""
    quote = expression.find("'")
    if 0 <= quote < len(expression) - 1 and expression.endswith("'"):
        head = expression[:quote].rstrip()
        default = expression[quote + 1 : -1]
        if head.endswith(",") and "'" not in default:
            return head[:-1].strip(), default
    return expression.strip(), None
