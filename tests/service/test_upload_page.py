"""The page, in a real browser: upload by picker and by drop, see it, delete it, and read what went wrong."""

from __future__ import annotations

import base64
import dataclasses
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect
from service_fakes import FakeStore, make_settings_for_test, refusal, serve_objects
from service_images import make_png

from keyhole.service.run import bind, make_server, show_url
from keyhole.service.settings import Settings
from keyhole.service.store import ObjectHeaders

_DROP = """([name, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name));
  const event = (kind) => new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true });
  for (const kind of ["dragenter", "dragover", "drop"]) document.querySelector("main").dispatchEvent(event(kind));
}"""


@dataclass
class Visit:
    """A page that is open, and the store behind it."""

    page: Page
    store: FakeStore
    errors: list[str]

    def choose(self, name: str, data: bytes) -> None:
        """Choose one file in the file picker."""
        chosen = FilePayload(name=name, mimeType="", buffer=data)
        self.page.get_by_label("Choose images").set_input_files(chosen)

    def drop(self, name: str, data: bytes) -> None:
        """Drop one file somewhere on the page."""
        self.page.evaluate(_DROP, [name, base64.b64encode(data).decode()])


@contextmanager
def _serve(settings: Settings, store: FakeStore) -> Iterator[str]:
    with bind("127.0.0.1", 0) as listener:
        server = make_server(settings, store)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield show_url(listener)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """The page over a store that holds nothing yet."""
    store = FakeStore()
    with serve_objects(store) as endpoint:
        settings = dataclasses.replace(make_settings_for_test(), endpoint_url=endpoint)
        with _serve(settings, store) as url, browser.new_context() as context:
            page = context.new_page()
            errors: list[str] = []
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
            page.goto(url)
            yield Visit(page, store, errors)


def test_an_image_goes_up_shows_and_goes_away(visit: Visit) -> None:
    """Chosen, it is stored and really shown; deleted, it is gone from the page and from the store."""
    page = visit.page
    expect(page.get_by_role("heading", name="ai-image-community")).to_be_visible()
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    expect(page.get_by_text("PNG, JPEG, GIF, or WebP, up to 97.7 KiB each")).to_be_visible()
    visit.choose("my cat.png", make_png(60, 40))
    tile = page.locator("#tiles > li")
    expect(tile).to_have_count(1)
    expect(page.get_by_text("Nothing here yet")).to_be_hidden()
    image = tile.get_by_role("img", name="my cat.png")
    expect(image).to_have_js_property("naturalWidth", 60)
    (key,) = visit.store.objects
    expect(tile.get_by_role("link")).to_have_attribute("href", f"{page.locator('#tiles img').get_attribute('src')}")
    assert (image.get_attribute("src") or "").endswith(key)
    page.reload()
    expect(tile.get_by_role("img")).to_have_js_property("naturalWidth", 60)
    tile.get_by_role("button", name="Delete").click()
    expect(tile.get_by_role("button", name="Undo")).to_be_focused()
    expect(tile).to_have_count(0, timeout=15_000)
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    assert visit.store.objects == {}
    assert visit.errors == []


def test_delete_can_be_undone(visit: Visit) -> None:
    """Undo in time keeps the image: the store is not asked to delete anything."""
    visit.drop("kept.png", make_png(8, 8))
    tile = visit.page.locator("#tiles > li")
    tile.get_by_role("button", name="Delete").click()
    tile.get_by_role("button", name="Undo").click()
    expect(tile.get_by_role("img", name="kept.png")).to_be_visible()
    expect(tile.get_by_role("button", name="Delete")).to_be_focused()
    assert "DeleteObject" not in visit.store.asked
    assert len(visit.store.objects) == 1


def test_leaving_the_page_ends_the_time_for_second_thoughts(visit: Visit) -> None:
    """What was deleted is deleted, though the page was closed before the time was over."""
    visit.drop("gone.png", make_png(8, 8))
    visit.page.locator("#tiles > li").get_by_role("button", name="Delete").click()
    visit.page.reload()
    expect(visit.page.get_by_text("Nothing here yet")).to_be_visible()
    assert visit.store.objects == {}


