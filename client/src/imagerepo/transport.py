"""HTTP as this package uses it: one connection pool for the server, which alone is given the key, one for the store."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from imagerepo import __version__
from imagerepo.errors import AccessError, ApiError, ImageRepoError, NotFoundError, StoreError, UnavailableError
from imagerepo.retrying import PassingFault, Retrying, check, transport_fault

T = TypeVar("T")

Parameters = Sequence[tuple[str, str]]

#: An upload in one request is answered after 20 seconds at the latest, a gateway's patience is 30.
_TIMEOUT = httpx.Timeout(60.0, connect=10.0, pool=None)
#: As many connections as there are threads to use them.
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=32)
#: The largest answer of the contract, 200 images with all they carry, is far below.
_MOST_ANSWER_BYTES = 32 << 20
_HEADERS = {"User-Agent": f"imagerepo/{__version__}", "Accept-Encoding": "identity"}


class Transport:
    """Requests to the server at `base`, and to the URLs it signs. Safe for many threads."""

    def __init__(self, base: str, key: str | None, patience: float, stop: threading.Event) -> None:
        self.base = checked_base(base)
        self.host = urlsplit(self.base).netloc
        self.retrying = Retrying(patience, stop)
        credentials = {"Authorization": f"Bearer {checked_key(key)}"} if key else {}
        self._server = httpx.Client(headers={**_HEADERS, **credentials}, timeout=_TIMEOUT, limits=_LIMITS)
        self._store = httpx.Client(headers=_HEADERS, timeout=_TIMEOUT, limits=_LIMITS)

    def close(self) -> None:
        self._server.close()
        self._store.close()

    def ask(self, kind: type[T], method: str, path: str, parameters: Parameters = (), **content: Any) -> T:
        """The server's JSON as `kind`. `content` goes to httpx (`json`, `files`). Raises `ApiError`, `UnavailableError`."""
        return self.decoded(kind, self.request(method, path, parameters, **content))

    def decoded(self, kind: type[T], response: httpx.Response) -> T:
        """The body as `kind`. Raises `ImageRepoError` when it is something else."""
        if response.is_redirect:
            raise ImageRepoError(f"{self.host} redirects: give the address that it redirects to, with https if that is it.")
        try:
            return msgspec.json.decode(response.content, type=kind)
        except msgspec.ValidationError as problem:
            raise self.strange(str(problem)) from None
        except (ValueError, RecursionError):
            raise self.strange("what it sends is not JSON") from None

    def strange(self, reason: str) -> ImageRepoError:
        """For an answer that is none of the contract's."""
        return ImageRepoError(f"{self.host} does not answer as an image repository does: {reason}.")

    def request(self, method: str, path: str, parameters: Parameters = (), **content: Any) -> httpx.Response:
        """A response below 400, its body read; redirects are not followed, so that the key stays with the server."""

        response = self.retrying.run(lambda: check(self._attempt(method, path, parameters, **content)))
        if response.status_code >= 400:
            raise _api_error(response, self.host)
        return response

    def ask_once(self, kind: type[T], method: str, path: str, statuses: Set[int]) -> T:
        """The server's JSON as `kind`, without a second try, where the answer has one of these statuses."""
        try:
            response = self._attempt(method, path)
        except PassingFault as problem:
            raise UnavailableError(str(problem)) from None
        if response.status_code not in statuses:
            raise _api_error(response, self.host)
        return self.decoded(kind, response)

    def _attempt(self, method: str, path: str, parameters: Parameters = (), **content: Any) -> httpx.Response:
        with self._faults(self.host):
            request = self._server.build_request(method, self.base + path, params=list(parameters), **content)
            return self._read(self._server.send(request, stream=True))

    def post_form(self, url: str, fields: Mapping[str, str], files: Mapping[str, Any], may_retry: Callable[[], bool]) -> None:
        """Post a form to the store. Raises `StoreError` when it refuses, or when a fault comes that `may_retry` denies."""

        def attempt() -> None:
            try:
                with self._faults(urlsplit(url).netloc):
                    response = self._read(
                        self._store.send(self._signed("POST", url, data=dict(fields), files=files), stream=True)
                    )
                check(response)
            except PassingFault:
                if not may_retry():
                    raise StoreError(403, "expired") from None
                raise
            if response.status_code not in (201, 204):
                raise _store_error(response)

        self.retrying.run(attempt)

    @contextmanager
    def open(self, url: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """One attempt to get a signed URL, its body not yet read. Raises `StoreError`, or `PassingFault`, also on the way."""
        with self._faults(urlsplit(url).netloc):
            response = self._store.send(self._signed("GET", url, headers=dict(headers)), stream=True)
            try:
                if response.status_code not in (200, 206, 416):
                    refusal = check(self._read(response))
                    raise _store_error(refusal)
                yield response
            finally:
                response.close()

    def _read(self, response: httpx.Response) -> httpx.Response:
        """The response with its body, which holds to a bound and comes as it was asked for: not packed."""
        content = bytearray()
        try:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise self.strange("it packs its answers although it was asked not to")
            for piece in response.iter_raw():
                content += piece
                if len(content) > _MOST_ANSWER_BYTES:
                    raise self.strange(f"an answer has more than {_MOST_ANSWER_BYTES:,} bytes")
        finally:
            response.close()
        return httpx.Response(response.status_code, headers=response.headers, content=bytes(content), request=response.request)

    def _signed(self, method: str, url: str, **content: Any) -> httpx.Request:
        """The query, which may be a signature, travels beside the URL: httpx logs the URL."""
        path, mark, query = url.partition("?")
        request = self._store.build_request(method, path, **content)
        if mark:
            request.extensions["target"] = request.url.raw_path + b"?" + query.encode("ascii")
        return request

    @contextmanager
    def _faults(self, host: str) -> Iterator[None]:
        try:
            yield
        except httpx.RequestError as problem:
            raise transport_fault(problem, host) from None


def checked_base(text: str) -> str:
    """The server's address without a trailing slash. Raises `ValueError` for one that cannot be used."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
        has_user, _ = "@" in parts.netloc, parts.port
        httpx.URL(text)
    except (ValueError, httpx.InvalidURL):
        usable, has_user = False, False
    if has_user:
        raise ValueError("The server's address must not hold a user or password: give the key by itself.")
    if not usable:
        raise ValueError(f"The server's address must look like https://pictures.example.org, not {text!r}.")
    return text.rstrip("/")


def checked_key(key: str) -> str:
    """Raises `ValueError`, which does not quote the key."""
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise ValueError("The key holds characters that no key has: check how it was copied.")
    return key


def _api_error(response: httpx.Response, host: str) -> ApiError:
    try:
        body = response.json()
        code, message = str(body["Code"]), str(body["Message"])
    except (ValueError, KeyError, TypeError):
        code, message = "UnknownError", f"{host} answers with status {response.status_code}, not as an image repository does."
    if response.status_code == 404:
        return NotFoundError(404, code, message)
    if response.status_code == 401 or code == "ForbiddenError":
        return AccessError(response.status_code, code, message)
    return ApiError(response.status_code, code, message)


def _store_error(response: httpx.Response) -> StoreError:
    """S3 names its reason in an element of its XML."""
    _, _, rest = response.text.partition("<Code>")
    code = rest.partition("</Code>")[0]
    return StoreError(response.status_code, code if code.isalnum() and len(code) < 50 else "")
