"""Whether a form post is what its POST policy permits: of S3's language of policies, the one shape that tickets have."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

#: Fields that a policy says nothing of; nor does it of those whose name begins with `x-ignore-`.
_EXEMPT = {"file", "policy", "x-amz-signature"}


class StoreError(Exception):
    """The store's answer to a request that it refuses, in S3's own terms."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class _Policy(msgspec.Struct, forbid_unknown_fields=True):
    expiration: Annotated[datetime, Meta(tz=True)]
    conditions: list[dict[str, str] | tuple[Literal["content-length-range"], int, int]]


def check_policy(policy: str, fields: Mapping[str, str], bucket: str, size: int | None, now: datetime) -> None:
    """Return when a post of `fields` (names in lower case) and `size` bytes fits `policy`; else raise `StoreError`.

    A size of `None` is not known yet, and not judged.
    """
    try:
        document = msgspec.json.decode(base64.b64decode(policy, validate=True), type=_Policy)
    except (ValueError, RecursionError):
        raise StoreError(400, "InvalidPolicyDocument", "Invalid Policy: not one of this store's.") from None
    if now >= document.expiration:
        raise StoreError(403, "AccessDenied", "Invalid according to Policy: Policy expired.")
    values = [condition for condition in document.conditions if isinstance(condition, dict)]
    given = {name: value for name, value in fields.items() if name not in _EXEMPT and not name.startswith("x-ignore-")}
    if {name: value for condition in values for name, value in condition.items()} != {"bucket": bucket, **given}:
        raise StoreError(403, "AccessDenied", "Invalid according to Policy: its fields are not those that were signed.")
    for condition in document.conditions:
        if not isinstance(condition, dict) and size is not None:
            _check_size(size, *condition[1:])


def _check_size(size: int, low: int, high: int) -> None:
    if size > high:
        raise StoreError(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
    if size < low:
        raise StoreError(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
