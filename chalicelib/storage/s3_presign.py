"""Signed permissions to use a bucket, made without a client: that a listing of fifty images needs none, nor boto3's import."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from chalicelib import sigv4
from chalicelib.storage.disposition import content_disposition
from chalicelib.storage.port import Disposition, Ticket


class S3Presigner:
    """Mints tickets and URLs for one bucket: at its regional endpoint under its own host name, or below an `endpoint_url`.

    `credentials` is asked each time, as those of a role change; a URL is the same for as long as they are, and never
    outlives them.
    """

    def __init__(
        self,
        bucket: str,
        region: str,
        endpoint_url: str | None,
        credentials: Callable[[], sigv4.Credentials],
        clock: Callable[[], datetime],
    ) -> None:
        self._bucket = bucket
        self._region = region
        self._credentials = credentials
        self._clock = clock
        if endpoint_url is None:
            self._base = f"https://{bucket}.s3.{region}.{_suffix(region)}/"
        else:
            self._base = f"{endpoint_url.rstrip('/')}/{bucket}/"
        #: Scheme and host of every ticket and signed URL.
        self.origin = "{0.scheme}://{0.netloc}".format(urlsplit(self._base))
        self._host = urlsplit(self._base).netloc
        self._path = urlsplit(self._base).path

    def ticket(self, key: str, size: int, expires_at: datetime) -> Ticket:
        """A ticket to post exactly `size` bytes under exactly `key`."""
        now = self._clock()
        fields = sigv4.post_fields(self._credentials(), self._region, self._bucket, key, size, expires_at, now)
        return Ticket(self._base, fields)

    def url(self, key: str, content_type: str, file_name: str, disposition: Disposition) -> str:
        """A URL that serves the object for one to two hours, the same for all who ask within one hour of the clock."""
        date = sigv4.amz_date(sigv4.window_start(self._clock()))
        served = content_disposition(disposition, file_name)
        query = sigv4.presigned_get(self._credentials(), self._region, self._host, self._path + key, date, served, content_type)
        return f"{self._base}{key}?{query}"


def _suffix(region: str) -> str:
    """The domain of AWS's services there: China has its own. GovCloud has not."""
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
