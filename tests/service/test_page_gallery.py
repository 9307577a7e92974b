"""The gallery: newest first, links, downloads, deletion with a while to think better of it, and what goes wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from page_site import Site, open_site
from page_visit import Visit, require_page, visit_site
from playwright.sync_api import Browser, expect
from service_images import make_png

from keyhole.local.server import LocalAws
from keyhole.service.keys import make_key, make_name

_PROBLEM = '{"type": "urn:keyhole:problem:store-unavailable", "detail": "the store is away", "hint": "try again"}'


@pytest.fixture(scope="module")
def site(running_local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The service and its bucket."""
    require_page()
    with open_site(running_local_aws, tmp_path_factory.mktemp("site")) as opened:
        yield opened


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visit]:
    """The page over a bucket that holds nothing yet."""
    site.empty()
    with visit_site(browser, site) as opened:
        yield opened


def _upload(visit: Visit, name: str) -> None:
    visit.drop(name, make_png(8, 8))
    expect(visit.tiles.get_by_role("img", name=name)).to_be_visible()


def _fill(site: Site, count: int) -> list[str]:
    """Put images into the bucket as if uploaded one after another; gives their keys, newest first."""
    began = 1_700_000_000_000
    names = [make_name(now_ms=began + 1000 * number) for number in range(count)]
    keys = [make_key("open/", "image/png", name=name) for name in names]
    for key in keys:
        site.s3.put_object(Bucket=site.bucket, Key=key, Body=make_png(8, 8), ContentType="image/png")
    return keys[::-1]


def test_an_image_is_deleted_after_a_while(visit: Visit) -> None:
    """Undo is offered where the hand is; when the time is over, image and thumbnail are gone."""
    visit.page.clock.install()
    _upload(visit, "old.png")
    visit.tiles.get_by_role("button", name="Delete: old.png").click()
    expect(visit.tiles.get_by_role("button", name="Undo: keep old.png")).to_be_focused()
    expect(visit.page.locator("#announcer")).to_have_text("old.png will be deleted. Undo is the next button.")
    assert len(visit.site.images("open/")) == 1
    visit.page.clock.run_for(6000)
    expect(visit.tiles).to_have_count(0)
    expect(visit.page.get_by_text("Nothing here yet")).to_be_visible()
    assert visit.site.keys() == []
    assert visit.errors == []


def test_delete_can_be_undone(visit: Visit) -> None:
    """Undo in time keeps the image: the service is not asked to delete anything, also not later."""
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.method))
    visit.page.clock.install()
    _upload(visit, "kept.png")
    visit.tiles.get_by_role("button", name="Delete").click()
    visit.tiles.get_by_role("button", name="Undo").click()
    expect(visit.tiles.get_by_role("img", name="kept.png")).to_be_visible()
    expect(visit.tiles.get_by_role("button", name="Delete")).to_be_focused()
    visit.page.clock.run_for(60_000)
    expect(visit.tiles).to_have_count(1)
    assert "DELETE" not in asked
    assert len(visit.site.images("open/")) == 1


def test_leaving_the_page_ends_the_time_for_second_thoughts(visit: Visit) -> None:
    """What was deleted is deleted, though the page was closed before the time was over."""
    _upload(visit, "gone.png")
    visit.tiles.get_by_role("button", name="Delete").click()
    visit.page.reload()
    expect(visit.page.get_by_text("Nothing here yet")).to_be_visible()
    visit.site.wait_for_none()


def test_a_deletion_that_fails_brings_the_image_back(visit: Visit) -> None:
    """It says why, and can be tried again."""
    _upload(visit, "stays.png")
    visit.page.route("**/v1/uploads/open/**", lambda route: route.fulfill(status=503, body=_PROBLEM))
    visit.page.clock.install()
    visit.tiles.get_by_role("button", name="Delete").click()
    visit.page.clock.run_for(10_000)
    expect(visit.tiles).to_contain_text("Not deleted. The store is away. Try again.")
    expect(visit.tiles.get_by_role("button", name="Delete")).to_be_visible()
    assert len(visit.site.images("open/")) == 1


