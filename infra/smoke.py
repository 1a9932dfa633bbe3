"""`make smoke`: the client's path against any stack, a real one too: a picture in, looked at, and out again."""

import argparse
import io
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

import httpx
from PIL import Image

#: A catalog that sleeps answers 503 until it is awake.
_WAKING_SECONDS = 120.0
_TAKING_IN_SECONDS = 180.0


class SmokeError(Exception):
    """What was not as it should be, as a sentence."""


class Client:
    """One key's view of the API."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._http = httpx.Client(headers={"Authorization": f"Bearer {key}"}, timeout=60)

    def call(self, method: str, path: str, expected: int, **options: Any) -> httpx.Response:
        """The answer; where it is 503 the request is made again when the answer says so."""
        deadline = time.monotonic() + _WAKING_SECONDS
        while True:
            answer = self._http.request(method, self._url + path, **options)
            if answer.status_code != 503 or time.monotonic() > deadline:
                break
            time.sleep(int(answer.headers.get("Retry-After", "5")))
        if answer.status_code != expected:
            raise SmokeError(f"{method} {path} answered {answer.status_code}, not {expected}: {answer.text[:300]}")
        return answer

    def ended(self, upload_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + _TAKING_IN_SECONDS
        while time.monotonic() < deadline:
            state: dict[str, Any] = self.call("GET", f"/image/uploads/{upload_id}", 200).json()
            if state["status"] not in ("pending", "processing"):
                return state
            time.sleep(0.5)
        raise SmokeError(f"The upload {upload_id} did not end within {_TAKING_IN_SECONDS:g} seconds.")


def run(client: Client) -> None:
    """Raises `SmokeError`; leaves nothing behind where it succeeds."""
    content = _new_picture()
    client.call("GET", "/health", 200)
    _say("the API, the catalog and the store answer")
    offer = {"files": [{"name": "smoke.png", "size": len(content)}]}
    [ticket] = client.call("POST", "/image/uploads", 201, json=offer).json()["uploads"]
    # The store is no place for the key: these requests are made without it.
    posted = httpx.post(ticket["url"], data=ticket["fields"], files={ticket["file_field"]: content}, timeout=60)
    _check(posted.status_code == 204, f"The store refused the file: {posted.text[:300]}")
    state = client.ended(ticket["upload_id"])
    _check(state["status"] == "stored", f"The upload ended as {state}.")
    _say("a picture was taken in")
    image = f"/image/{state['image_id']}"
    details = client.call("GET", f"{image}/details", 200).json()
    _check(
        (details["width"], details["height"]) == (64, 48), f"The picture is said to be {details['width']}x{details['height']}."
    )
    original = httpx.get(client.call("GET", image, 302).headers["Location"], timeout=60)
    _check(original.content == content, "The store serves other bytes than were sent.")
    for url in details["thumbnails"].values():
        _check(httpx.get(url, timeout=60).status_code == 200, "A thumbnail is missing.")
    listed = client.call("GET", "/image/list?limit=1", 200).json()["images"]
    _check([item["id"] for item in listed] == [state["image_id"]], "The newest picture is not first in the list.")
    _say("it is listed and served, bit for bit")
    client.call("DELETE", image, 204)
    client.call("GET", image, 404)
    _say("it is deleted")


def _new_picture() -> bytes:
    """One that nobody has sent before."""
    file = io.BytesIO()
    Image.frombytes("RGB", (64, 48), os.urandom(64 * 48 * 3)).save(file, "PNG")
    return file.getvalue()


def _check(good: bool, sentence: str) -> None:
    if not good:
        raise SmokeError(sentence)


def _say(sentence: str) -> None:
    print(f"ok: {sentence}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.smoke")
    parser.add_argument("url")
    parser.add_argument("key")
    chosen = parser.parse_args(arguments)
    try:
        run(Client(chosen.url, chosen.key))
    except (SmokeError, httpx.HTTPError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
