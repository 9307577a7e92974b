"""What the upload service needs beyond its grants holds on paper and for real."""

from pathlib import Path

from keyhole.verify.identities import open_identities
from keyhole.verify.probe import Verdict, probe_claims
from keyhole.verify.rehearse import rehearse
from local_story import AccountFactory, blueprint_of, down, inventory, up

SPEC = Path(__file__).parents[1] / "golden" / "specs" / "uploads.toml"


def test_the_quarantine_and_the_callers_role_are_as_claimed(account: AccountFactory, tmp_path: Path) -> None:
    """All claims hold, on paper and tried; taken down, nothing stays."""
    aws = account("us-east-1")
    file = tmp_path / "keyhole.toml"
    key = 'kind = "access-key"\nhandover = { env_file = "api.env" }'
    file.write_text(SPEC.read_text("utf-8").replace('kind = "role"', key), "utf-8")
    app = blueprint_of(file)
    before = inventory(aws)
    assert [rehearsal.claim.id for rehearsal in rehearse(app) if not rehearsal.holds] == []
    assert {claim.who for claim in app.claims} == {"api", "anonymous", "private.callers"}
    assert up(aws, app).is_complete
    with open_identities(aws, app) as identities:
        probes = probe_claims(aws, app, identities)
    assert {probe.claim.id for probe in probes if probe.verdict is not Verdict.HOLDS} == set()
    assert {"uploads.private.incoming.write", "uploads.private.incoming.no-public-read"} <= {
        probe.claim.id for probe in probes
    }
    assert down(aws, app).is_complete
    assert inventory(aws) == before
