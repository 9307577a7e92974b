"""A visitor of the page: a browser window, what the person does in it, and what it noted meanwhile."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from page_site import Site
from playwright.sync_api import Browser, BrowserContext, FilePayload, Locator, Page, expect

from keyhole.service.page_files import PAGE_DIRECTORY

_DROP = """(place, [name, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, { type: "image/png" }));
  const event = (kind) => new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true });
  for (const kind of ["dragenter", "dragover", "drop"]) place.dispatchEvent(event(kind));
}"""
_PASTE = """([name, data]) => {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([bytes], name, { type: "image/png" }));
  document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""
# What the browser itself notes about an answer that is no 2xx.
_STATUS_NOTE = "Failed to load resource"
# How long anything may take on a machine that does much else at the same time.
_PATIENCE_MS = 30_000


def require_page() -> None:
    """Skip the test, and say so, where the page could not be built."""
    if not (PAGE_DIRECTORY / "assets").is_dir():
        pytest.skip("THE PAGE IS NOT TESTED: it is not built; `make setup` builds it, with an npm registry in reach")


@dataclass
class Visit:
    """A page that is open, and the site behind it."""

    site: Site
    page: Page
    errors: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    @property
    def context(self) -> BrowserContext:
        """The browser's window."""
        return self.page.context

    @property
    def tiles(self) -> Locator:
        """The images in the gallery that is shown."""
        return self.page.locator(".tiles > li:visible")

    @property
    def notices(self) -> Locator:
        """The files that were not uploaded."""
        return self.page.locator(".notices li:visible")

    @property
    def panel(self) -> Locator:
        """The place for files."""
        return self.page.locator(".uppy-Dashboard:visible")

    def choose(self, *files: tuple[str, bytes]) -> None:
        """Choose files in the file picker."""
        chosen = [FilePayload(name=name, mimeType="", buffer=data) for name, data in files]
        with self.page.expect_file_chooser() as chooser:
            self.panel.locator(".uppy-Dashboard-browse, .uppy-DashboardContent-addMore").first.click()
        chooser.value.set_files(chosen)

    def choose_path(self, path: Path) -> None:
        """Choose one large file in the file picker."""
        with self.page.expect_file_chooser() as chooser:
            self.panel.locator(".uppy-Dashboard-browse").first.click()
        chooser.value.set_files(path)

    def drop(self, name: str, data: bytes, where: str = ".gallery h2") -> None:
        """Drop one file somewhere on the page."""
        place = self.page.locator(f"{where}:visible").first
        place.evaluate(_DROP, [name, base64.b64encode(data).decode()])

    def paste(self, name: str, data: bytes) -> None:
        """Paste one file with nothing in particular in focus."""
        self.page.evaluate(_PASTE, [name, base64.b64encode(data).decode()])

    def go_to(self, upload: str) -> None:
        """Choose where to upload to."""
        self.page.locator(".where select").select_option(upload)


@contextmanager
def visit_site(browser: Browser, site: Site, path: str = "/", **options: Any) -> Iterator[Visit]:
    """Open the page in a window of its own."""
    expect.set_options(timeout=_PATIENCE_MS)
    with browser.new_context(**options) as context:
        page = context.new_page()
        visit = Visit(site, page)
        page.on("pageerror", lambda error: visit.errors.append(str(error)))

        def note(kind: str, text: str) -> None:
            if kind == "error" and not text.startswith(_STATUS_NOTE):
                visit.errors.append(text)

        page.on("console", lambda message: note(message.type, message.text))
        # Told to once, and not each time: a key is quicker than the browser's learning that there will be no dialog.
        page.on("filechooser", lambda _chooser: None)
        page.on("request", lambda request: visit.hosts.add(request.url.split("/")[2]))
        page.goto(site.url + path)
        expect(page.locator("main")).to_have_attribute("aria-busy", "false")
        yield visit
