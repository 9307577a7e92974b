"""The page, in a real browser: images go up by picker, drop, paste and camera, and what is refused says why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from page_site import Site, open_site
from page_visit import Visit, require_page, visit_site
from playwright.sync_api import Browser, expect
from service_images import make_png

from keyhole.local.server import LocalAws

_TILE = 256
"""The width of a loaded thumbnail as the browser tells it: that which the page says it is shown at."""


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


def test_an_image_goes_up_and_shows(visit: Visit) -> None:
    """Chosen, it is stored with its thumbnail, which is really shown; it is there after a reload."""
    page = visit.page
    expect(page).to_have_title("gallery")
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    expect(page.get_by_text("PNG, JPEG, GIF, or WebP, up to 977 KiB each · Public")).to_be_visible()
    visit.choose(("my cat.png", make_png(640, 400)))
    expect(visit.tiles).to_have_count(1)
    expect(page.get_by_text("Nothing here yet")).to_be_hidden()
    image = visit.tiles.get_by_role("img", name="my cat.png")
    expect(image).to_have_js_property("naturalWidth", _TILE)
    expect(image).to_have_attribute("src", re.compile(r"/thumbnails/320/\w+\.webp$"))
    (key,) = visit.site.images("open/")
    assert visit.site.keys("open/thumbnails/320/") == [f"open/thumbnails/320/{Path(key).stem}.webp"]
    expect(visit.tiles.get_by_role("link")).to_have_attribute("href", re.compile(f"/{key}$"))
    expect(page.locator("#announcer")).to_have_text("my cat.png is uploaded.")
    # The queue empties itself.
    expect(visit.panel.get_by_text("Drop or paste images here")).to_be_visible(timeout=15_000)
    page.reload()
    expect(visit.tiles.get_by_role("img")).to_have_js_property("naturalWidth", _TILE)
    assert visit.errors == []


def test_several_images_go_up_at_once(visit: Visit) -> None:
    """All of them arrive, each once."""
    visit.choose(*((f"{number}.png", make_png(8 + number, 8)) for number in range(5)))
    expect(visit.tiles).to_have_count(5)
    assert len(visit.site.images("open/")) == 5
    assert visit.errors == []


@pytest.mark.parametrize("where", [".gallery h2", ".uppy-Dashboard-AddFiles"])
def test_an_image_is_dropped_anywhere(visit: Visit, where: str) -> None:
    """In the panel, and beside it."""
    visit.drop("dropped.png", make_png(8, 8), where)
    expect(visit.tiles.get_by_role("img", name="dropped.png")).to_be_visible()
    assert len(visit.site.images("open/")) == 1
    assert visit.errors == []


def test_a_pasted_image_is_uploaded(visit: Visit) -> None:
    """Pasting works anywhere on the page."""
    visit.paste("pasted.png", make_png(8, 8))
    expect(visit.tiles.get_by_role("img", name="pasted.png")).to_be_visible()
    assert visit.errors == []


def test_a_picture_is_taken_with_the_camera(visit: Visit) -> None:
    """The camera's own code is loaded once there is one; the picture is an image like any other."""
    visit.context.grant_permissions(["camera"])
    visit.panel.get_by_role("tab", name="Camera").click()
    visit.page.get_by_role("button", name="Take a picture").click()
    visit.page.get_by_role("button", name="Upload this picture").click()
    expect(visit.tiles).to_have_count(1)
    (key,) = visit.site.images("open/")
    assert key.endswith(".jpg")
    assert visit.errors == []


def test_what_is_refused_says_why_in_the_services_words(visit: Visit) -> None:
    """What is no image says so by name; it leaves the queue, and the note goes away when asked to."""
    visit.choose(("report.png", b"%PDF-1.7 and so on"), ("fine.png", make_png(8, 8)))
    expect(visit.tiles).to_have_count(1)
    expect(visit.notices).to_have_count(1)
    expect(visit.notices).to_contain_text("report.png")
    expect(visit.notices).to_contain_text("The file is application/pdf. Send one of image/png")
    expect(visit.notices.get_by_role("button", name="Try again")).to_have_count(0)
    expect(visit.panel.get_by_text("Upload failed")).to_have_count(0)
    visit.notices.get_by_role("button", name="Dismiss: report.png").click()
    expect(visit.notices).to_have_count(0)
    assert len(visit.site.images("open/")) == 1
    assert visit.errors == []


def test_what_the_rules_exclude_is_not_even_sent(visit: Visit) -> None:
    """A file that is too large or of another type is told about at once, with the limit."""
    sent: list[str] = []
    visit.page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    visit.choose(("huge.png", make_png(noise=bytes(1_000_001))), ("notes.txt", b"hello"))
    expect(visit.notices).to_have_count(2)
    expect(visit.notices.filter(has_text="huge.png")).to_contain_text("The file has 977 KiB, and 977 KiB is the most.")
    expect(visit.notices.filter(has_text="notes.txt")).to_contain_text("PNG, JPEG, GIF, or WebP can be uploaded here.")
    assert sent == []


