"""The page's content security policy, as the browser enforces it."""

from playwright.sync_api import expect

from tests.http.server import Server
from tests.page.conftest import Complaints, Open


def test_what_is_slipped_into_the_page_does_not_run(empty: Server, open_page: Open, complaints: Complaints) -> None:
    page = open_page(empty.api.public_url)
    expect(page.locator("#empty")).to_be_visible()
    page.evaluate(
        """() => {
          const script = document.createElement("script");
          try { script.textContent = "document.title = 'taken over'"; } catch { /* refused at once */ }
          document.body.append(script);
          document.body.setAttribute("style", "display: none");
        }"""
    )
    expect(page).to_have_title("Pictures")
    expect(page.locator("#empty")).to_be_visible()
    assert complaints
    complaints.clear()
