"""The credentials of each workload, taken the way the workload takes them, and of a stranger, who has none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from keyhole.aws.client import BotocoreAws, Credentials
from keyhole.aws.container_credentials import fetch_container_credentials, run_local_task
from keyhole.aws.imds import AWS_ENDPOINT, fetch_instance_credentials, find_local_imds
from keyhole.aws.port import Aws
from keyhole.blueprint import ANONYMOUS, GITHUB_JOB, Blueprint, Claim
from keyhole.blueprint.workloads import holder_arn, workload_names
from keyhole.errors import AwsError, KeyholeError
from keyhole.resources import instance_attachment
from keyhole.resources.access_key import AccessKey, read_credentials
from keyhole.spec.model import AccessKeyWorkload, Ec2Workload, EcsWorkload, GithubActionsWorkload, RoleWorkload
from keyhole.verify.github_tokens import WantedToken, own_token, read_claim
from keyhole.verify.stand_ins import make_access_key, make_trusted_caller, run_instance

SESSION_NAME = "keyhole-verify"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a probe runs as. `aws` is None where these credentials cannot be had from here; `why_not` says why.

    `job_token` gives the token that a claim speaks of, to whoever is tried with one.
    """

    who: str
    aws: Aws | None
    source: str = ""
    why_not: str = ""
    job_token: Callable[[Claim], str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LocalDoor:
    """What only the owner of a local AWS can ask of it: to run a task, and to issue the token of a GitHub job."""

    admin_token: str = field(repr=False)
    job_token: Callable[[WantedToken], str] = field(repr=False)


@contextmanager
def open_identities(aws: Aws, blueprint: Blueprint, door: LocalDoor | None = None) -> Iterator[dict[str, Identity]]:
    """Give the identity of every workload and of a stranger; what is made for them is deleted in the end.

    `aws` are the operator's credentials; `door` is None where they are for AWS itself.
    """
    stranger = BotocoreAws(aws.region, anonymous=True, endpoint_url=aws.endpoint_url)
    identities = {ANONYMOUS: Identity(ANONYMOUS, stranger, "unsigned requests")}
    if any(claim.who == GITHUB_JOB for claim in blueprint.claims):
        identities[GITHUB_JOB] = _any_job(stranger, door)
    with ExitStack() as stack:
        for key in blueprint.app.workloads:
            try:
                identities[key] = _Taker(aws, blueprint, key, door, stack).take()
            except KeyholeError as error:
                why_not = f"{error.message} ({error.hint})" if error.hint else str(error)
                identities[key] = Identity(key, None, why_not=why_not)
        yield identities


def _any_job(stranger: Aws, door: LocalDoor | None) -> Identity:
    if door is None:
        why_not = "only GitHub gives out tokens for its jobs: the trust policies are decided on paper alone"
        return Identity(GITHUB_JOB, None, why_not=why_not)
    source = "for each claim a token of such a job, from the local AWS's issuer"
    job_token = door.job_token
    return Identity(GITHUB_JOB, stranger, source, job_token=lambda claim: job_token(read_claim(claim)))


def imds_endpoint(aws: Aws, blueprint: Blueprint, key: str, hops: int = 1) -> str:
    """Give where the instance of an ec2 workload finds its metadata: its own address in a local AWS.

    Raises: KeyholeError if the local AWS has no such instance, AwsError.
    """
    workload = blueprint.app.workloads[key]
    if not aws.endpoint_url or not isinstance(workload, Ec2Workload):
        return os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or AWS_ENDPOINT
    if not workload.instance:
        raise KeyholeError(f"workload `{key}` names no instance", hint="set `instance` in the file")
    have = instance_attachment.read(aws, blueprint.scope, workload.instance)
    if have is None:
        raise KeyholeError(
            f"there is no instance `{workload.instance}` in {aws.region}",
            hint=f"run one: `keyhole local instance {workload.instance} --region {aws.region}`",
        )
    return local_imds(aws, have.name, hops)


def local_imds(aws: Aws, instance_id: str, hops: int = 1) -> str:
    """Give where a local AWS serves the metadata of this instance. Raises: KeyholeError if it does not."""
    endpoint = find_local_imds(aws.endpoint_url, instance_id, hops)
    if not endpoint:
        raise KeyholeError(f"{aws.endpoint_url} serves no instance metadata", hint="use `keyhole local start`")
    return endpoint


@dataclass(frozen=True, slots=True)
class _Taker:
    """Takes the credentials of one workload; `stack` ends what has to last as long as they are used."""

    aws: Aws
    blueprint: Blueprint
    key: str
    door: LocalDoor | None
    stack: ExitStack

    def take(self) -> Identity:
        match self.blueprint.app.workloads[self.key]:
            case Ec2Workload() as workload:
                return self._of_instance(workload)
            case EcsWorkload():
                return self._of_task()
            case RoleWorkload(trusted=trusted):
                return self._of_role(trusted)
            case AccessKeyWorkload():
                return self._of_user()
            case GithubActionsWorkload() as workload:
                return self._of_job(workload)

    def _of_instance(self, workload: Ec2Workload) -> Identity:
        if workload.instance or self.door is None:
            endpoint = imds_endpoint(self.aws, self.blueprint, self.key)
        else:
            instance_id = self.stack.enter_context(run_instance(self.aws, self.blueprint, self.key))
            endpoint = local_imds(self.aws, instance_id)
        found = fetch_instance_credentials(endpoint)
        if not found.credentials.session_token:
            raise AwsError(
                "instance metadata gave a key that never expires", code="NotTemporary", operation="GetInstance"
            )
        source = f"instance metadata at {endpoint}, role {found.role_name}, until {found.expires}"
        return self._identity(found.credentials, source)

    def _of_task(self) -> Identity:
        if self.door is None:
            return self._unknown("only a task on ECS has the credentials of its role")
        scope = self.blueprint.scope
        # The credentials live on when the task has ended.
        with run_local_task(
            self.aws.endpoint_url,
            self.door.admin_token,
            account=scope.account,
            region=scope.region,
            task_role_arn=self._holder_arn(),
        ) as task:
            found = fetch_container_credentials(task.full_uri, task.token)
        return self._identity(found.credentials, f"container agent, {found.role_arn}, until {found.expires}")

    def _of_role(self, trusted: list[str]) -> Identity:
        arn = self._holder_arn()
        params = {"RoleArn": arn, "RoleSessionName": SESSION_NAME}
        if self.door is None:
            return self._session(self.aws.call("sts", "AssumeRole", **params), "assumed by you")
        with make_trusted_caller(self.aws, self.blueprint.scope.account, arn, trusted) as credentials:
            caller = self._connect(credentials)
            return self._session(caller.call("sts", "AssumeRole", **params), "assumed by a user whom it trusts")

    def _of_user(self) -> Identity:
        names = workload_names(self.blueprint.app, self.key, self.blueprint.scope.account)
        for want in self.blueprint.resources:
            if isinstance(want, AccessKey) and want.name == names.user:
                handed_over = read_credentials(self.aws, want)
                if handed_over is not None:
                    source = f"access key {handed_over.access_key_id} of user {names.user}, as it is handed over"
                    return self._identity(handed_over, source)
        if self.door is None:
            return self._unknown("its access key is where the workload runs, and nowhere else")
        credentials = self.stack.enter_context(make_access_key(self.aws, names.user))
        return self._identity(credentials, f"access key of user {names.user}, made for this run")

    def _of_job(self, workload: GithubActionsWorkload) -> Identity:
        if self.door is None:
            return self._unknown("only a job on GitHub has the token for its role")
        stranger = BotocoreAws(self.aws.region, anonymous=True, endpoint_url=self.aws.endpoint_url)
        arn = self._holder_arn()
        answer = stranger.call(
            "sts",
            "AssumeRoleWithWebIdentity",
            RoleArn=arn,
            RoleSessionName=SESSION_NAME,
            WebIdentityToken=self.door.job_token(own_token(self.blueprint, arn)),
        )
        return self._session(answer, f"token of a job of {workload.repository}")

    def _holder_arn(self) -> str:
        return holder_arn(self.blueprint.app, self.key, self.blueprint.scope)

    def _connect(self, credentials: Credentials) -> BotocoreAws:
        return BotocoreAws(self.aws.region, credentials=credentials, endpoint_url=self.aws.endpoint_url)

    def _identity(self, credentials: Credentials, source: str) -> Identity:
        return Identity(self.key, self._connect(credentials), source)

    def _session(self, answer: dict[str, dict[str, str]], source: str) -> Identity:
        found = answer["Credentials"]
        credentials = Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
        # A moment in UTC, written as the metadata services write it.
        until = str(found["Expiration"]).replace(" ", "T").replace("+00:00", "Z")
        return self._identity(credentials, f"{source}, until {until}")

    def _unknown(self, why_not: str) -> Identity:
        return Identity(self.key, None, why_not=why_not)
