"""The issuer like GitHub Actions': jobs, their request tokens, and identity tokens with GitHub's claims."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from gate_errors import fetch
from joserfc import jwt
from joserfc.jwk import RSAKey
from memory_backend import Clock

from gate_clients import Aws
from keyhole.errors import KeyholeError
from keyhole.local.github_claims import ISSUER, JobError, WorkflowJob, read_job
from keyhole.local.github_issuer import GithubIssuer
from keyhole.local.github_job import request_job
from keyhole.local.server import LocalAws
from keyhole.local.state import LocalState, admin_token, read_state

JOB = WorkflowJob("acme/infra")
DOCS = Path(__file__).parents[2] / "docs" / "local-aws.md"


class Bench:
    """An issuer under a clock that is moved by hand."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.issuer = GithubIssuer(self.clock)

    def token(self, job: WorkflowJob = JOB, audience: str = "sts.amazonaws.com") -> jwt.Token:
        """An identity token of the job, verified by the issuer's keys."""
        granted = self.issuer.start_job(job)
        value = self.issuer.issue(granted.job_id, granted.request_token, audience)
        assert value is not None
        (key,) = self.issuer.public_keys()
        return jwt.decode(value, RSAKey.import_key(dict(key)), ["RS256"])  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def shared() -> Bench:
    """One key for all that only look at tokens: making one takes a while."""
    return Bench()


@pytest.mark.parametrize(
    ("job", "subject"),
    [
        ({}, "repo:acme/infra:ref:refs/heads/main"),
        ({"ref": "refs/tags/v1"}, "repo:acme/infra:ref:refs/tags/v1"),
        ({"environment": "prod"}, "repo:acme/infra:environment:prod"),
        ({"environment": "a:b c"}, "repo:acme/infra:environment:a%3Ab c"),
        ({"event_name": "pull_request"}, "repo:acme/infra:pull_request"),
        ({"event_name": "pull_request", "environment": "prod"}, "repo:acme/infra:environment:prod"),
        (
            {"use_immutable_subject": True, "repository_id": "456789", "repository_owner_id": "123456"},
            "repo:acme@123456/infra@456789:ref:refs/heads/main",
        ),
    ],
)
def test_the_subject_has_githubs_forms(job: dict[str, Any], subject: str) -> None:
    """An environment comes before a pull request, that before a ref; the ids stand by the names where asked for."""
    assert read_job({"repository": "acme/infra", **job}).claims()["sub"] == subject


def test_a_token_says_what_githubs_says(shared: Bench) -> None:
    """The claims are all there, under the header of an RS256 signature whose key is published."""
    token = shared.token()
    moment = int(shared.clock().timestamp())
    assert token.header == {"alg": "RS256", "typ": "JWT", "kid": shared.issuer.public_keys()[0]["kid"]}
    claims = token.claims
    assert (claims["iss"], claims["aud"], claims["iat"]) == (ISSUER, "sts.amazonaws.com", moment)
    assert (claims["nbf"], claims["exp"]) == (moment - 600, moment + 300)
    assert claims["repository"] == "acme/infra"
    assert claims["repository_owner"] == claims["job_workflow_ref"].partition("/")[0] == "acme"
    assert claims["job_workflow_ref"] == "acme/infra/.github/workflows/deploy.yml@refs/heads/main"
    assert (claims["ref"], claims["ref_type"], claims["event_name"]) == ("refs/heads/main", "branch", "push")
    assert (claims["head_ref"], claims["base_ref"], claims["runner_environment"]) == ("", "", "github-hosted")
    ids = ("repository_id", "repository_owner_id", "actor_id", "run_id", "run_number", "run_attempt")
    assert all(claims[name].isdecimal() for name in ids)
    assert {"actor", "workflow", "workflow_ref", "sha", "repository_visibility"} < set(claims)
    assert "environment" not in claims
    assert claims["jti"] != shared.token().claims["jti"]


def test_ids_follow_from_names() -> None:
    """The same repository has the same id in every job, another one another."""
    first, again, other = (WorkflowJob(name).claims() for name in ("acme/infra", "acme/infra", "acme/web"))
    assert first["repository_id"] == again["repository_id"] != other["repository_id"]
    assert first["repository_owner_id"] == other["repository_owner_id"]


def test_a_pull_request_has_its_merge_ref() -> None:
    """Its ref is that of the merge, and its branches are named."""
    claims = read_job({"repository": "acme/infra", "event_name": "pull_request"}).claims()
    assert (claims["ref"], claims["head_ref"], claims["base_ref"]) == ("refs/pull/1/merge", "topic", "main")


def test_without_an_audience_it_is_the_owners_url(shared: Bench) -> None:
    """GitHub's default audience is the URL of the repository's owner."""
    assert shared.token(audience="").claims["aud"] == "https://github.com/acme"