def test_a_failed_upload_can_be_tried_again(visit: Visit) -> None:
    """While the service answers 503 the note says so; the same file succeeds once that has passed."""
    page = visit.page
    body = '{"type": "urn:keyhole:problem:store-unavailable", "detail": "the image store cannot be reached now"}'
    page.route("**/v1/uploads?to=open", lambda route: route.fulfill(status=503, body=body))
    visit.choose(("patient.png", make_png(8, 8)))
    expect(visit.notices).to_contain_text("The image store cannot be reached now.")
    page.unroute("**/v1/uploads?to=open")
    visit.notices.get_by_role("button", name="Try again").click()
    expect(visit.tiles.get_by_role("img", name="patient.png")).to_be_visible()
    expect(visit.notices).to_have_count(0)
    assert len(visit.site.images("open/")) == 1


def test_a_file_name_is_text_and_never_html(visit: Visit) -> None:
    """A name that looks like HTML is shown as it is; no script runs."""
    name = "<img src=x onerror=document.title='owned'>.png"
    visit.drop(name, make_png(8, 8))
    expect(visit.tiles.get_by_role("img", name=name)).to_be_visible()
    visit.drop(name, b"%PDF-1.7")
    expect(visit.notices).to_contain_text(name)
    expect(visit.page).to_have_title("gallery")
    assert visit.errors == []


def test_the_page_asks_nobody_else(visit: Visit) -> None:
    """All that is loaded comes from the service and from the bucket."""
    visit.choose(("a.png", make_png(8, 8)))
    expect(visit.tiles.get_by_role("img")).to_have_js_property("complete", True)
    own = {urlsplit(visit.site.url).netloc, urlsplit(visit.site.local.url).netloc}
    assert {host for host in visit.hosts if host} <= own


def test_both_languages(browser: Browser, site: Site) -> None:
    """A Korean browser gets Korean, in Uppy too; the switch changes all of it at once, and is remembered."""
    site.empty()
    with visit_site(browser, site, locale="ko-KR") as visit:
        page = visit.page
        expect(page.locator("html")).to_have_attribute("lang", "ko")
        expect(page.get_by_role("heading", name="이미지 업로드")).to_be_visible()
        expect(visit.panel.get_by_role("button", name="파일을 선택하세요")).to_be_visible()
        expect(page.get_by_text("아직 이미지가 없습니다")).to_be_visible()
        page.get_by_role("button", name="English").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")
        expect(page.get_by_role("heading", name="Upload images")).to_be_visible()
        expect(visit.panel.get_by_role("button", name="choose them")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name="Upload images")).to_be_visible()
        page.get_by_role("button", name="한국어").click()
        expect(visit.panel.get_by_role("button", name="파일을 선택하세요")).to_be_visible()
        visit.choose(("보고서.png", b"%PDF-1.7"))
        expect(visit.notices).to_contain_text("받지 않는 파일 형식입니다. The file is application/pdf.")
        assert visit.errors == []


def _paper(visit: Visit) -> str:
    return str(visit.page.evaluate("getComputedStyle(document.body).backgroundColor"))


def test_dark_and_light(browser: Browser, site: Site) -> None:
    """The page is as the system is, until the switch says otherwise; Uppy follows; the choice is remembered."""
    with visit_site(browser, site, color_scheme="dark") as visit:
        dark = _paper(visit)
        expect(visit.panel).to_have_attribute("data-uppy-theme", "dark")
        visit.page.get_by_label("Appearance").select_option("light")
        expect(visit.panel).to_have_attribute("data-uppy-theme", "light")
        light = _paper(visit)
        assert dark != light
        visit.page.reload()
        expect(visit.panel).to_have_attribute("data-uppy-theme", "light")
        assert _paper(visit) == light
        visit.page.get_by_label("Appearance").select_option("auto")
        expect(visit.panel).to_have_attribute("data-uppy-theme", "dark")
        assert _paper(visit) == dark


@pytest.mark.parametrize("language", ["en", "ko-KR"])
@pytest.mark.parametrize("path", ["/", "/access"])
def test_it_fits_a_small_phone(browser: Browser, site: Site, path: str, language: str) -> None:
    """At 360 pixels nothing is wider than the screen."""
    site.empty()
    with visit_site(browser, site, path, locale=language, viewport={"width": 360, "height": 740}) as visit:
        if path == "/":
            visit.choose(("a-very-long-name-that-does-not-end-" * 4 + ".png", make_png(8, 8)), ("x.png", b"%PDF-1.7"))
            expect(visit.tiles).to_have_count(1)
            expect(visit.notices).to_have_count(1)
        else:
            expect(visit.page.locator(".claim").first).to_be_visible()
        assert visit.page.evaluate("document.documentElement.scrollWidth") == 360
        assert visit.errors == []
