"""The picture of access says what the file grants, what the policies decide, and what was tried."""

from dataclasses import replace
from pathlib import Path

from service_client import ServiceClient
from service_fakes import make_settings_for_test

from keyhole.cli.last_probes import keep_probes, probes_file
from keyhole.naming import Scope
from keyhole.resources.managed_policy import ManagedPolicy
from keyhole.service.access import Access
from keyhole.service.operation import Operation
from keyhole.service.runtime import make_runtime
from keyhole.service.settings import Service
from keyhole.spec import load_spec
from keyhole.verify.picture import access_picture
from keyhole.verify.probe import Probe, Verdict
from local_story import blueprint_of

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_picture_has_every_grant_and_every_claim() -> None:
    """All workloads, buckets and claims of the file; each claim proved, and nothing more granted; none tried yet."""
    file = EXAMPLES / "ai-image-community" / "keyhole.toml"
    app = blueprint_of(file)
    picture = Access.model_validate(access_picture(load_spec(file), app))
    assert [(w.name, w.runs_as) for w in picture.workloads] == [("api", "role AIImageCommunityEC2Role")]
    assert [(g.bucket, g.prefix) for g in picture.workloads[0].grants] == [("images", "uploads/images/")]
    assert [(b.key, b.public_prefixes) for b in picture.buckets] == [("images", ["uploads/images/"])]
    assert [claim.id for claim in picture.claims] == [claim.id for claim in app.claims]
    assert all(claim.on_paper is not None and claim.on_paper.holds for claim in picture.claims)
    assert {proof.id for proof in picture.nothing_more} >= {"workload.api.nothing-more", "bucket.images.nobody-more"}
    assert all(proof.on_paper.holds for proof in picture.nothing_more)
    assert ({claim.probed for claim in picture.claims}, picture.probed_at) == ({None}, None)


def test_what_was_tried_is_in_it(tmp_path: Path) -> None:
    """The last probes of this app, environment and account, with AWS's sentence; those of another app are not."""
    spec_file = EXAMPLES / "ai-image-community" / "keyhole.toml"
    app = blueprint_of(spec_file)
    claim = app.claims[0]
    keep_probes(app.scope, [Probe(claim, Verdict.FAILS, "denied", "AWS said no")], is_local=True)
    file = probes_file(app.scope, is_local=True)
    other = Scope("other", "default", app.scope.account, app.scope.region)
    assert file not in {probes_file(app.scope, is_local=False), probes_file(other, is_local=True)}
    settings = make_settings_for_test()
    service = Service(settings.app, "api", {settings.name: settings}, {})
    operation = Operation(picture=access_picture(load_spec(spec_file), app), probes_file=file)
    client = ServiceClient(service=service, runtime=make_runtime(service, operation))
    shown = client.ask("GET", "/v1/access").json()
    probed = {found["id"]: found["probed"] for found in shown["claims"] if found["probed"]}
    assert probed == {claim.id: {"verdict": "fails", "got": "denied", "reason": "AWS said no"}}
    assert shown["probed_at"] is not None


def test_policies_that_aws_keeps_leave_paper_undecided() -> None:
    """Without AWS's own policies nothing is claimed to be decided."""
    file = EXAMPLES / "llmops" / "keyhole.toml"
    picture = access_picture(load_spec(file), blueprint_of(file))
    assert {claim["on_paper"] is None for claim in picture["claims"]} == {True}
    assert picture["nothing_more"] == []


def test_what_is_granted_beyond_the_file_is_shown_with_a_request(tmp_path: Path) -> None:
    """A policy that lets more through is no secret: the page names the request, and the statement that allows it."""
    file = EXAMPLES / "ai-image-community" / "keyhole.toml"
    app = blueprint_of(file)
    wider = {"Effect": "Allow", "Action": "s3:DeleteBucket", "Resource": "*"}
    resources = tuple(
        replace(resource, document={**resource.document, "Statement": [*resource.document["Statement"], wider]})
        if isinstance(resource, ManagedPolicy)
        else resource
        for resource in app.resources
    )
    picture = Access.model_validate(access_picture(load_spec(file), replace(app, resources=resources)))
    (broken,) = [proof for proof in picture.nothing_more if not proof.on_paper.holds]
    assert broken.id == "workload.api.nothing-more"
    assert "s3:DeleteBucket" in broken.on_paper.reason
