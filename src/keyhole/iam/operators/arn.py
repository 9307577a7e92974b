"""ARN operators: Equals and Like are the same, field by field.

AWS: "IAM JSON policy elements: Condition operators", Amazon Resource Name (ARN) condition operators.
"""

from __future__ import annotations

from keyhole.iam.match import match_arn
from keyhole.iam.operators.operator import Operator

OPERATORS = (
    Operator("ArnEquals", match_arn, variables=True),
    Operator("ArnLike", match_arn, variables=True),
    Operator("ArnNotEquals", match_arn, negated=True, variables=True),
    Operator("ArnNotLike", match_arn, negated=True, variables=True),
)
