"""What a browser and a stranger meet at a deployed address: the checks of `make smoke` that are made in plain HTTP.

Each returns what was seen, as a sentence. It raises `SmokeError` where something is not as it should be, and `Skipped` where
it cannot be seen there.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

#: How long a cluster may take to wake, in seconds.
PATIENCE = 120.0
#: An origin that no stack names.
ELSEWHERE = "https://elsewhere.invalid"
#: `PageOrigin` in infra/template.yaml until `make deploy` has come to its end.
_NOT_SET = "https://nowhere.invalid"
_NAME, _CONTENT_TYPE = "smoke.png", "image/png"
#: What docs/api.md promises of a signed URL, at the least.
_LIFE = timedelta(hours=1)
#: One that has the form of a key, and was never made.
_FALSE_KEY = f"imr_{'0' * 16}_{'A' * 43}"


class SmokeError(Exception):
    """What was not as it should be, as a sentence."""


class Skipped(Exception):
    """Why something cannot be seen at this address, as a sentence."""


class Door:
    """The address `url` of a stack, or of a laptop's server, and a key for it; redirects are not followed."""

    def __init__(self, http: httpx.Client, url: str, key: str) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._key = {"Authorization": f"Bearer {key}"} if key else {}
        self.origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
        #: Whether the store may have been given bytes: then a picture comes of them, sooner or later.
        self.may_have_sent = False

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """What the API answers to somebody with the key."""
        more["headers"] = {**self._key, **more.get("headers", {})}
        return self._http.request(method, self._url + path, **more)

    def wakes(self) -> str:
        began, refused = time.monotonic(), 0
        while (answer := self.ask("GET", "/image/list?limit=1")).status_code == 503:
            check(answer.headers.get("retry-after", "").isdigit(), "A 503 came without a Retry-After.")
            check(time.monotonic() - began < PATIENCE, f"The catalog does not answer: {answer.text}")
            time.sleep(int(answer.headers["retry-after"]))
            refused += 1
        check(answer.status_code == 200, f"The list is refused: {answer.status_code} {answer.text}")
        asleep = f"it slept, and said so {refused} times" if refused else "it was awake"
        return f"the catalog answers after {time.monotonic() - began:.1f} s ({asleep})"

    def has_one_stage(self) -> str:
        host, stage = urlsplit(self._url).hostname or "", urlsplit(self._url).path
        if ".execute-api." not in host:
            raise Skipped("whether the API has another stage is seen at the gateway's own address alone (execute-api)")
        for other in ("/Stage", "/Prod", "/prod", "/dev"):
            if other != stage:
                answer = self._http.get(f"{self.origin}{other}/health")
                check(answer.status_code in (403, 404), f"There is a second stage, {other}: it has no throttle and no alarm.")
        return f"there is no stage but {stage}"

    def refuses_strangers(self) -> str:
        if not self._key and self._http.get(f"{self._url}/image/list?limit=1").status_code == 200:
            raise Skipped("who comes in is not asked: this server needs no key")
        for header, status, code in (
            ({}, 401, "UnauthorizedError"),
            ({"Authorization": "Basic dTpw"}, 401, "UnauthorizedError"),
            ({"Authorization": f"Bearer {_FALSE_KEY}"}, 403, "ForbiddenError"),
        ):
            answer = self._http.get(f"{self._url}/image/list", headers=header)
            _check_refusal(answer, status, code, f"A request with {'such a' if header else 'no'} key")
        return "who has no key, or a false one, is refused as the contract says"

    def refuses_what_is_not_there(self) -> str:
        _check_refusal(self.ask("PUT", "/image/list", content=b"x"), 405, "MethodNotAllowedError", "PUT /image/list")
        _check_refusal(self.ask("GET", "/nothing/here"), 404, "NotFoundError", "A path that is not there")
        return "a wrong method and a wrong path are refused as the contract says"

    def is_closed_to_pages_from_elsewhere(self) -> str:
        asks = {"Origin": ELSEWHERE, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
        answers = [self._http.options(f"{self._url}/image/list", headers=asks), self.ask("GET", "/health", headers=asks)]
        for answer in answers:
            _check_closed(answer, "the API")
            check(_allowed(answer) != _NOT_SET, "The API knows no page's origin: make deploy has not come to its end.")
        allowed = _allowed(answers[0])
        return "no page from elsewhere may use the API" + (f", only those of {allowed}" if allowed else "")

    def compresses(self) -> str:
        answer = self.ask("GET", "/openapi.json", headers={"Accept-Encoding": "gzip"})
        if "x-amzn-requestid" not in answer.headers:
            raise Skipped("answers are compressed by API Gateway, which this one did not come through")
        check(answer.headers.get("content-encoding") == "gzip", "Long answers come without compression.")
        check(answer.json()["openapi"].startswith("3."), "What was compressed cannot be read.")
        return f"long answers are compressed: {answer.num_bytes_downloaded:,} bytes instead of {len(answer.content):,}"

    def ticket(self, content: bytes) -> dict[str, Any]:
        answer = self.ask("POST", "/image/uploads", json={"files": [{"name": _NAME, "size": len(content)}]})
        check(answer.status_code == 201, f"There is no ticket: {answer.status_code} {answer.text}")
        [ticket] = answer.json()["uploads"]
        return dict(ticket)

    def takes_from_its_own_page(self, ticket: Mapping[str, Any], content: bytes) -> str:
        """As the page does in a browser: a preflight, and then a form."""
        store = "{0.scheme}://{0.netloc}".format(urlsplit(ticket["url"]))
        if store != self.origin:
            for origin in (self.origin, ELSEWHERE):
                self._ask_before_posting(ticket["url"], origin)
        page = {"Origin": self.origin}
        files = {ticket["file_field"]: (_NAME, content)}
        self.may_have_sent = True
        posted = self._http.post(ticket["url"], data=ticket["fields"], files=files, headers=page)
        self.may_have_sent = not posted.is_client_error
        check(posted.status_code == 204, f"The store refuses the form: {posted.status_code}.")
        if store != self.origin:
            check(_allowed(posted) in ("*", self.origin), "A browser would not let the page see that its form was taken.")
        return "the store takes a form from the page's own origin, and from no other"

    def _ask_before_posting(self, url: str, origin: str) -> None:
        asks = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
        answer = self._http.options(url, headers=asks)
        if origin == ELSEWHERE:
            _check_closed(answer, "the store")
        else:
            check(
                answer.is_success and _allowed(answer) in ("*", origin), f"The store takes nothing from the page at {origin}."
            )

    def serves(self, image_id: int, content: bytes) -> tuple[str, str]:
        """By redirect, bit for bit. Returns the signed URL as well, to which no key is sent."""
        redirects = [self.ask(method, f"/image/{image_id}") for method in ("GET", "HEAD")]
        check({each.status_code for each in redirects} == {302}, "An original is no redirect to the store.")
        url = redirects[0].headers["location"]
        whole, part = self._http.get(url), self._http.get(url, headers={"Range": "bytes=10-19"})
        check(whole.content == content, "The store serves other bytes than were sent.")
        named = f'filename="{_NAME}"' in whole.headers.get("content-disposition", "")
        is_itself = named and whole.headers.get("content-type") == _CONTENT_TYPE
        check(is_itself, "The store serves a file under another content type or name.")
        check((part.status_code, part.content) == (206, content[10:20]), "The store does not serve a part of a file.")
        closed = self._http.get(url.partition("?")[0])
        check(closed.status_code in (400, 403, 404), "The store serves a file without a signature.")
        return "the original comes from the store, whole and in part, and not without a signature", url

    def promises(self, url: str, wait_minutes: float) -> str:
        """That a signed URL lives as long as docs/api.md says, by its own word, and with `wait_minutes` in truth."""
        query = {name.lower(): values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        signed = datetime.strptime(query["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        left = signed + timedelta(seconds=int(query["x-amz-expires"])) - datetime.now(UTC)
        check(left > _LIFE - timedelta(minutes=1), f"A signed URL ends in {left}, before its time.")
        if not wait_minutes:
            return f"a signed URL says that it is good for {left.total_seconds() / 60:.0f} minutes more"
        time.sleep(wait_minutes * 60)
        check(self._http.get(url).status_code == 200, f"A signed URL has ended within {wait_minutes:g} minutes.")
        return f"a signed URL is still good after {wait_minutes:g} minutes"


def check(good: bool, sentence: str) -> None:
    """Raises `SmokeError`."""
    if not good:
        raise SmokeError(sentence)


def _check_refusal(answer: httpx.Response, status: int, code: str, what: str) -> None:
    check(answer.status_code == status, f"{what} is answered with {answer.status_code} where {status} is right.")
    try:
        said: Mapping[str, Any] = answer.json()
    except ValueError:
        said = {}
    check(said.get("Code") == code and said.keys() == {"Code", "Message"}, f"{what} is refused in another form: {answer.text}")


def _check_closed(answer: httpx.Response, what: str) -> None:
    check(_allowed(answer) not in ("*", ELSEWHERE), f"A page from elsewhere may use {what}.")


def _allowed(answer: httpx.Response) -> str | None:
    allowed: str | None = answer.headers.get("access-control-allow-origin")
    return allowed
