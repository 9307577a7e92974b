"""Signing in with a token, and out again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from page_site import Site, open_site
from page_visit import Visit, require_page, visit_site
from playwright.sync_api import Browser, expect
from service_images import make_png

from keyhole.local.server import LocalAws
from keyhole.service.callers.tokens import make_token


@pytest.fixture(scope="module")
def tokens_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the service finds the tokens."""
    return tmp_path_factory.mktemp("tokens") / "tokens.json"


@pytest.fixture(scope="module")
def token(tokens_file: Path) -> str:
    """Ana's token."""
    text, _ = make_token(tokens_file, "people", "ana")
    return text


@pytest.fixture(scope="module")
def site(
    running_local_aws: LocalAws, token: str, tokens_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A service that knows its callers."""
    require_page()
    with open_site(running_local_aws, tmp_path_factory.mktemp("site"), tokens_file=tokens_file) as opened:
        yield opened


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visit]:
    """The page, as nobody yet."""
    site.empty()
    with visit_site(browser, site) as opened:
        yield opened


def test_a_token_opens_the_page(visit: Visit, token: str) -> None:
    """Before, there is nothing but the question; after, everything works, and also after a reload."""
    page = visit.page
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_label("Token")).to_be_focused()
    expect(visit.panel).to_have_count(0)
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Signed in as ana")).to_be_visible()
    visit.choose(("mine.png", make_png(8, 8)))
    expect(visit.tiles).to_have_count(1)
    page.reload()
    expect(visit.tiles).to_have_count(1)
    assert visit.errors == []


def test_no_script_sees_the_token(visit: Visit, token: str) -> None:
    """Neither a cookie nor anything that is stored has it."""
    page = visit.page
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Signed in as ana")).to_be_visible()
    assert page.evaluate("document.cookie") == ""
    assert token not in page.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage })")
    (cookie,) = page.context.cookies()
    assert cookie.get("httpOnly")
    assert cookie.get("sameSite") == "Strict"


def test_a_wrong_token_is_told_about(visit: Visit) -> None:
    """The service's words stand at the field, which keeps the focus."""
    page = visit.page
    page.get_by_label("Token").fill("kh_wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).not_to_be_empty()
    expect(page.get_by_label("Token")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_session_that_ends_asks_again_and_loses_nothing(visit: Visit, token: str) -> None:
    """What was chosen when the session was over is uploaded after signing in anew."""
    page = visit.page
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Signed in as ana")).to_be_visible()
    expect(page.get_by_text("Nothing here yet").first).to_be_visible()
    page.context.clear_cookies()
    visit.choose(("late.png", make_png(8, 8)))
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(visit.panel).to_have_count(0)
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")
    visit.notices.get_by_role("button", name="Try again").click()
    expect(visit.tiles.get_by_role("img", name="late.png")).to_be_visible()
    assert len(visit.site.images("open/")) == 1


def test_signing_out_closes_the_page(visit: Visit, token: str) -> None:
    """The question is back, also after a reload."""
    page = visit.page
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(visit.panel).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
