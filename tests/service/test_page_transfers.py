"""Uploads straight to the bucket: in one request or in parts, cut off and continued, closed and restored, refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_site import Site, make_noise, open_site
from page_visit import Visit, require_page, visit_site
from playwright.sync_api import Browser, Route, expect
from service_images import make_png

from keyhole.local.server import LocalAws

_PART = re.compile(r"[?&]partNumber=(\d+)")
# What the page keeps of an upload for the case that it is closed.
_IS_KEPT = """async () => {
  const [{ name }] = await indexedDB.databases();
  const base = await new Promise((done) => {
    const opening = indexedDB.open(name);
    opening.onsuccess = () => done(opening.result);
  });
  const rows = await new Promise((done) => {
    const reading = base.transaction("metadata").objectStore("metadata").getAll();
    reading.onsuccess = () => done(reading.result);
  });
  base.close();
  return JSON.stringify(rows).includes("s3Multipart");
}"""


@pytest.fixture(scope="module")
def site(running_local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The service and its bucket."""
    require_page()
    with open_site(running_local_aws, tmp_path_factory.mktemp("site")) as opened:
        yield opened


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visit]:
    """The page, where images go straight to an empty bucket."""
    site.empty()
    with visit_site(browser, site) as opened:
        opened.go_to("direct")
        yield opened


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image of three parts: two of 5 MiB, and the rest."""
    file = tmp_path_factory.mktemp("images") / "large.png"
    file.write_bytes(make_noise(2200, 2000))
    return file


class Wire:
    """The way of the parts to the bucket: counts them, and holds back those that it is told to."""

    def __init__(self, visit: Visit, hold: int) -> None:
        self.sent: Counter[int] = Counter()
        self._hold = hold
        self._held: list[Route] = []
        self._visit = visit
        visit.context.route(_PART, self._pass)

    def _pass(self, route: Route) -> None:
        if route.request.method != "PUT":  # the browser's question whether it may
            route.continue_()
            return
        number = int(_PART.search(route.request.url)[1])  # type: ignore[index]  # routed by this pattern
        if number == self._hold:
            self._held.append(route)
            return
        self.sent[number] += 1
        route.continue_()

    def wait(self) -> None:
        """Wait until the part that is held back is on its way."""
        while not self._held:
            self._visit.page.wait_for_timeout(20)

    def let_go(self) -> None:
        """Hold nothing back any more; what was held back is lost."""
        self._hold = 0
        for route in self._held:
            route.abort("internetdisconnected")


def _has_arrived(visit: Visit, large: Path) -> bool:
    (key,) = visit.site.images("direct/")
    body = visit.site.s3.get_object(Bucket=visit.site.bucket, Key=key)["Body"]
    with body:
        return len(body.read()) >= large.stat().st_size - 100  # metadata may have been taken out


def test_a_small_image_goes_in_one_request_and_is_promoted(visit: Visit) -> None:
    """The bytes go to the bucket, never through the service; quarantine is empty afterwards."""
    posted: list[str] = []
    visit.page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    visit.choose(("small.png", make_png(64, 48)))
    expect(visit.tiles.get_by_role("img", name="small.png")).to_have_js_property("naturalWidth", 64)
    assert len(visit.site.images("direct/")) == 1
    assert visit.site.keys("incoming/") == []
    assert sum(url.startswith(visit.site.local.url) for url in posted) == 1
    assert not any("/v1/uploads" in url for url in posted)
    assert visit.errors == []


def test_a_large_image_goes_in_parts(visit: Visit, large: Path) -> None:
    """Each part goes once; what they make is checked, promoted, and whole."""
    wire = Wire(visit, hold=0)
    visit.choose_path(large)
    expect(visit.tiles.get_by_role("img", name="large.png")).to_be_visible(timeout=30_000)
    assert wire.sent == {1: 1, 2: 1, 3: 1}
    assert _has_arrived(visit, large)
    assert visit.site.keys("incoming/") == []
    assert visit.site.unfinished() == []
    assert visit.errors == []


def test_a_cut_connection_does_not_start_an_upload_anew(visit: Visit, large: Path) -> None:
    """Cut off after the first part, the page says so; back online it goes on by itself with the second."""
    wire = Wire(visit, hold=2)
    visit.choose_path(large)
    wire.wait()
    visit.context.set_offline(True)
    wire.let_go()
    expect(visit.notices).to_contain_text("The upload continues where it stopped")
    assert visit.site.images("direct/") == []
    assert len(visit.site.unfinished()) == 1
    visit.context.set_offline(False)
    expect(visit.tiles.get_by_role("img", name="large.png")).to_be_visible(timeout=30_000)
    expect(visit.notices).to_have_count(0)
    assert wire.sent == {1: 1, 2: 1, 3: 1}
    assert _has_arrived(visit, large)
    assert visit.errors == []


def test_a_closed_page_gives_an_upload_back(visit: Visit, large: Path) -> None:
    """Reloaded in the middle, the page still has the file, and goes on with the second part when told to."""
    page = visit.page
    wire = Wire(visit, hold=2)
    visit.choose_path(large)
    wire.wait()
    page.wait_for_function(_IS_KEPT)
    page.reload()
    wire.let_go()
    expect(visit.panel.get_by_text("Session restored")).to_be_visible()
    visit.panel.get_by_role("button", name="Upload 1 file").click()
    expect(visit.tiles.get_by_role("img", name="large.png")).to_be_visible(timeout=30_000)
    assert wire.sent == {1: 1, 2: 1, 3: 1}
    assert _has_arrived(visit, large)
    assert visit.errors == []


def test_an_upload_pauses_and_resumes(visit: Visit, large: Path) -> None:
    """Paused, nothing more goes out; resumed, it ends well, without a part that was there already."""
    wire = Wire(visit, hold=2)
    visit.choose_path(large)
    wire.wait()
    visit.panel.get_by_role("button", name="Pause", exact=True).click()
    wire.let_go()
    expect(visit.panel.get_by_text("Paused").first).to_be_visible()
    assert wire.sent == {1: 1}
    visit.panel.get_by_role("button", name="Resume", exact=True).click()
    expect(visit.tiles.get_by_role("img", name="large.png")).to_be_visible(timeout=30_000)
    assert wire.sent == {1: 1, 2: 1, 3: 1}


def test_a_cancelled_upload_leaves_nothing(visit: Visit, large: Path) -> None:
    """The parts that had arrived are thrown away."""
    wire = Wire(visit, hold=2)
    visit.choose_path(large)
    wire.wait()
    assert len(visit.site.unfinished()) == 1
    with visit.page.expect_response(lambda answer: answer.request.method == "DELETE"):
        visit.panel.get_by_role("button", name="Cancel", exact=True).first.click()
    wire.let_go()
    assert visit.site.unfinished() == []
    assert visit.site.keys() == []


@pytest.mark.parametrize("size", [100, 12_000_000])
def test_what_is_refused_in_quarantine_is_gone(visit: Visit, size: int) -> None:
    """What came to the bucket and is no image is refused in the service's words, in one request or in parts."""
    visit.choose(("fake.png", b"%PDF-1.7 ".ljust(size)))
    expect(visit.notices).to_contain_text("The file is application/pdf.")
    expect(visit.notices.get_by_role("button", name="Try again")).to_have_count(0)
    expect(visit.tiles).to_have_count(0)
    assert visit.site.keys() == []
    assert visit.site.unfinished() == []
    assert visit.errors == []


def test_parts_that_are_gone_are_sent_again(visit: Visit, large: Path) -> None:
    """Where the bucket no longer has what had arrived, the upload begins anew instead of failing for ever."""
    wire = Wire(visit, hold=2)
    visit.choose_path(large)
    wire.wait()
    visit.context.set_offline(True)
    wire.let_go()
    expect(visit.notices).to_have_count(1)
    visit.site.empty()
    visit.context.set_offline(False)
    expect(visit.tiles.get_by_role("img", name="large.png")).to_be_visible(timeout=30_000)
    assert wire.sent == {1: 2, 2: 1, 3: 1}


def test_an_upload_goes_on_while_another_page_is_looked_at(visit: Visit, large: Path) -> None:
    """To the access page and back is no leaving."""
    wire = Wire(visit, hold=2)
    visit.choose_path(large)
    wire.wait()
    visit.page.get_by_role("link", name="Access").click()
    expect(visit.page.get_by_role("heading", name="What gallery may do")).to_be_visible()
    wire.let_go()
    visit.page.get_by_role("link", name="Images").click()
    expect(visit.tiles.get_by_role("img", name="large.png")).to_be_visible(timeout=30_000)
    assert wire.sent == {1: 1, 2: 1, 3: 1}
