"""Compiled policies answer as the plain path does."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from iam_strategies import policy_sets, requests

from keyhole.iam import PolicySet, Request, decide
from keyhole.iam.compiled import compile_policies


@settings(max_examples=300)
@given(policy_sets, st.lists(requests, min_size=1, max_size=4))
def test_compiled_policies_decide_as_the_plain_path(policies: PolicySet, asked: list[Request]) -> None:
    """Outcome, reason, layers and trace are the same, for every request, in any order."""
    evaluator = compile_policies(policies)
    for request in asked:
        plain = decide(request, policies)
        assert evaluator.decide(request) == replace(plain, trace=())
        assert evaluator.trace(request) == plain
