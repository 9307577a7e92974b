"""Policies built to be expensive: overlapping stars, cross products, many conditions."""

from __future__ import annotations

from keyhole.iam import Condition, Effect, Element, Policy, Statement

WORDS = [f"{a}{b}" for a in "abcdefghijkl" for b in "mnopqrstuv"]


def crossing_stars(count: int) -> tuple[Policy, Policy]:
    """Everything but what has some words in it, against everything but what has others."""
    return _without(WORDS[:count], "*{0}*{1}*"), _without(WORDS[count : 2 * count], "*{1}?{0}*")


def _without(words: list[str], form: str) -> Policy:
    denied = tuple(form.format(word, other) for word, other in zip(words, reversed(words), strict=True))
    statements = [Statement(Effect.DENY, Element(("*",)), Element((pattern,))) for pattern in denied]
    return Policy((Statement(Effect.ALLOW, Element(("*",)), Element(("*",))), *statements))


def inside_of_stars(count: int) -> tuple[Policy, Policy]:
    """One string in which all words come in any order, against nothing: there is an answer, but a long way to it."""
    everything = Statement(Effect.ALLOW, Element(("*",)), Element(("*",)))
    missing = [Statement(Effect.DENY, Element(("*",)), Element((f"*{word}*",), negated=True)) for word in WORDS[:count]]
    return Policy((everything, *missing)), Policy((Statement(Effect.DENY, Element(("*",)), Element(("*",))),))


def cross_product(count: int) -> tuple[Policy, Policy]:
    """Statements that each name actions, resources and conditions that meet those of all others."""

    def statement(number: int, effect: Effect, shift: int) -> Statement:
        words = [WORDS[(number * step + shift) % len(WORDS)] for step in (1, 3, 7)]
        return Statement(
            effect,
            Element(tuple(f"s3:*{word[0]}*" for word in words), number % 3 == 0),
            Element(tuple(f"arn:aws:s3:::*{word}*{word[::-1]}*" for word in words), number % 5 == 0),
            conditions=(
                Condition("StringLike", f"k:{number % 17}", tuple(f"*{word}*" for word in words)),
                Condition("StringNotLike", f"k:{(number + shift) % 13}", tuple(f"{word}*" for word in words)),
                Condition("NumericLessThan", f"n:{number % 11}", (str(number),)),
            ),
        )

    def policy(shift: int) -> Policy:
        effects = (Effect.ALLOW, Effect.ALLOW, Effect.DENY)
        return Policy(tuple(statement(number, effects[number % 3], shift) for number in range(count)))

    return policy(1), policy(2)
