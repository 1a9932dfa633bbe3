"""The page over a large repository, in a real browser: when the first pictures are there, and how heavy it becomes.

Run: python -m benchmarks.page [images]
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.http.server import running
from tests.page.conftest import launch
from tests.page.library import fill

RUNS = 5
#: Milliseconds since the navigation began at which every picture in sight was there; how many those are.
FIRST_VIEW = """() => new Promise(done => {
  const look = () => {
    const seen = [...document.querySelectorAll(".tile img")].filter(image => image.getBoundingClientRect().top < innerHeight);
    if (seen.length && seen.every(image => image.naturalWidth)) done([performance.now(), seen.length]);
    else requestAnimationFrame(look);
  };
  look();
})"""
IN_SIGHT = """() => new Promise(done => {
  const look = () => {
    const seen = [...document.querySelectorAll(".tile img")].filter(image => {
      const { top, bottom } = image.getBoundingClientRect();
      return top < innerHeight && bottom > 0;
    });
    if (seen.length && seen.every(image => image.naturalWidth)) done();
    else requestAnimationFrame(look);
  };
  look();
})"""
#: The names of what was loaded on the way to the first view, with beginning and end in milliseconds.
TRACE = """() => performance.getEntriesByType("resource")
  .map(({ name, startTime, responseEnd }) => [new URL(name).pathname, Math.round(startTime), Math.round(responseEnd)])"""


def main(count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="image-repo-") as folder:
        fill(Path(folder), count, files=200)
        with running(Path(folder)) as server, sync_playwright() as playwright:
            browser = launch(playwright)
            first = [first_view(browser, server.api.public_url, trace=run == RUNS - 1) for run in range(RUNS)]
            print(f"first view at {count:,} images: median {statistics.median(first):.0f} ms, {sorted(map(round, first))}")
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(server.api.public_url)
            page.evaluate(FIRST_VIEW)
            weigh(page, "at the top")
            for part in (0.1, 0.5, 1.0):
                begun = time.monotonic()
                page.evaluate(f"scrollTo(0, document.documentElement.scrollHeight * {part})")
                page.evaluate(IN_SIGHT)
                weigh(page, f"{part:.0%} down, pictures there after {time.monotonic() - begun:.1f} s")
            browser.close()


def first_view(browser: Browser, url: str, *, trace: bool) -> float:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(url)
    milliseconds, pictures = page.evaluate(FIRST_VIEW)
    if trace:
        for path, begin, end in page.evaluate(TRACE):
            print(f"  {begin:5} to {end:5} ms  {path}")
        print(f"  {milliseconds:13.0f} ms  {pictures} pictures in sight are there")
    context.close()
    return float(milliseconds)


def weigh(page: Page, where: str) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    session.send("HeapProfiler.collectGarbage")
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    elements = page.evaluate("document.querySelectorAll('*').length")
    print(f"{where}: {elements} elements, {metrics['JSHeapUsedSize'] / 1e6:.1f} MB of JavaScript's memory")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
