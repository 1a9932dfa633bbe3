"""Signed permissions to use the local store over HTTP, shaped and judged as those of S3."""

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chalicelib import sigv4
from chalicelib.storage.disk_policy import StoreError, check_policy
from chalicelib.storage.disposition import content_disposition
from chalicelib.storage.port import Disposition, Ticket

__all__ = ["BUCKET", "Grant", "Presigner", "StoreError"]

#: What stands in for a bucket, an access key and a region where there is only a folder.
BUCKET = _ACCESS_KEY = _REGION = "local"
_REQUIRED_FIELDS = ("key", "policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature")
_RESPONSE_PARAMETERS = ("response-cache-control", "response-content-disposition", "response-content-type")
_URL_PARAMETERS = {"key", "X-Amz-Date", "X-Amz-Expires", *_RESPONSE_PARAMETERS}


@dataclass(frozen=True, slots=True)
class Grant:
    """What a signed URL permits: to read this object, served with these headers."""

    key: str
    cache_control: str
    content_disposition: str
    content_type: str


class Presigner:
    """Mints tickets and URLs below `url_base`, and checks what comes back. Pure but for the clock, which tells UTC."""

    def __init__(self, secret: bytes, url_base: str, clock: Callable[[], datetime]) -> None:
        self._secret = secret
        self._credentials = sigv4.Credentials(_ACCESS_KEY, secret.hex())
        self._url_base = url_base
        self._clock = clock

    def ticket(self, key: str, size: int, expires_at: datetime) -> Ticket:
        """A ticket to post exactly `size` bytes under exactly `key`."""
        fields = sigv4.post_fields(self._credentials, _REGION, BUCKET, key, size, expires_at, self._clock())
        return Ticket(self._url_base, fields)

    def url(self, key: str, content_type: str, file_name: str, disposition: Disposition) -> str:
        """A URL that serves the object for one to two hours, the same for all who ask within one hour of the clock."""
        query = sigv4.canonical_query(
            [
                ("key", key),
                ("response-cache-control", sigv4.CACHE_CONTROL),
                ("response-content-type", content_type),
                ("response-content-disposition", content_disposition(disposition, file_name)),
                ("X-Amz-Date", sigv4.amz_date(sigv4.window_start(self._clock()))),
                ("X-Amz-Expires", str(sigv4.URL_SECONDS)),
            ]
        )
        return f"{self._url_base}?{query}&X-Amz-Signature={self._query_signature(query)}"

    def check_post(self, fields: Iterable[tuple[str, str]], size: int | None) -> str:
        """The key that a form (its fields in order, less the file, and the file's size) may write, or `StoreError`.

        With a size of `None` everything else is judged: before the file has come.
        """
        form = _single_fields(fields)
        for name in _REQUIRED_FIELDS:
            if not form.get(name):
                raise StoreError(400, "InvalidArgument", f"Bucket POST must contain a field named '{name}', before the file.")
        self._check_form_signature(form)
        check_policy(form["policy"], form, BUCKET, size, self._clock())
        return form["key"]

    def check_get(self, parameters: Iterable[tuple[str, str]]) -> Grant:
        """What a URL's query (every parameter, decoded) permits, or `StoreError`."""
        given = list(parameters)
        signatures = [value for name, value in given if name == "X-Amz-Signature"]
        signed = [(name, value) for name, value in given if name != "X-Amz-Signature"]
        if len(signatures) != 1:
            raise StoreError(403, "AccessDenied", "Access Denied")
        if not _equal(signatures[0], self._query_signature(sigv4.canonical_query(signed))):
            raise _signature_mismatch()
        values = dict(signed)
        if len(values) != len(signed) or values.keys() != _URL_PARAMETERS:
            raise StoreError(403, "AccessDenied", "Access Denied")
        self._check_lifetime(values["X-Amz-Date"], values["X-Amz-Expires"])
        return Grant(values["key"], *(values[name] for name in _RESPONSE_PARAMETERS))

    def _query_signature(self, query: str) -> str:
        return hmac.digest(self._secret, f"GET\n{query}".encode(), "sha256").hex()

    def _check_form_signature(self, form: Mapping[str, str]) -> None:
        if form["x-amz-algorithm"] != sigv4.ALGORITHM:
            raise StoreError(400, "InvalidArgument", f"x-amz-algorithm must be {sigv4.ALGORITHM}")
        access_key, _, scope = form["x-amz-credential"].partition("/")
        if access_key != _ACCESS_KEY:
            raise StoreError(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        date = form["x-amz-date"]
        expected = sigv4.sign(self._credentials.secret_key, date, _REGION, form["policy"])
        if scope != sigv4.scope(date, _REGION) or not _equal(form["x-amz-signature"], expected):
            raise _signature_mismatch()

    def _check_lifetime(self, date: str, seconds: str) -> None:
        try:
            begins = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            ends = begins + timedelta(seconds=int(seconds))
        except (ValueError, OverflowError):
            raise StoreError(400, "AuthorizationQueryParametersError", "X-Amz-Date or X-Amz-Expires is malformed") from None
        if self._clock() >= ends:
            raise StoreError(403, "AccessDenied", "Request has expired")


def _single_fields(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The fields by name in lower case, as S3 compares them."""
    form: dict[str, str] = {}
    for name, value in fields:
        if name.lower() in form:
            raise StoreError(400, "InvalidArgument", f"The field '{name}' is given more than once.")
        form[name.lower()] = value
    return form


def _equal(given: str, expected: str) -> bool:
    """In constant time, and for any text."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _signature_mismatch() -> StoreError:
    message = "The request signature we calculated does not match the signature you provided."
    return StoreError(403, "SignatureDoesNotMatch", message)
