"""Whether a form post is what its POST policy permits, judged as S3 judges it and knowing nothing of who wrote the policy."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

#: Fields that no condition need mention; so are those whose name begins with `x-ignore-`.
_EXEMPT = {"file", "policy", "x-amz-signature"}


class StoreRefusal(Exception):
    """The store's answer to a request that it refuses, in S3's own terms."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def check_policy(policy: str, fields: Mapping[str, str], bucket: str, size: int | None, now: datetime) -> None:
    """Return when a post of `fields` (names in lower case) and `size` bytes fits `policy`; else raise `StoreRefusal`.

    A size of `None` is not known yet, and not judged.
    """
    document = _decoded(policy)
    if now >= _expiration(document):
        raise StoreRefusal(403, "AccessDenied", "Invalid according to Policy: Policy expired.")
    conditions = document.get("conditions")
    if not isinstance(conditions, list):
        raise _malformed("Policy missing conditions.")
    uncovered = {name for name in fields if name not in _EXEMPT and not name.startswith("x-ignore-")}
    values = {"bucket": bucket, **fields}
    for condition in conditions:
        match condition:
            case ["content-length-range", low, high]:
                _check_size(low, high, size)
            case [str(operator), str(variable), str(expected)] if variable.startswith("$"):
                uncovered.discard(_check_field(operator.lower(), variable[1:].lower(), expected, values))
            case dict() if len(condition) == 1:
                ((name, expected),) = condition.items()
                if not isinstance(expected, str):
                    raise _malformed("Invalid Simple-Condition: value must be a string.")
                uncovered.discard(_check_field("eq", name.lower(), expected, values))
            case _:
                raise _malformed("Invalid condition.")
    if uncovered:
        raise StoreRefusal(403, "AccessDenied", f"Invalid according to Policy: Extra input fields: {min(uncovered)}")


def _malformed(reason: str) -> StoreRefusal:
    return StoreRefusal(400, "InvalidPolicyDocument", f"Invalid Policy: {reason}")


def _decoded(policy: str) -> dict[str, Any]:
    try:
        document = json.loads(base64.b64decode(policy, validate=True))
    except (ValueError, RecursionError):
        raise _malformed("Invalid JSON.") from None
    if not isinstance(document, dict):
        raise _malformed("Invalid JSON.")
    return document


def _expiration(document: Mapping[str, Any]) -> datetime:
    try:
        expiration = datetime.fromisoformat(document["expiration"])
    except KeyError:
        raise _malformed("Policy missing expiration.") from None
    except (TypeError, ValueError):
        raise _malformed("Invalid 'expiration' value.") from None
    if expiration.tzinfo is None:
        raise _malformed("Invalid 'expiration' value.")
    return expiration


def _check_size(low: object, high: object, size: int | None) -> None:
    if type(low) is not int or type(high) is not int:
        raise _malformed("Invalid content-length-range: the limits must be integers.")
    if size is None:
        return
    if size > high:
        raise StoreRefusal(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
    if size < low:
        raise StoreRefusal(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")


def _check_field(operator: str, name: str, expected: str, values: Mapping[str, str]) -> str:
    """Return the name of the field that the condition covers."""
    value = values.get(name, "")
    if operator == "eq":
        fits = value == expected
    elif operator == "starts-with":
        fits = value.startswith(expected)
    else:
        raise _malformed("Invalid condition operator.")
    if not fits:
        failed = json.dumps([operator, f"${name}", expected])
        raise StoreRefusal(403, "AccessDenied", f"Invalid according to Policy: Policy Condition failed: {failed}")
    return name