def test_a_request_token_is_good_for_its_job_and_six_hours() -> None:
    """Another job's token, a wrong one or none get nothing; nor does the right one after six hours, or the end."""
    bench = Bench()
    first, second = bench.issuer.start_job(JOB), bench.issuer.start_job(JOB)
    for token in (second.request_token, "", first.request_token[:-1]):
        assert bench.issuer.issue(first.job_id, token, "a") is None
    assert bench.issuer.issue("0" * 32, first.request_token, "a") is None
    assert bench.issuer.issue("0" * 32, "", "a") is None
    bench.clock.advance(hours=6, seconds=-1)
    assert bench.issuer.issue(first.job_id, first.request_token, "a") is not None
    bench.clock.advance(seconds=1)
    assert bench.issuer.issue(first.job_id, first.request_token, "a") is None
    third = bench.issuer.start_job(JOB)
    bench.issuer.forget_all()
    assert bench.issuer.issue(third.job_id, third.request_token, "a") is None
    assert third.request_token not in repr(third)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"repository": "acme"},
        {"repository": "acme/infra/x"},
        {"repository": "acme/infra\n"},
        {"repository": "acme/infra", "ref": "main"},
        {"repository": "acme/infra", "ref": "refs/heads/a b"},
        {"repository": "acme/infra", "environment": "a\0b"},
        {"repository": "acme/infra", "environment": "e" * 256},
        {"repository": "acme/infra", "repository_id": "x"},
        {"repository": "acme/infra", "use_immutable_subject": "yes"},
        {"repository": "acme/infra", "sub": "repo:other/infra:ref:refs/heads/main"},
        {"repository": ["acme/infra"]},
    ],
)
def test_what_github_would_not_run_is_no_job(document: dict[str, Any]) -> None:
    """Names, refs and ids have their forms, and what is not part of a job is refused: above all a subject."""
    with pytest.raises(JobError):
        read_job(document)


def start(aws: Aws, body: bytes = b'{"repository": "acme/infra"}', **headers: str) -> tuple[int, dict[str, Any]]:
    token = admin_token(state_of(aws.server).master)
    named = {"Authorization": f"Bearer {token}", **headers}
    status, answer, _ = fetch(f"{aws.url}/_keyhole/github/jobs", "POST", body, **named)
    return status, json.loads(answer)


def state_of(server: LocalAws) -> LocalState:
    state = read_state(server.port)
    assert state is not None
    return state


def test_discovery_leads_to_the_keys_of_the_tokens(aws: Aws) -> None:
    """Everyone on this machine may see the configuration and the public keys, which verify a job's tokens."""
    status, body, _ = fetch(f"{aws.url}/_keyhole/github/.well-known/openid-configuration")
    configuration = json.loads(body)
    assert (status, configuration["issuer"]) == (200, ISSUER)
    assert {"sub", "repository", "environment", "aud"} < set(configuration["claims_supported"])
    (key,) = json.loads(fetch(configuration["jwks_uri"])[1])["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}
    job = request_job(state_of(aws.server), "acme/infra", branch="dev")
    answer = fetch(f"{job.request_url}&audience=a", Authorization=f"Bearer {job.request_token}")[1]
    token = jwt.decode(json.loads(answer)["value"], RSAKey.import_key(key), ["RS256"])
    assert token.claims["sub"] == "repo:acme/infra:ref:refs/heads/dev"


def shown(language: str) -> str:
    """The block in this language that the documentation shows for a job."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", DOCS.read_text("utf-8"), re.M | re.S)
    return str(next(block for block in blocks if "request_job" in block or "ACTIONS_ID_TOKEN" in block))


def test_a_step_asks_as_the_documentation_shows(aws: Aws) -> None:
    """The Python that begins a job and the curl line of its step work as they are shown; a wrong token gets none."""
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("there is no curl")
    names: dict[str, Any] = {}
    exec(compile(shown("python").replace("4566", str(aws.server.port)), "docs", "exec"), names)
    environment = {**names["step"], "PATH": str(Path(curl).parent)}
    script = shown("sh")
    done = subprocess.run(["/bin/sh", "-c", script], env=environment, capture_output=True, timeout=20, check=True)
    answer = json.loads(done.stdout)
    assert answer["count"] == len(answer["value"])
    assert answer["value"].count(".") == 2
    wrong = {**environment, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "wrong"}
    refused = subprocess.run(["/bin/sh", "-c", script], env=wrong, capture_output=True, timeout=20, check=True)
    assert "value" not in json.loads(refused.stdout)


def test_jobs_are_for_who_has_the_state_file(aws: Aws) -> None:
    """Without the admin token nobody begins a job, and a page in a browser cannot even ask."""
    assert start(aws)[0] == 201
    assert start(aws, Authorization="Bearer x")[0] == 401
    assert start(aws, Origin="https://evil.example")[0] == 403
    assert start(aws, Host="evil.example")[0] == 403
    job = request_job(state_of(aws.server), "acme/infra")
    bearer = f"Bearer {job.request_token}"
    assert fetch(job.request_url, Authorization=bearer, Origin="https://evil.example")[0] == 403
    assert fetch(job.request_url)[0] == 401
    assert fetch(job.request_url, Authorization=f"Basic {job.request_token}")[0] == 401
    assert fetch(f"{job.request_url}&audience=a&audience=b", Authorization=bearer)[0] == 400
    assert fetch(f"{job.request_url}&audience={'a' * 2000}", Authorization=bearer)[0] == 400
    aws.server.reset()
    assert fetch(job.request_url, Authorization=bearer)[0] == 401


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[" * 9000, b"\xff", b'{"repository": "x"}', b"x" * 70_000])
def test_a_job_that_is_none_is_an_answer(aws: Aws, body: bytes) -> None:
    """Whatever is sent, the answer is a 4xx in JSON."""
    status, answer = start(aws, body)
    assert status in (400, 413)
    assert answer["error"]


def test_a_job_that_cannot_be_begun_is_told(aws: Aws) -> None:
    """The command line gets an error of ours, also where nobody listens."""
    state = state_of(aws.server)
    with pytest.raises(KeyholeError, match="`repository` is not `owner/name`"):
        request_job(state, "acme")
    gone = LocalState(state.pid, "http://127.0.0.1:9", 9, state.master)
    with pytest.raises(KeyholeError, match="does not answer"):
        request_job(gone, "acme/infra")
    assert request_job(state, "acme/infra", is_pull_request=True).request_token not in repr(
        request_job(state, "acme/infra")
    )
