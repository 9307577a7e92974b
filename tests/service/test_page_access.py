"""The access page: who reaches what as a picture and as a table, and every claim with how it is known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from page_site import Site, open_site
from page_visit import Visit, require_page, visit_site
from playwright.sync_api import Browser, expect

from keyhole.local.server import LocalAws

_FAILED = "api can s3:PutObject on arn:aws:s3:::gallery-pictures-123456789012/open/*"


@pytest.fixture(scope="module")
def site(running_local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The service, where one claim was tried and did not hold."""
    require_page()
    with open_site(running_local_aws, tmp_path_factory.mktemp("site"), has_probes=True) as opened:
        yield opened


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visit]:
    """The access page, opened by its own address."""
    with visit_site(browser, site, "/access") as opened:
        expect(opened.page.get_by_role("heading", name="What gallery may do")).to_be_visible()
        yield opened


def test_the_picture_has_a_line_for_each_grant(visit: Visit) -> None:
    """The workload's two, and the strangers' one to what is public."""
    page = visit.page
    picture = page.get_by_role("img", name="Who reaches what")
    expect(picture).to_be_visible()
    expect(page.locator(".picture .link")).to_have_count(3)
    expect(page.locator(".picture .link.strangers")).to_have_count(1)
    expect(page.locator(".picture .who.strangers")).to_contain_text("read")
    expect(page.locator(".picture .bucket")).to_contain_text("gallery-pictures-123456789012")
    assert page.title() == "Access · gallery"
    assert visit.errors == []


def test_the_table_says_the_same_in_words(visit: Visit) -> None:
    """For those who do not see the picture."""
    visit.page.get_by_text("The same as a table").click()
    rows = visit.page.locator("#access-table tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.filter(has_text="direct/*")).to_contain_text("read, write, delete, list")
    expect(rows.filter(has_text="Strangers")).to_contain_text("read")


def test_choosing_someone_shows_their_lines_and_claims(visit: Visit) -> None:
    """By the button or in the picture itself; chosen again there, all are back."""
    page = visit.page
    claims = page.locator(".claim:not(.proof)")
    everything = claims.count()
    page.get_by_role("button", name="Strangers").click()
    expect(page.get_by_role("button", name="Strangers")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".picture .link:not(.dim)")).to_have_count(1)
    shown = claims.count()
    assert 0 < shown < everything
    expect(claims.filter(has_text="anyone on the web")).to_have_count(shown)
    page.locator(".picture .who.strangers").click()
    expect(claims).to_have_count(everything)


def test_claims_are_found(visit: Visit) -> None:
    """By words, by what they say, and by whether they hold; the count is told."""
    page = visit.page
    claims = page.locator(".claim:not(.proof)")
    everything = claims.count()
    page.get_by_label("Find in claims").fill("deletebucket CANNOT")
    expect(claims).to_have_count(1)
    expect(page.locator("output")).to_have_text(f"1 of {everything} claims")
    page.get_by_label("Find in claims").fill("no such words")
    expect(page.get_by_text("No claim matches.")).to_be_visible()
    page.get_by_label("Find in claims").fill("")
    page.get_by_role("combobox", name="Show").select_option("can")
    expect(claims.locator(".expected.cannot")).to_have_count(0)
    assert 0 < claims.count() < everything
    page.get_by_role("combobox", name="Show").select_option("broken")
    expect(claims).to_have_count(1)
    expect(claims).to_contain_text(_FAILED)


def test_a_claim_tells_why_and_what_aws_said(visit: Visit) -> None:
    """Opened, it has the reason on paper, and the answer to the attempt; the summary counts it as not holding."""
    page = visit.page
    expect(page.get_by_text("claims does not hold. Last tried Nov 20, 2026")).to_be_visible()
    claim = page.locator(".claim", has_text=_FAILED)
    expect(claim.get_by_text("Tried: does not hold")).to_be_attached()
    claim.locator("summary").click()
    expect(claim).to_contain_text("the file grants `write` under open/ of pictures")
    expect(claim).to_contain_text("allows it")
    expect(claim).to_contain_text("denied: AWS's own sentence")


def test_what_is_proved_beyond_the_claims_is_listed(visit: Visit) -> None:
    """Of each workload, bucket and role: nothing is granted that the file does not ask for."""
    page = visit.page
    listed = page.get_by_role("region", name="And nothing more")
    proofs = listed.get_by_role("listitem")
    expect(proofs).to_have_count(4)
    expect(listed.get_by_text("Proved: holds")).to_have_count(4)
    listed.get_by_text("nobody reaches bucket pictures without TLS").click()
    expect(listed.get_by_text("the bucket takes requests over TLS alone")).to_be_visible()


def test_what_cannot_be_read_can_be_tried_again(browser: Browser, site: Site) -> None:
    """The service's reason is told."""
    with visit_site(browser, site) as visit:
        page = visit.page
        page.route("**/v1/access", lambda route: route.fulfill(status=404, body='{"detail": "there is no picture"}'))
        page.get_by_role("link", name="Access").click()
        expect(page.get_by_role("alert")).to_contain_text("There is no picture.")
        page.unroute("**/v1/access")
        page.get_by_role("button", name="Try again").click()
        expect(page.locator(".claim:not(.proof)").first).to_be_visible()
        page.go_back()
        expect(page.get_by_role("heading", name="Upload images")).to_be_visible()
