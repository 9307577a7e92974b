"""One decision of the policy engine, in this process, on one core, policies parsed once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from story import EXAMPLE

from keyhole.blueprint import build_blueprint
from keyhole.iam import Context, PolicyKind, PolicySet, Principal, PrincipalKind, Request, decide, parse_policy
from keyhole.iam.text import write_document
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.spec import load_spec

Rows = list[tuple[str, list[float], str, list[float], float | None]]
LOOPS = 2000


def measure(samples: int) -> Rows:
    """Measure one decision on the example's policy, with its trace."""
    blueprint = build_blueprint(load_spec(EXAMPLE), "123456789012")
    document = next(want.document for want in blueprint.resources if isinstance(want, ManagedPolicy))
    text = write_document(document)
    policies = PolicySet(identity=(parse_policy(text, PolicyKind.IDENTITY),))
    caller = Principal(
        PrincipalKind.ROLE_SESSION,
        "arn:aws:sts::123456789012:assumed-role/AIImageCommunityEC2Role/i-1",
        "123456789012",
        "arn:aws:iam::123456789012:role/AIImageCommunityEC2Role",
    )
    bucket = "arn:aws:s3:::ai-image-community-123456789012"
    put = Request(caller, "s3:PutObject", f"{bucket}/uploads/images/a.png", Context(), "123456789012")
    listing = Request(caller, "s3:ListBucket", bucket, Context({"s3:prefix": "uploads/images/"}), "123456789012")
    assert decide(put, policies).is_allowed
    assert decide(listing, policies).is_allowed
    parse = repeat(lambda: json.loads(text), samples)
    return [
        (
            "one decision: put, with trace",
            repeat(lambda: decide(put, policies), samples),
            "json.loads of the policy",
            parse,
            None,
        ),
        (
            "one decision: list with a condition",
            repeat(lambda: decide(listing, policies), samples),
            "json.loads of the policy",
            parse,
            None,
        ),
    ]


def repeat(work: Callable[[], object], samples: int) -> list[float]:
    """Give seconds for one run of `work`, as the mean of many, several times over."""
    found = []
    for _ in range(samples):
        started = time.perf_counter()
        for _ in range(LOOPS):
            work()
        found.append((time.perf_counter() - started) / LOOPS)
    return found
