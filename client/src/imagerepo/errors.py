"""What may go wrong, as exceptions whose text is one sentence for people. None of them holds a key or a signed URL."""


class ImageRepoError(Exception):
    """Anything this package raises on purpose."""


class ApiError(ImageRepoError):
    """The server refused, in the words of its contract.

    `status` is the HTTP status, `code` the stable name of the refusal (such as `QuotaExceededError`), `message` its sentence.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.status = status
        self.code = code
        self.message = message


class NotFoundError(ApiError):
    """The server knows no such image or upload of this owner's."""


class AccessError(ApiError):
    """The server asks for a key, or for another one (401, or 403 `ForbiddenError`)."""


class UnavailableError(ImageRepoError):
    """Server or store did not give a usable answer for as long as was allowed; a later try may succeed."""


class StoreError(ImageRepoError):
    """The store refused; `status` is its HTTP status, `code` the one in its answer, or empty."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"The store refused with status {status}{f' ({code})' if code else ''}.")
        self.status = status
        self.code = code


class FileChangedError(ImageRepoError):
    """A local file changed while it was read."""


class DigestError(ImageRepoError):
    """What was downloaded is not the file whose SHA-256 the server names."""


class StoppedError(ImageRepoError):
    """The work was called off from outside while it was under way."""
