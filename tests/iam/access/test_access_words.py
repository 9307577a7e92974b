"""What is said in words is what is meant, and never less than there is."""

from __future__ import annotations

import pytest

from keyhole.iam import Condition, Element
from keyhole.iam.access.action_names import shorten_actions
from keyhole.iam.access.words import describe_conditions, describe_element
from keyhole.iam.catalogue import find_service


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition("StringEquals", "aws:username", ("a", "b", "c")), "aws:username is a, b or c"),
        (Condition("StringNotLike", "aws:UserAgent", ("a*", "b*")), "aws:UserAgent is not like a* nor b*"),
        (Condition("Null", "aws:SourceIp", ("true",)), "aws:SourceIp is absent"),
        (Condition("Null", "aws:SourceIp", ("false",)), "aws:SourceIp is there"),
        (
            Condition("StringEquals", "aws:TagKeys", ("a",), qualifier="ForAllValues"),
            "each value of aws:TagKeys is a",
        ),
        (Condition("Bool", "aws:SecureTransport", ("true",), if_exists=True), "is true, or it is absent"),
        (Condition("StringEquals", "aws:username", ()), "aws:username is nothing"),
        (Condition("NewOperator", "aws:username", ("x",)), "aws:username NewOperator x"),
    ],
)
def test_a_condition_is_a_clause(condition: Condition, words: str) -> None:
    """An operator that is not known is named as it stands."""
    assert words in describe_conditions([condition])


def test_what_is_left_out_is_said() -> None:
    """And of a trust policy's statement the resource is the role itself."""
    assert describe_element(Element(("s3:*", "iam:*"), negated=True)) == "all but s3:*, iam:*"
    assert describe_element(None) == "this role"


@pytest.mark.parametrize(
    ("given", "short"),
    [
        (["s3:Get?bject", "s3:Get*bject"], ("s3:Get*bject",)),
        (["s3:Get?bject", "s3:GetXbject"], ("s3:Get?bject",)),
        (["s3:Get?bject", "s3:Get??ject"], ("s3:Get??ject", "s3:Get?bject")),
        (["s3:Get?bject", "s3:Get*"], ("s3:Get*",)),
        (["*:*", "s3:GetObject"], ("*",)),
    ],
)
def test_the_wider_of_two_patterns_stays(given: list[str], short: tuple[str, ...]) -> None:
    """A `?` stands for one letter, and never for a star."""
    assert shorten_actions(given) == short


def test_all_actions_of_a_verb_are_written_by_it() -> None:
    """All of them that AWS has; of one fewer each is named."""
    service = find_service("sqs")
    assert service is not None
    names = [f"sqs:{name}" for name in sorted(action.name for action in service.actions.values())]
    changing = [name for name in names if name.startswith("sqs:Change")]
    listing = [name for name in names if name.startswith("sqs:List")]
    assert len(listing) > 1
    assert shorten_actions([*listing, *changing]) == (*changing, "sqs:List*")
    assert set(shorten_actions(listing[1:])) == set(listing[1:])


def test_actions_that_begin_with_no_word_are_named_one_by_one() -> None:
    """API Gateway's are called by the methods of HTTP: `P*` would be a pattern that nobody reads."""
    assert shorten_actions(["apigateway:PUT", "apigateway:POST"]) == ("apigateway:POST", "apigateway:PUT")
