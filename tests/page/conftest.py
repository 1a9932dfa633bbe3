"""A real browser before a real server. Whatever the page complains of on its console fails the test."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect, sync_playwright

from tests.http.server import Server, running
from tests.page.library import fill
from tests.system_packages import needed

_CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_BOUND_MILLISECONDS = 30_000

expect.set_options(timeout=_BOUND_MILLISECONDS)

#: Opens a page at an address below the server's, with what `Browser.new_context` takes.
Open = Callable[..., Page]


class Complaints(list[str]):
    """What pages said that they should not have; `expected` are the beginnings of what they may say."""

    def __init__(self) -> None:
        super().__init__()
        self.expected: list[str] = []

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(tuple(self.expected)):
            self.append(message.text)

    def watch(self, page: Page) -> None:
        page.on("console", self.hear)
        page.on("pageerror", lambda error: self.append(str(error)))


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=needed("chromium", "fc-list"), args=_CHROMIUM_ARGUMENTS)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    needed("libatomic.so.1")
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    heard = Complaints()
    yield heard
    assert heard == []


@pytest.fixture
def open_page(browser: Browser, complaints: Complaints) -> Iterator[Open]:
    contexts: list[BrowserContext] = []

    def open_page(address: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", **options})
        contexts.append(context)
        context.set_default_timeout(_BOUND_MILLISECONDS)
        page = context.new_page()
        complaints.watch(page)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.fixture
def empty(served: Server) -> Server:
    """A server without a picture."""
    while images := served.api.get("/image/list?limit=200").json()["images"]:
        for image in images:
            assert served.api.delete(image["id"]).status == 204
    return served


@pytest.fixture(scope="session")
def thousands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with 5,000 pictures that tests look at and leave as they are."""
    folder = tmp_path_factory.mktemp("thousands")
    fill(folder, 5000)
    with running(folder) as server:
        yield server


@pytest.fixture
def dozens(tmp_path: Path) -> Iterator[Server]:
    """A server with 60 pictures, for one test that changes them."""
    fill(tmp_path / "repository", 60, files=6)
    with running(tmp_path / "repository") as server:
        yield server
