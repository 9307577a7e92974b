"""The policy language of AWS: parse a policy, decide a request, say why.

    policy = parse_policy(text, PolicyKind.IDENTITY, name="uploader")
    decision = decide(request, PolicySet(identity=(policy,)))
    print(denial_message(request, decision) or explain(request, decision))
    evaluator = compile_policies(PolicySet(identity=(policy,)))     # the same answers for many requests, fast

The engine knows nothing of AWS's services: which action an API call needs, and which condition keys it sets, is for the
caller to say in the Request.
"""

from keyhole.iam.compiled import Evaluator, compile_policies
from keyhole.iam.decide import decide
from keyhole.iam.explain import denial_message, explain
from keyhole.iam.model import (
    ANONYMOUS,
    Condition,
    Context,
    ContextValue,
    Decision,
    Effect,
    Element,
    ElementTrace,
    Outcome,
    Policy,
    PolicyKind,
    PolicySet,
    Principal,
    PrincipalElement,
    PrincipalKind,
    PrincipalPattern,
    Request,
    Statement,
    StatementTrace,
    Truth,
)
from keyhole.iam.parse import parse_policy
from keyhole.iam.quotas import QUOTAS, Quota, check_quota
from keyhole.iam.render import render_policy

__all__ = [
    "ANONYMOUS",
    "QUOTAS",
    "Condition",
    "Context",
    "ContextValue",
    "Decision",
    "Effect",
    "Element",
    "ElementTrace",
    "Evaluator",
    "Outcome",
    "Policy",
    "PolicyKind",
    "PolicySet",
    "Principal",
    "PrincipalElement",
    "PrincipalKind",
    "PrincipalPattern",
    "Quota",
    "Request",
    "Statement",
    "StatementTrace",
    "Truth",
    "check_quota",
    "compile_policies",
    "decide",
    "denial_message",
    "explain",
    "parse_policy",
    "render_policy",
]