def test_errors_are_the_services_own_words(visit: Visit) -> None:
    """What is no image, or too large, says so in its row; the row can be dismissed; nothing is stored."""
    page = visit.page
    visit.drop("report.png", b"%PDF-1.7 and so on")
    row = page.locator("#transfers > li")
    expect(row).to_contain_text("Not uploaded")
    expect(row).to_contain_text("The file is application/pdf.")
    expect(row.get_by_role("button", name="Try again")).to_have_count(0)
    row.get_by_role("button", name="Dismiss").click()
    expect(row).to_have_count(0)
    expect(page.get_by_label("Choose images")).to_be_focused()
    expect(page.get_by_text("up to 97.7 KiB each")).to_be_visible()
    visit.drop("huge.png", make_png(noise=bytes(100_000)))
    expect(row).to_contain_text("97.7 KiB is the most")
    assert visit.store.asked.count("PutObject") == 0


def test_a_failed_upload_can_be_tried_again(visit: Visit) -> None:
    """While the store is away the row says so; once it is back, the same row succeeds."""
    page = visit.page
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    visit.store.failure = refusal("Unreachable", 0)
    visit.drop("patient.png", make_png(8, 8))
    row = page.locator("#transfers > li")
    expect(row).to_contain_text("The image store cannot be reached now (Unreachable).")
    visit.store.failure = None
    row.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("img", name="patient.png")).to_be_visible()


def test_a_list_that_fails_can_be_tried_again(visit: Visit) -> None:
    """The page says why it cannot list, and lists when it can."""
    page = visit.page
    visit.store.failure = refusal("AccessDenied", 403)
    page.reload()
    expect(page.locator("#notice")).to_contain_text("The image store refused PutObject (AccessDenied).")
    expect(page.get_by_text("Nothing here yet")).to_be_hidden()
    visit.store.failure = None
    page.locator("#notice").get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    expect(page.locator("#notice")).to_be_hidden()


def test_a_file_name_is_text_and_never_html(visit: Visit) -> None:
    """A name that looks like HTML is shown as it is; no script runs."""
    name = "<img src=x onerror=document.title='owned'>.png"
    visit.drop(name, make_png(8, 8))
    expect(visit.page.get_by_role("img", name=name)).to_be_visible()
    expect(visit.page).to_have_title("ai-image-community")
    assert visit.errors == []


def test_a_pasted_image_is_uploaded(visit: Visit) -> None:
    """Pasting works anywhere on the page."""
    expect(visit.page.get_by_text("Nothing here yet")).to_be_visible()
    script = """([name, data]) => {
      const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File([bytes], name));
      document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    }"""
    visit.page.evaluate(script, ["pasted.png", base64.b64encode(make_png(8, 8)).decode()])
    expect(visit.page.get_by_role("img", name="pasted.png")).to_be_visible()


def test_a_link_is_copied(visit: Visit) -> None:
    """The button puts the image's URL on the clipboard and says so."""
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.drop("a.png", make_png(8, 8))
    visit.page.get_by_role("button", name="Copy link").click()
    expect(visit.page.get_by_text("Copied", exact=True)).to_be_visible()
    (key,) = visit.store.objects
    assert visit.page.evaluate("navigator.clipboard.readText()").endswith(f"/pictures/{key}")


def test_older_images_come_on_demand(visit: Visit) -> None:
    """Beyond a page of 24 there is a button; it brings the rest, moves the focus to them, and goes away."""
    for number in range(30):
        headers = ObjectHeaders("image/png")
        visit.store.put_object(f"uploads/images/{number:02}.png", io.BytesIO(make_png(8, 8)), headers)
    visit.page.reload()
    tiles = visit.page.locator("#tiles > li")
    expect(tiles).to_have_count(24)
    visit.page.get_by_role("button", name="Show older images").click()
    expect(tiles).to_have_count(30)
    expect(tiles.nth(24).get_by_role("link")).to_be_focused()
    expect(visit.page.get_by_role("button", name="Show older images")).to_be_hidden()
