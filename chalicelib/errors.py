"""One exception per outcome that the HTTP contract names; each class is named as its `Code`.

Everything below the HTTP layer raises these and nothing that knows about HTTP frameworks.
"""

from typing import ClassVar

#: What an `UnavailableError` says where that is the reason.
DISK_FULL = "The disk is full: delete something or make room; nothing was lost, and what was accepted will be taken in then."


class RepositoryError(Exception):
    """A refusal with a sentence that says what is wrong and what would be right.

    `status` is the HTTP status the outcome has in the contract, the class name its `Code`.
    """

    status: ClassVar[int] = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def code(self) -> str:
        return type(self).__name__


class BadRequestError(RepositoryError):
    """The request itself cannot be understood: its form, its JSON, a parameter or the cursor."""

    status = 400


class UnauthorizedError(RepositoryError):
    """There is no key where one is required, or nothing of the form of a key."""

    status = 401


class ForbiddenError(RepositoryError):
    """The caller may not do this: the key is unknown, revoked or lacks the scope, or the request comes from a foreign page."""

    status = 403


class QuotaExceededError(RepositoryError):
    """The owner's limit of bytes, images or uploads under way is reached."""

    status = 403


class NotFoundError(RepositoryError):
    """There is no such thing for this owner. Another owner's looks exactly the same."""

    status = 404


class PayloadTooLargeError(RepositoryError):
    """More bytes than the repository takes."""

    status = 413


class UnsupportedImageError(RepositoryError):
    """The content is not one of the formats on the list."""

    status = 415


class BadImageError(RepositoryError):
    """The right format, but empty, damaged, truncated, or beyond the pixel or frame limits."""

    status = 422


class BadDigestError(RepositoryError):
    """The bytes are not those that were declared."""

    status = 422


class UnavailableError(RepositoryError):
    """The database or the store does not answer. Nothing was lost, and a later try may succeed.

    `cause` is for the operator: clients are told the message alone. It holds no secret, address or path.
    """

    status = 503

    def __init__(self, message: str, cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause

    @property
    def code(self) -> str:
        return UnavailableError.__name__

    def __str__(self) -> str:
        return f"{self.message} ({self.cause})" if self.cause else self.message


class MisconfiguredError(UnavailableError):
    """The database or the store is there, but cannot be used until somebody mends it: to wait for it is no use."""


class ForeignStoreError(RepositoryError):
    """Catalog and store do not belong together. No request ever meets it: what it is raised in does not begin to work."""


def revived(code: str, message: str) -> RepositoryError:
    """The refusal that was once recorded by its code and message."""
    for kind in RepositoryError.__subclasses__():
        if kind.__name__ == code:
            return kind(message)
    raise ValueError(f"{code!r} is not the code of any refusal")
