"""Claims against reality: each is tried with the credentials of whom it is about. No probe object stays behind."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum

from keyhole.aws import Aws
from keyhole.blueprint import Blueprint, Claim, Expected
from keyhole.errors import AwsError, ExitCode, KeyholeError
from keyhole.resources import bucket as buckets
from keyhole.resources.bucket import Bucket, Settings
from keyhole.resources.content import empty_bucket
from keyhole.verify.attempts import ATTEMPTS, BODY, Answer, make_attempt
from keyhole.verify.github_tokens import assume_as_job
from keyhole.verify.identities import SESSION_NAME, Identity

WORKERS = 8
PAUSE_S = 2.0


class Verdict(StrEnum):
    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Probe:
    """A claim, what was tried, and what AWS said: `got` is "allowed", "denied" or "" where nothing could be tried."""

    claim: Claim
    verdict: Verdict
    got: str
    reason: str


def probe_claims(
    aws: Aws,
    blueprint: Blueprint,
    identities: dict[str, Identity],
    *,
    patience_s: float = 0.0,
    on_probe: Callable[[Probe], None] = lambda _probe: None,
) -> tuple[Probe, ...]:
    """Try every claim that can be tried, and give the results in the order of the claims.

    `aws` are the operator's credentials: they lay out the objects that are needed and clean up, whatever happens.
    `patience_s`: how long a claim of "can" may be denied before it counts, as IAM's changes spread. A claim about a
    bucket of another environment is tried if that bucket is there.

    Raises: AwsError if laying out or cleaning up fails, or AWS answers neither yes nor no.
    """
    folder = f"keyhole-probe-{secrets.token_hex(4)}/"
    claims = tuple(_within_reach(aws, blueprint))
    blueprint = replace(blueprint, claims=claims)
    keys = {claim.id: f"{claim.target.prefix}{folder}{index}.txt" for index, claim in enumerate(claims)}
    deadline = time.monotonic() + patience_s

    def probe(claim: Claim) -> Probe:
        result = _probe(claim, keys[claim.id], identities[claim.who], deadline)
        on_probe(result)
        return result

    with _stage(aws, blueprint, keys, folder), ThreadPoolExecutor(WORKERS) as pool:
        return tuple(pool.map(probe, claims))


def _within_reach(aws: Aws, blueprint: Blueprint) -> Iterator[Claim]:
    """Give the claims that can be tried: what is safe, and of other environments what is there, in this account."""
    account = blueprint.scope.account
    elsewhere = sorted({claim.target.bucket for claim in blueprint.claims if claim.environment} - {""})
    there = {name for name in elsewhere if _is_there(aws, name, account)}
    for claim in blueprint.claims:
        is_reached = not claim.environment or not claim.target.bucket or claim.target.bucket in there
        if is_reached and not claim.on_paper:
            yield claim


def _is_there(aws: Aws, bucket: str, account: str) -> bool:
    try:
        aws.call("s3", "HeadBucket", Bucket=bucket, ExpectedBucketOwner=account)
    except AwsError as error:
        if error.status in {301, 403, 404}:
            return False
        raise
    return True


def _probe(claim: Claim, key: str, identity: Identity, deadline: float) -> Probe:
    aws = identity.aws
    if aws is None:
        return Probe(claim, Verdict.UNKNOWN, "", identity.why_not)
    try:
        answer = _attempt(aws, claim, key, identity)
        while not answer.allowed and claim.expected is Expected.CAN and time.monotonic() < deadline:
            time.sleep(PAUSE_S)
            answer = _attempt(aws, claim, key, identity)
    except KeyholeError as error:
        return Probe(claim, Verdict.UNKNOWN, "", str(error))
    return _judge(claim, answer)


def _attempt(aws: Aws, claim: Claim, key: str, identity: Identity) -> Answer:
    if identity.job_token is not None:
        return assume_as_job(aws, claim, identity.job_token(claim), SESSION_NAME)
    return make_attempt(aws, claim, key)


def _judge(claim: Claim, answer: Answer) -> Probe:
    got = "allowed" if answer.allowed else "denied"
    holds = answer.allowed == (claim.expected is Expected.CAN)
    if holds and claim.action == "sts:GetCallerIdentity":
        # The claim is about who the workload is: "temporary credentials of role NAME", "an access key of user NAME".
        kind, name = claim.why.split()[-2:]
        holds = f":assumed-role/{name}/" in answer.reason if kind == "role" else answer.reason.endswith(f"/{name}")
    return Probe(claim, Verdict.HOLDS if holds else Verdict.FAILS, got, answer.reason)


@contextmanager
def _stage(aws: Aws, blueprint: Blueprint, keys: dict[str, str], folder: str) -> Iterator[None]:
    """Lay out what the attempts need, and take it away again: the objects, and the other bucket."""
    own = {want.name for want in blueprint.resources if isinstance(want, Bucket)}
    others = {claim.target.bucket for claim in blueprint.claims if not claim.environment} - own - {""}
    account = blueprint.scope.account
    places = sorted(
        {(claim.target.bucket, claim.target.prefix + folder) for claim in blueprint.claims} - {("", folder)}
    )
    _check_there(aws, blueprint, own)
    try:
        for name in others:
            _make_bucket(aws, blueprint, name)
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(lambda claim: _lay_out(aws, claim, keys[claim.id], account), blueprint.claims))
        yield
    finally:
        for bucket, prefix in places:
            _clean(aws, bucket, prefix, account)
        for name in others:
            _delete_bucket(aws, blueprint, name)


def _check_there(aws: Aws, blueprint: Blueprint, names: set[str]) -> None:
    """Return if the app's buckets are there. Raises: KeyholeError as a finding if one is not."""
    for name in sorted(names):
        if buckets.read(aws, blueprint.scope, name) is None:
            error = KeyholeError(f"bucket `{name}` of the file is not there", hint="make it first: `keyhole up`")
            error.exit_code = ExitCode.FINDING
            raise error


def _lay_out(aws: Aws, claim: Claim, key: str, account: str) -> None:
    if claim.target.bucket and ATTEMPTS[claim.action].needs_object:
        where = {"Bucket": claim.target.bucket, "Key": key, "ExpectedBucketOwner": account}
        aws.call("s3", "PutObject", **where, Body=BODY, ContentType="text/plain")


def _make_bucket(aws: Aws, blueprint: Blueprint, name: str) -> None:
    """Make the other bucket: private and tagged, so that a run that breaks here leaves nothing unknown."""
    scope = blueprint.scope
    have = buckets.read(aws, scope, name)
    if have is not None and not scope.owns(have.tags):
        raise KeyholeError(
            f"bucket `{name}` exists and is not Keyhole's", hint="it is the name that probes need: delete it"
        )
    settings = have.settings if have is not None else Settings()
    want = Bucket(f"bucket.({name})", name, scope.account, scope.region, settings, scope.tags)
    for call in buckets.calls(want, have):
        if call.operation == "CreateBucket":
            aws.call(call.service, call.operation, **call.params)


def _delete_bucket(aws: Aws, blueprint: Blueprint, name: str) -> None:
    have = buckets.read(aws, blueprint.scope, name)
    if have is not None and blueprint.scope.owns(have.tags):
        for call in buckets.calls(None, have):
            aws.call(call.service, call.operation, **call.params)


def _clean(aws: Aws, bucket: str, prefix: str, account: str) -> None:
    try:
        empty_bucket(aws, bucket, account, prefix=prefix)
    except AwsError as error:
        if error.code != "NoSuchBucket":
            raise
