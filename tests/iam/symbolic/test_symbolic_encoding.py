"""Formulas say of every request what the plain engine decides; questions about all requests stand on that."""

from dataclasses import replace

from formula_truth import atoms_of, is_true
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from iam_strategies import policy_sets, requests

from keyhole.iam import PolicySet, Request, decide
from keyhole.iam.layers import resource_account
from keyhole.iam.symbolic.allowed import allowed
from keyhole.iam.symbolic.encode import Encoder


def settled(request: Request) -> Request:
    """Give the request with the account of its resource said, as questions say it; a management account is no topic."""
    return replace(request, resource_account=resource_account(request))


@settings(max_examples=250)
@given(requests, policy_sets, st.booleans())
def test_a_formula_holds_where_decide_allows(request: Request, policies: PolicySet, knows_all: bool) -> None:
    """`surely` is exactly what `decide` allows, and what it allows is never outside `possibly`."""
    asked = settled(request)
    keys = {key: asked.context.get(key) for key in ("aws:username", "aws:userid", "aws:principalorgmasteraccountid")}
    given_keys = {**keys, **asked.context.by_key} if knows_all else {"aws:userid": keys["aws:userid"]}
    encoder = Encoder(asked, given_keys)
    sure = allowed(encoder, policies, sure=True)
    possible = allowed(encoder, policies, sure=False)
    assume(not any(atom.opaque for atom in atoms_of(sure) | atoms_of(possible)))
    is_allowed = decide(asked, policies).is_allowed
    assert is_true(sure, asked) is is_allowed
    assert is_true(possible, asked) or not is_allowed
