"""The existence operator: `true` holds where the key is absent, `false` where it is there.

It compares with the key's presence, not with its value: the request's side is given as `true` (absent) or `false`.
AWS: "IAM JSON policy elements: Condition operators", Condition operator to check existence of condition keys.
"""

from __future__ import annotations

from keyhole.iam.operators.boolean import same_boolean
from keyhole.iam.operators.operator import Operator

NULL = Operator("Null", same_boolean)

OPERATORS = (NULL,)
