"""ARN operators: Equals and Like are the same, field by field.

AWS: "IAM JSON policy elements: Condition operators", Amazon Resource Name (ARN) condition operators.
"""

from __future__ import annotations

from keyhole.iam.match import Parts, has_arn_fields, match_arn, match_pattern
from keyhole.iam.operators.operator import Operator, Texts
from keyhole.iam.symbolic.language import Style


def same_arn(wanted: Parts, given: str) -> bool | None:
    """Hold iff every field fits; None where one side is no ARN, but the pattern as a plain text would fit."""
    if match_arn(wanted, given):
        return True
    are_arns = has_arn_fields(wanted) and has_arn_fields((given,))
    return None if not are_arns and match_pattern(wanted, given) else False


_ARNS = Texts(Style.ARN, wildcards=True)

OPERATORS = (
    Operator("ArnEquals", same_arn, variables=True, doubts=True, texts=_ARNS),
    Operator("ArnLike", same_arn, variables=True, doubts=True, texts=_ARNS),
    Operator("ArnNotEquals", same_arn, negated=True, variables=True, doubts=True, texts=_ARNS),
    Operator("ArnNotLike", same_arn, negated=True, variables=True, doubts=True, texts=_ARNS),
)
