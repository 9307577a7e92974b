"""The page by keyboard alone, and as assistive technology finds it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from page_site import Site, open_site
from page_visit import Visit, require_page, visit_site
from playwright.sync_api import Browser, FilePayload, expect
from service_images import make_png

from keyhole.local.server import LocalAws

_AXE = Path(__file__).parents[2] / "page" / "node_modules" / "axe-core" / "axe.min.js"
_RULES = """() => axe.run(document, {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
})"""


@pytest.fixture(scope="module")
def site(running_local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The service and its bucket."""
    require_page()
    with open_site(running_local_aws, tmp_path_factory.mktemp("site"), has_probes=True) as opened:
        yield opened


def _find_barriers(visit: Visit) -> list[str]:
    """Give what axe finds wrong: the rule, and where."""
    if not _AXE.is_file():
        pytest.skip("ACCESSIBILITY IS NOT TESTED: axe-core is not installed; `make setup` installs it")
    visit.page.evaluate(_AXE.read_text("utf-8"))
    found: dict[str, Any] = visit.page.evaluate(_RULES)
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ko-KR"])
def test_the_images_have_no_barriers(browser: Browser, site: Site, scheme: Any, language: str) -> None:
    """Empty, with images and a refusal, and with one on its way out."""
    site.empty()
    with visit_site(browser, site, color_scheme=scheme, locale=language) as visit:
        visit.page.emulate_media(reduced_motion="reduce")
        expect(visit.page.locator(".empty")).to_be_visible()
        assert _find_barriers(visit) == []
        visit.choose(("a.png", make_png(8, 8)), ("b.png", make_png(9, 9)), ("c.png", b"%PDF-1.7"))
        expect(visit.tiles).to_have_count(2)
        expect(visit.notices).to_have_count(1)
        visit.tiles.first.locator(".remove").click()
        assert _find_barriers(visit) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_access_page_has_no_barriers(browser: Browser, site: Site, scheme: Any) -> None:
    """With everything open, and with one workload chosen."""
    with visit_site(browser, site, "/access", color_scheme=scheme) as visit:
        page = visit.page
        page.emulate_media(reduced_motion="reduce")
        page.get_by_text("The same as a table").click()
        page.locator(".claim.broken summary").click()
        page.get_by_role("button", name="api").click()
        expect(page.locator(".claim.broken dl")).to_be_visible()
        assert _find_barriers(visit) == []


def _tab_to(visit: Visit, selector: str) -> None:
    """Press Tab until the element has the focus; the focus can always be seen."""
    for _ in range(40):
        visit.page.keyboard.press("Tab")
        if visit.page.locator(selector).evaluate_all("found => found.includes(document.activeElement)"):
            style = visit.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert style != "none", selector
            return
    raise AssertionError(f"Tab does not reach {selector}")


def test_everything_is_done_by_keyboard(browser: Browser, site: Site) -> None:
    """From the first Tab: skip the header, choose a file, delete the image, undo, go to the access page, filter it."""
    site.empty()
    with visit_site(browser, site) as visit:
        page, keyboard = visit.page, visit.page.keyboard
        expect(visit.panel.get_by_role("tab", name="Camera")).to_be_visible()
        _tab_to(visit, ".skip")
        keyboard.press("Enter")
        expect(page.locator("#content")).to_be_focused()
        _tab_to(visit, ".uppy-Dashboard-browse")
        with page.expect_file_chooser() as chooser:
            keyboard.press("Enter")
        chooser.value.set_files(FilePayload(name="a.png", mimeType="", buffer=make_png(8, 8)))
        expect(visit.tiles).to_have_count(1)
        expect(visit.panel.get_by_text("Drop or paste images here")).to_be_visible()
        _tab_to(visit, ".tile .remove")
        keyboard.press("Enter")
        expect(visit.tiles.get_by_role("button", name="Undo: keep a.png")).to_be_focused()
        keyboard.press("Enter")
        expect(visit.tiles.get_by_role("button", name="Delete: a.png")).to_be_focused()
        page.reload()
        _tab_to(visit, "nav a[href='/access']")
        keyboard.press("Enter")
        expect(page.locator("#content")).to_be_focused()
        _tab_to(visit, ".chip:last-child")
        keyboard.press("Space")
        expect(page.get_by_role("button", name="Strangers")).to_have_attribute("aria-pressed", "true")
        _tab_to(visit, ".filters input")
        keyboard.type("GetObject")
        _tab_to(visit, ".claim summary")
        keyboard.press("Enter")
        expect(page.locator(".claim dl").first).to_be_visible()
        assert visit.errors == []
