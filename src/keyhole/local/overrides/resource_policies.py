"""Policies of topics, secrets and tables are checked when they are put, in the words of each service.

AWS: SNS Developer Guide, "Amazon SNS API permissions: Actions and resources reference"; Secrets Manager API Reference,
PutResourcePolicy; DynamoDB API Reference, PutResourcePolicy.
"""

from __future__ import annotations

from keyhole.errors import PolicyError
from keyhole.iam import parse_policy, public
from keyhole.iam.model import Policy, PolicyKind
from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Fault, Response
from keyhole.local.overrides.principals import unknown_principal

OPERATIONS = (
    *(("sns", "CreateTopic"), ("sns", "SetTopicAttributes")),
    *(("secretsmanager", "PutResourcePolicy"), ("dynamodb", "PutResourcePolicy"), ("dynamodb", "CreateTable")),
)
_MAX_TOPIC_POLICY_BYTES = 30 * 1024
_MAX_TABLE_POLICY_BYTES = 20 * 1024
# AWS: SNS Developer Guide, the page above: what a topic's policy can speak of.
_TOPIC_ACTIONS = frozenset(
    f"sns:{name}"
    for name in (
        *("addpermission", "deletetopic", "getdataprotectionpolicy", "gettopicattributes", "listsubscriptionsbytopic"),
        *("listtagsforresource", "publish", "putdataprotectionpolicy", "removepermission", "settopicattributes"),
        *("subscribe", "receive"),
    )
)


def check_policy(call: ApiCall, _caller: Caller, _bucket: Bucket | None, backend: Backend) -> Response | None:
    """Refuse a policy that AWS refuses. Raises: Fault."""
    if call.service == "sns":
        _check_topic_policy(_topic_policy(call), backend)
    elif call.service == "secretsmanager":
        _check_secret_policy(call, backend)
    else:
        _check_table_policy(call, backend)
    return None


def _topic_policy(call: ApiCall) -> str:
    params = call.params
    if call.operation == "CreateTopic":
        return str((params.get("Attributes") or {}).get("Policy") or "")
    return str(params.get("AttributeValue") or "") if params.get("AttributeName") == "Policy" else ""


def _check_topic_policy(text: str, backend: Backend) -> None:
    if not text:
        return
    if len(text.encode()) > _MAX_TOPIC_POLICY_BYTES:
        raise _bad_topic_policy("Policy Error: null")
    try:
        policy = parse_policy(text, PolicyKind.RESOURCE)
    except PolicyError as error:
        raise _bad_topic_policy("Policy Error: null") from error
    for action in _actions(policy):
        is_known = action in _TOPIC_ACTIONS or "*" in action or "?" in action
        if not action.startswith("sns:") or not is_known:
            raise _bad_topic_policy("Policy statement action out of service scope!")
    if unknown_principal(policy, backend):
        raise _bad_topic_policy("Policy Error: PrincipalNotFound")


def _check_secret_policy(call: ApiCall, backend: Backend) -> None:
    try:
        policy = parse_policy(str(call.params.get("ResourcePolicy") or ""), PolicyKind.RESOURCE)
    except PolicyError as error:
        raise _bad_secret_policy("This resource policy contains a syntax error.") from error
    if any(action != "*" and not action.startswith("secretsmanager:") for action in _actions(policy)):
        raise _bad_secret_policy("This resource policy contains an unsupported action.")
    if unknown_principal(policy, backend):
        raise _bad_secret_policy("This resource policy contains an unsupported principal.")
    if call.params.get("BlockPublicPolicy") and public.is_public(policy):
        message = (
            "The BlockPublicPolicy parameter is set to true, and the resource policy did not prevent broad access to "
            "the secret."
        )
        raise Fault("PublicPolicyException", message)


def _check_table_policy(call: ApiCall, backend: Backend) -> None:
    text = str(call.params.get("Policy") or call.params.get("ResourcePolicy") or "")
    if not text:
        return
    if call.operation == "CreateTable":
        raise Fault("ValidationException", "Keyhole's local AWS takes a table's policy by PutResourcePolicy only")
    if len(text.encode()) > _MAX_TABLE_POLICY_BYTES:
        raise _bad_table_policy("it is larger than 20 KB")
    try:
        policy = parse_policy(text, PolicyKind.RESOURCE)
    except PolicyError as error:
        raise _bad_table_policy(error.message) from error
    if any(action != "*" and not action.startswith("dynamodb:") for action in _actions(policy)):
        raise _bad_table_policy("it has an action of another service")
    if unknown := unknown_principal(policy, backend):
        raise _bad_table_policy(f"its principal {unknown} does not exist")


def _actions(policy: Policy) -> list[str]:
    return [action.lower() for statement in policy.statements for action in statement.actions.patterns]


def _bad_topic_policy(why: str) -> Fault:
    return Fault("InvalidParameter", f"Invalid parameter: {why}")


def _bad_secret_policy(message: str) -> Fault:
    return Fault("MalformedPolicyDocumentException", message)


def _bad_table_policy(why: str) -> Fault:
    return Fault("ValidationException", f"Invalid policy document: {why}")