def test_a_public_link_is_copied(visit: Visit) -> None:
    """The button puts the image's URL on the clipboard and says so."""
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    _upload(visit, "a.png")
    visit.page.get_by_role("button", name="Copy link").click()
    expect(visit.page.get_by_text("Copied", exact=True)).to_be_visible()
    (key,) = visit.site.images("open/")
    assert str(visit.page.evaluate("navigator.clipboard.readText()")).endswith(f"/{visit.site.bucket}/{key}")


def test_a_private_link_is_signed_when_it_is_copied(visit: Visit) -> None:
    """It works for whoever has it, and the page says until when."""
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.go_to("direct")
    _upload(visit, "secret.png")
    visit.page.get_by_role("button", name="Copy link: secret.png").click()
    expect(visit.page.locator("#announcer")).to_have_text(re.compile(r"The link is copied\. It works until \d+:\d\d"))
    link = str(visit.page.evaluate("navigator.clipboard.readText()"))
    with urlopen(link, timeout=10) as answer:
        assert answer.headers["Content-Type"] == "image/png"
    assert "X-Amz-Signature" in link


def test_an_image_is_downloaded_under_its_name(visit: Visit, tmp_path: Path) -> None:
    """The browser saves it, and stays on the page."""
    _upload(visit, "고양이.png")
    with visit.page.expect_download() as saved:
        visit.page.get_by_role("button", name="Download").click()
    assert saved.value.suggested_filename == "고양이.png"
    saved.value.save_as(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes().startswith(b"\x89PNG")
    expect(visit.tiles).to_have_count(1)


def test_older_images_come_on_demand(visit: Visit) -> None:
    """Newest first; beyond a page of 24 a button brings the rest, moves the focus to them, and goes away."""
    keys = _fill(visit.site, 30)
    visit.page.reload()
    expect(visit.tiles).to_have_count(24)
    expect(visit.tiles.first.get_by_role("link")).to_have_attribute("href", re.compile(keys[0]))
    visit.page.get_by_role("button", name="Show older images").click()
    expect(visit.tiles).to_have_count(30)
    expect(visit.tiles.nth(24).get_by_role("link")).to_be_focused()
    expect(visit.tiles.last.get_by_role("link")).to_have_attribute("href", re.compile(keys[-1]))
    expect(visit.page.get_by_role("button", name="Show older images")).to_be_hidden()


def test_a_list_that_fails_can_be_tried_again(visit: Visit) -> None:
    """The page says why it cannot list, and lists when it can."""
    page = visit.page
    page.route("**/v1/uploads?*", lambda route: route.fulfill(status=503, body=_PROBLEM))
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("The images cannot be listed.")
    expect(page.get_by_role("alert")).to_contain_text("The store is away.")
    expect(page.get_by_text("Nothing here yet")).to_be_hidden()
    page.unroute("**/v1/uploads?*")
    page.get_by_role("alert").get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_images_are_loaded_as_they_are_reached(visit: Visit) -> None:
    """Far below the fold nothing is fetched until somebody scrolls there."""
    _fill(visit.site, 24)
    visit.page.set_viewport_size({"width": 360, "height": 400})
    visit.page.reload()
    expect(visit.tiles).to_have_count(24)
    last = visit.tiles.last.get_by_role("img")
    expect(last).to_have_attribute("loading", "lazy")
    expect(last).to_have_js_property("naturalWidth", 0)
    last.scroll_into_view_if_needed()
    expect(last).to_have_js_property("naturalWidth", 8)
    assert visit.errors == []


def test_an_image_without_its_thumbnail_still_shows(visit: Visit) -> None:
    """The image itself stands in; where that is gone too, the tile says so."""
    (key,) = _fill(visit.site, 1)
    visit.page.reload()
    expect(visit.tiles.get_by_role("img")).to_have_js_property("naturalWidth", 8)
    visit.site.s3.put_object(Bucket=visit.site.bucket, Key=key, Body=b"no image", ContentType="image/png")
    visit.page.reload()
    expect(visit.tiles).to_contain_text("This image cannot be shown")
