"""The picture of access says what the file grants, what the policies decide, and what was tried."""

from pathlib import Path

from service_client import ServiceClient
from service_fakes import make_settings_for_test

from keyhole.cli.last_probes import keep_probes, probes_file
from keyhole.naming import Scope
from keyhole.service.access import Access
from keyhole.service.operation import Operation
from keyhole.service.runtime import make_runtime
from keyhole.service.settings import Service
from keyhole.verify.picture import access_picture
from keyhole.verify.probe import Probe, Verdict
from local_story import blueprint_of

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_picture_has_every_grant_and_every_claim() -> None:
    """All workloads, buckets and claims of the file; each claim decided on paper, none tried yet."""
    app = blueprint_of(EXAMPLES / "ai-image-community" / "keyhole.toml")
    picture = Access.model_validate(access_picture(app))
    assert [(w.name, w.runs_as) for w in picture.workloads] == [("api", "role AIImageCommunityEC2Role")]
    assert [(g.bucket, g.prefix) for g in picture.workloads[0].grants] == [("images", "uploads/images/")]
    assert [(b.key, b.public_prefixes) for b in picture.buckets] == [("images", ["uploads/images/"])]
    assert [claim.id for claim in picture.claims] == [claim.id for claim in app.claims]
    assert all(claim.on_paper is not None and claim.on_paper.holds for claim in picture.claims)
    assert ({claim.probed for claim in picture.claims}, picture.probed_at) == ({None}, None)


def test_what_was_tried_is_in_it(tmp_path: Path) -> None:
    """The last probes of this app, environment and account, with AWS's sentence; those of another app are not."""
    app = blueprint_of(EXAMPLES / "ai-image-community" / "keyhole.toml")
    claim = app.claims[0]
    keep_probes(app.scope, [Probe(claim, Verdict.FAILS, "denied", "AWS said no")], is_local=True)
    file = probes_file(app.scope, is_local=True)
    other = Scope("other", "default", app.scope.account, app.scope.region)
    assert file not in {probes_file(app.scope, is_local=False), probes_file(other, is_local=True)}
    settings = make_settings_for_test()
    service = Service(settings.app, "api", {settings.name: settings}, {})
    operation = Operation(picture=access_picture(app), probes_file=file)
    client = ServiceClient(service=service, runtime=make_runtime(service, operation))
    shown = client.ask("GET", "/v1/access").json()
    probed = {found["id"]: found["probed"] for found in shown["claims"] if found["probed"]}
    assert probed == {claim.id: {"verdict": "fails", "got": "denied", "reason": "AWS said no"}}
    assert shown["probed_at"] is not None


def test_policies_that_aws_keeps_leave_paper_undecided() -> None:
    """Without AWS's own policies nothing is claimed to be decided."""
    picture = access_picture(blueprint_of(EXAMPLES / "llmops" / "keyhole.toml"))
    assert {claim["on_paper"] is None for claim in picture["claims"]} == {True}
