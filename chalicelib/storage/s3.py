"""The object store on AWS: one S3 bucket, or any server that speaks its protocol."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from chalicelib.errors import MisconfiguredError, UnavailableError
from chalicelib.sigv4 import Credentials
from chalicelib.storage.keys import ASIDE, REPOSITORY_ID, SECTIONS, aside, day_aside, is_key, original
from chalicelib.storage.port import Disposition, ObjectChanged, ObjectMissing, StoredObject, Ticket
from chalicelib.storage.s3_errors import answering, check_library
from chalicelib.storage.s3_presign import S3Presigner

if TYPE_CHECKING:
    from boto3.session import Session

_CHUNK = 1024 * 1024
_DELETED_AT_ONCE = 1000
#: How often reading an object goes on where its connection broke.
_RESUMPTIONS = 3
#: A storage id that nothing has.
_NOBODYS = "0" * 32


class S3Store:
    """An `ObjectStore` in `bucket`; safe for many threads. boto3 is imported by the first method that needs it.

    Without `credentials`, those that boto3 finds are used. The role needs `s3:ListBucket`: without it S3 calls an object
    that is missing a forbidden one.
    """

    def __init__(
        self,
        bucket: str,
        region: str,
        clock: Callable[[], datetime],
        endpoint_url: str | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        self._bucket = bucket
        self._region = region
        self._endpoint_url = endpoint_url
        self._fixed_credentials = credentials
        self._presigner = S3Presigner(bucket, region, endpoint_url, self._credentials, clock)
        self._lock = threading.RLock()
        self._known_session: Session | None = None
        self._known_client: Any = None

    @property
    def name(self) -> str:
        return f"the bucket {self._bucket}" + (f" at {self._endpoint_url}" if self._endpoint_url else "")

    @property
    def origin(self) -> str:
        return self._presigner.origin

    def put(self, key: str, content: bytes, content_type: str) -> None:
        with answering():
            self._client.put_object(Bucket=self._bucket, Key=_writable(key), Body=content, ContentType=content_type)

    @contextmanager
    def open(self, key: str) -> Iterator["_S3Reading"]:
        with answering():
            reading = _S3Reading(self._client, Bucket=self._bucket, Key=_readable(key))
        try:
            yield reading
        finally:
            reading.close()

    def copy(self, source: str, etag: str, target: str, content_type: str) -> None:
        _writable(target)
        with answering():
            self._client.copy_object(
                Bucket=self._bucket,
                Key=target,
                CopySource={"Bucket": self._bucket, "Key": _readable(source)},
                CopySourceIfMatch=etag,
                MetadataDirective="REPLACE",
                ContentType=content_type,
            )

    def head(self, key: str) -> StoredObject | None:
        try:
            with answering():
                found = self._client.head_object(Bucket=self._bucket, Key=_readable(key))
        except ObjectMissing:
            return None
        return StoredObject(key, found["ContentLength"], found["LastModified"].astimezone(UTC))

    def delete(self, keys: Iterable[str]) -> None:
        self._delete(filter(is_key, keys))

    def forget_earlier(self, key: str) -> None:
        """S3 names the newest version first. A role that may not see versions leaves them to the bucket's own rules."""
        with suppress(MisconfiguredError):
            with answering():
                pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=_readable(key))
                found = [version for page in pages for version in page.get("Versions", ()) if version["Key"] == key]
            self._delete_each({"Key": key, "VersionId": version["VersionId"]} for version in found[1:])

    def _delete(self, keys: Iterable[str]) -> None:
        self._delete_each({"Key": key} for key in keys)

    def _delete_each(self, named: Iterator[dict[str, str]]) -> None:
        while batch := list(islice(named, _DELETED_AT_ONCE)):
            with answering():
                done = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": batch, "Quiet": True})
            for failed in done.get("Errors", ()):
                raise UnavailableError(f"The store does not answer: {failed['Code']}.")

    def set_aside(self, keys: Iterable[str], now: datetime) -> None:
        """A bucket that keeps versions does so by itself; in another one they are copied first."""
        going = list(filter(is_key, keys))
        if not self._keeps_versions():
            for key in going:
                with suppress(ObjectMissing), answering():
                    source = {"Bucket": self._bucket, "Key": key}
                    self._client.copy_object(Bucket=self._bucket, Key=aside(now.date(), key), CopySource=source)
        self._delete(going)

    def forget_aside(self, before: date, *, dry_run: bool) -> int:
        past = [found["Key"] for found in self._found(ASIDE) if (day_aside(found["Key"]) or before) < before]
        if not dry_run:
            self._delete(past)
        return len(past)

    def _keeps_versions(self) -> bool:
        try:
            with answering():
                return bool(self._client.get_bucket_versioning(Bucket=self._bucket).get("Status") == "Enabled")
        except (UnavailableError, ObjectMissing):  # servers that do not know the question, or may not be asked it
            return False

    def repository_id(self) -> str | None:
        try:
            with answering():
                content: bytes = self._client.get_object(Bucket=self._bucket, Key=REPOSITORY_ID)["Body"].read()
        except ObjectMissing:
            return None
        return content.decode("ascii", "replace").strip()

    def keep_repository_id(self, repository_id: str) -> None:
        with answering():
            self._client.put_object(Bucket=self._bucket, Key=REPOSITORY_ID, Body=repository_id.encode("ascii"))

    def list(self, prefix: str, after: str = "") -> Iterator[StoredObject]:
        if prefix not in SECTIONS:
            raise ValueError(f"{prefix!r} is not one of {', '.join(SECTIONS)}")
        for found in self._found(prefix, after):
            if is_key(found["Key"]):
                yield StoredObject(found["Key"], found["Size"], found["LastModified"].astimezone(UTC))

    def _found(self, prefix: str, after: str = "") -> Iterator[dict[str, Any]]:
        """What S3 says of each object under a prefix, in order."""
        begin = {"StartAfter": after} if after else {}
        with answering():
            pages = iter(self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix, **begin))
        while True:
            with answering():
                page = next(pages, None)
            if page is None:
                return
            yield from page.get("Contents", ())

    def raise_event(self, key: str) -> None:
        """By copying the object onto itself, as nothing else makes S3 speak of it again."""
        with answering():
            found = self._client.head_object(Bucket=self._bucket, Key=_readable(key))
        with suppress(ObjectChanged):  # it was sent again meanwhile, and that was an event
            self.copy(key, found["ETag"], key, found["ContentType"])

    def ticket(self, key: str, size: int, expires_at: datetime) -> Ticket:
        return self._presigner.ticket(key, size, expires_at)

    def url(self, key: str, content_type: str, file_name: str, disposition: Disposition) -> str:
        return self._presigner.url(key, content_type, file_name, disposition)

    def check(self) -> None:
        # That there is no such object is an answer; a HEAD would say the same of a bucket that there is not.
        with suppress(ObjectMissing), self.open(original(_NOBODYS)):
            pass

    def check_writing(self) -> None:
        """A bucket that answers takes writes; what else a role may do there is not found out by trying."""
        self.check()

    def _credentials(self) -> Credentials:
        if self._fixed_credentials is not None:
            return self._fixed_credentials
        with answering():
            found = self._session.get_credentials()
            keys = found.get_frozen_credentials() if found else None
        if keys is None or keys.access_key is None or keys.secret_key is None:
            raise UnavailableError("The store cannot be asked: there are no AWS credentials.")
        return Credentials(keys.access_key, keys.secret_key, keys.token)

    @property
    def _session(self) -> "Session":
        with self._lock:
            if self._known_session is None:
                from boto3.session import Session

                fixed = self._fixed_credentials
                self._known_session = Session(
                    aws_access_key_id=fixed.access_key if fixed else None,
                    aws_secret_access_key=fixed.secret_key if fixed else None,
                    aws_session_token=fixed.token if fixed else None,
                    region_name=self._region,
                )
            return self._known_session

    @property
    def _client(self) -> Any:
        with self._lock:
            if self._known_client is None:
                import botocore
                from botocore.config import Config

                check_library(botocore.__version__)
                config = Config(
                    connect_timeout=3,
                    read_timeout=30,
                    retries={"total_max_attempts": 3, "mode": "standard"},
                    s3={"addressing_style": "virtual" if self._endpoint_url is None else "path"},
                    # Servers that only speak S3's protocol know these of old or not at all; TLS guards the bytes on their way.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                )
                self._known_client = self._session.client("s3", endpoint_url=self._endpoint_url, config=config)
            return self._known_client


class _S3Reading:
    """One version of an object, pinned by its ETag; where a connection breaks, reading goes on over another."""

    def __init__(self, client: Any, **named: str) -> None:
        self._client = client
        self._named = named
        first = client.get_object(**named)
        self._body: Any = first["Body"]
        self._position = 0
        self.etag: str = first["ETag"]
        self.size: int = first["ContentLength"]
        self.modified: datetime = first["LastModified"].astimezone(UTC)

    def close(self) -> None:
        self._body.close()

    def chunks(self) -> Iterator[bytes]:
        from botocore.exceptions import BotoCoreError
        from urllib3.exceptions import HTTPError

        position = breaks = 0
        while position < self.size:
            if self._position != position:
                self._go_on_from(position)
            try:
                chunk: bytes = self._body.read(min(_CHUNK, self.size - position))
            except (BotoCoreError, HTTPError) as error:
                breaks += 1
                if breaks > _RESUMPTIONS:
                    raise UnavailableError("The store does not answer: its connections break.") from error
                self._go_on_from(position)
            else:
                position += len(chunk)
                self._position = position
                yield chunk

    def _go_on_from(self, position: int) -> None:
        self._body.close()
        try:
            with answering():
                rest = self._client.get_object(**self._named, IfMatch=self.etag, Range=f"bytes={position}-")
        except ObjectMissing:
            raise ObjectChanged from None
        self._body, self._position = rest["Body"], position


def _writable(key: str) -> str:
    if not is_key(key):
        raise ValueError(f"{key!r} is not a key")
    return key


def _readable(key: str) -> str:
    if not is_key(key):
        raise ObjectMissing(key)
    return key
