"""A question about all requests of one caller: is there one of which a formula holds? With a witness that is replayed.

`holds` is said only when the search came to its end and found nothing; `fails` only with a request that the plain
engine confirms; everything else is `unknown`, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from keyhole.iam.match import Wildcard
from keyhole.iam.model import Context, ContextValue, Request
from keyhole.iam.principals import ACCOUNT_KINDS
from keyhole.iam.symbolic.atoms import ACTION, KEY, RESOURCE, Atom, State, Value
from keyhole.iam.symbolic.budget import Budget, BudgetError
from keyhole.iam.symbolic.encode import Encoder
from keyhole.iam.symbolic.formula import Formula, Lit
from keyhole.iam.symbolic.keys import ALWAYS_PRESENT, BOOLEANS, CALLER_KEYS
from keyhole.iam.symbolic.language import Language, make_pattern
from keyhole.iam.symbolic.plausible import find_plausible, find_plausible_action
from keyhole.iam.symbolic.search import Model, find_models
from keyhole.iam.symbolic.theory import Theory

Confirm = Callable[[Request], bool]
_MOST_MODELS = 64
_SOME_ACTION = "s3:GetObject"
_SOME_RESOURCE = "arn:aws:s3:::example/file.txt"
_ANYTHING = Language((make_pattern((Wildcard.ANY,)),))
_TRUE_OR_FALSE = Language((make_pattern(("true",)), make_pattern(("false",))))


class Verdict(StrEnum):
    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict; `witness` is the request that shows a `fails`, `reason` says why it is unknown."""

    verdict: Verdict
    witness: Request | None = None
    reason: str = ""


HOLDS = Answer(Verdict.HOLDS)


def refute(
    encoder: Encoder, goals: Iterable[Formula], confirm: Confirm, budget: Budget, theory: Theory | None = None
) -> Answer:
    """Show that there is no request of which all goals hold; the answer's witness is one that `confirm` takes.

    `theory`: one that knows something of the encoder's atoms already, with the same budget.
    """
    listed = [*goals, *_domain(encoder)]
    theory = theory or Theory(budget, frozenset(encoder.several))
    tried = 0
    try:
        for model in find_models(listed, theory):
            for request in _requests(model, encoder):
                if tried:
                    budget.check()
                if confirm(request):
                    return Answer(Verdict.FAILS, request)
            tried += 1
            if tried >= _MOST_MODELS:
                break
    except BudgetError as error:
        return Answer(Verdict.UNKNOWN, reason=str(error))
    if tried:
        return Answer(Verdict.UNKNOWN, reason="it hangs on a policy variable or a value that cannot be told")
    return HOLDS


def _domain(encoder: Encoder) -> Iterator[Formula]:
    """What is true of every request: some keys are always there, and some are only ever true or false."""
    present = ALWAYS_PRESENT | (CALLER_KEYS if encoder.request.principal.kind in ACCOUNT_KINDS else frozenset())
    for key in encoder.keys:
        if key in encoder.given:
            yield _pin(KEY + key, encoder.given[key])
        elif key in BOOLEANS:
            yield Lit(Atom(KEY + key, _TRUE_OR_FALSE, absent=key not in present, several=True))
        elif key in present:
            yield Lit(Atom(KEY + key, _ANYTHING, several=True))


def _pin(dimension: str, value: ContextValue | None) -> Formula:
    """Give that a key has the value which is known of it; of several values nothing is said."""
    if value is None:
        return Lit(Atom(dimension, Language(()), absent=True))
    return Lit(Atom(dimension, Language((make_pattern((value,)),)))) if isinstance(value, str) else True


def _requests(model: Model, encoder: Encoder) -> Iterator[Request]:
    """Give requests that fulfil the model, the most believable first."""
    values = model.values
    context: dict[str, ContextValue] = {}
    for key, known in encoder.given.items():
        if known is not None:
            context[encoder.keys.get(key, key)] = known
    for dimension, value in values.items():
        if dimension.startswith(KEY) and value.state in {State.ONE, State.SEVERAL}:
            key = dimension.removeprefix(KEY)
            context[encoder.keys.get(key, key)] = value.texts if value.state is State.SEVERAL else value.texts[0]
    account = encoder.request.resource_account or encoder.request.principal.account
    base = replace(encoder.request, context=Context(context), resource_account=account)
    wishes = model.wishes.get(ACTION, frozenset())
    found = _text(values.get(ACTION), _SOME_ACTION)
    pairs: Iterable[tuple[str, str]]
    if RESOURCE in values and values[RESOURCE].state is State.STAR:
        pairs = ((find_plausible_action(wishes, found), "*"),)
    else:
        resource = _text(values.get(RESOURCE), _SOME_RESOURCE)
        pairs = find_plausible(wishes, model.wishes.get(RESOURCE, frozenset()), (found, resource))
    for pair in pairs:
        yield replace(base, action=pair[0], resource=pair[1])


def _text(value: Value | None, otherwise: str) -> str:
    return value.texts[0] if value is not None and value.texts else otherwise
