"""Every rule that stands in front of IAM, in the order in which they look at a call.

First what the call says, then what it is about, then what it would lead to; the last ones answer in the store's place.
"""

from __future__ import annotations

from collections.abc import Callable

from keyhole.local.backend import Backend, Bucket
from keyhole.local.call import ApiCall, Caller, Response
from keyhole.local.overrides import (
    account_reads,
    delete_conflicts,
    iam_documents,
    iam_entities,
    iam_members,
    iam_quotas,
    iam_simulation,
    linked_roles,
    oidc_audiences,
    oidc_providers,
    principals,
    user_boundary,
)

Rule = Callable[[ApiCall, Caller, Bucket | None, Backend], Response | None]

_LAST: dict[str, Rule] = {
    **dict.fromkeys(user_boundary.OPERATIONS, user_boundary.answer_boundary),
    **dict.fromkeys(oidc_audiences.OPERATIONS, oidc_audiences.answer_audience),
    **dict.fromkeys(account_reads.OF_ROOT, account_reads.answer_root),
    "ListEntitiesForPolicy": account_reads.list_entities,
    "SimulatePrincipalPolicy": iam_simulation.simulate_principal,
    "SimulateCustomPolicy": iam_simulation.simulate_custom,
    "GetContextKeysForPrincipalPolicy": iam_simulation.list_principal_keys,
    "GetContextKeysForCustomPolicy": iam_simulation.list_custom_keys,
    **dict.fromkeys(("DeleteUser", "DeleteRole", "DeleteServiceLinkedRole", "UpdateUser"), principals.keep_ids),
}


def answer_before(call: ApiCall, caller: Caller, bucket: Bucket | None, backend: Backend) -> Response | None:
    """Give the answer to a call that must not reach the store, None for one that must. Raises: Fault."""
    for rule in _rules(call.operation):
        answer = rule(call, caller, bucket, backend)
        if answer is not None:
            return answer
    return None


def repair_after(call: ApiCall, caller: Caller, backend: Backend, response: Response) -> Response:
    """Give what the client is to get for a call that the store answered."""
    if call.operation == "CreateUser" and response.status < 300:
        return user_boundary.keep_boundary(call, caller, backend, response)
    return response


def _rules(operation: str) -> tuple[Rule, ...]:
    rules: list[Rule] = [iam_members.check_members, iam_entities.check_names, linked_roles.check_role]
    if operation in iam_documents.OPERATIONS:
        rules.append(iam_documents.check_document)
    rules.append(iam_quotas.check_quotas)
    if operation in delete_conflicts.OPERATIONS:
        rules.append(delete_conflicts.check_deletion)
    if "OpenIDConnectProvider" in operation:
        rules.append(oidc_providers.check_provider)
    if operation in _LAST:
        rules.append(_LAST[operation])
    return tuple(rules)
