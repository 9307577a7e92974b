"""Request lines for tests: the least that a line needs, and hypothesis strategies for many that meet often."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

ACCOUNT = "111122223333"
USER = f"arn:aws:iam::{ACCOUNT}:user/alice"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/web/i-1"
OBJECT = "arn:aws:s3:::masks/a.png"


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: str = "s3:*", resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str = "s3:*", resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def line(**fields: Any) -> str:
    """A request line: alice reads an object, unless `fields` say something else."""
    return json.dumps({"principal": USER, "action": "s3:GetObject", "resource": OBJECT, **fields})


_conditions = st.sampled_from(
    [
        {},
        {"StringEquals": {"aws:username": "alice"}},
        {"StringNotEquals": {"aws:username": ["alice", "bob"]}},
        {"NumericLessThan": {"s3:max-keys": 10}},
        {"Nonsense": {"aws:username": "alice"}},
    ]
)
_statements = st.builds(
    lambda effect, action, resource, condition: {
        "Effect": effect,
        "Action": action,
        "Resource": resource,
        **({"Condition": condition} if condition else {}),
    },
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.sampled_from(["s3:*", "s3:GetObject", "s3:Put*", "*"]),
    st.sampled_from(["*", OBJECT, "arn:aws:s3:::masks/*", "arn:aws:s3:::masks/${aws:username}"]),
    _conditions,
)
_principals = st.sampled_from(["*", {"AWS": ACCOUNT}, {"AWS": USER}, {"AWS": [f"arn:aws:iam::{ACCOUNT}:role/web"]}])
documents = st.lists(_statements, min_size=1, max_size=2).map(lambda found: policy(*found))
resource_documents = st.builds(
    lambda found, principal: policy(*({**statement, "Principal": principal} for statement in found)),
    st.lists(_statements, min_size=1, max_size=2),
    _principals,
)
several = st.lists(documents, max_size=3)
several_for_all = st.lists(
    st.lists(_statements, min_size=1, max_size=2).map(lambda f: policy(*({**s, "Principal": "*"} for s in f))),
    max_size=3,
)
requests: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "principal": st.sampled_from([USER, SESSION, ACCOUNT, "ec2.amazonaws.com", None]),
        "action": st.sampled_from(["s3:GetObject", "s3:PutObject"]),
        "resource": st.sampled_from([OBJECT, "arn:aws:s3:::masks/alice"]),
    },
    optional={
        "resource_account": st.sampled_from([None, ACCOUNT, "444455556666"]),
        "context": st.dictionaries(
            st.sampled_from(["aws:username", "s3:max-keys"]),
            st.sampled_from(["alice", "5", ["alice", "bob"], [], True, 7]),
            max_size=2,
        ),
        "identity": several,
        "resource_policy": st.none() | resource_documents,
        "boundaries": several,
        "scps": st.lists(several, max_size=2),
        "session": several,
        "endpoint": several_for_all,
        "resource_kind": st.none(),
    },
)
