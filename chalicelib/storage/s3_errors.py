"""What S3 answers instead, as what it means: an object that is not there, a store that is down, or something to mend."""

from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.errors import MisconfiguredError, UnavailableError
from chalicelib.storage.port import ObjectChanged, ObjectMissing

_CREDENTIALS = "S3 does not take the credentials: see AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role"
_REGION = "the bucket is in another region: see AWS_REGION"
#: What somebody has to mend: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and botocore's exceptions.
_TO_MEND = {
    "NoSuchBucket": "there is no such bucket: see IMAGE_BUCKET",
    "InvalidBucketName": "no bucket can have that name: see IMAGE_BUCKET",
    "ParamValidationError": "no bucket can have that name: see IMAGE_BUCKET",
    "AllAccessDisabled": "the bucket is closed",
    "AccessDenied": "the credentials may not do this in the bucket: see their policy, and IMAGE_BUCKET",
    "403": "the credentials may not do this in the bucket: see their policy, and IMAGE_BUCKET",
    "InvalidAccessKeyId": _CREDENTIALS,
    "SignatureDoesNotMatch": _CREDENTIALS,
    "InvalidToken": _CREDENTIALS,
    "NoCredentialsError": _CREDENTIALS,
    "PartialCredentialsError": _CREDENTIALS,
    "RequestTimeTooSkewed": "this machine's clock is wrong",
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
}


#: The first that knows what we ask of it: which checksums to leave out. On Lambda it is the runtime's, and not in our package:
#: it would be two thirds of it.
_OLDEST = (1, 36)


def check_library(version: str) -> None:
    """Raises `MisconfiguredError` for a botocore that is too old."""
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
        needed = ".".join(map(str, _OLDEST))
        raise MisconfiguredError("The store cannot be asked.", f"boto3 {version} is too old: it must be {needed} or later")


@contextmanager
def answering() -> Iterator[None]:
    """What S3 says about an object is told as such; whatever else goes wrong is a store that is down."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in {"NoSuchKey", "404"}:
            raise ObjectMissing from error
        if code in {"PreconditionFailed", "412"}:
            raise ObjectChanged from error
        raise _unavailable(code, f"{error.operation_name}: {code}") from error
    except BotoCoreError as error:
        raise _unavailable(type(error).__name__, type(error).__name__) from error


def _unavailable(code: str, told: str) -> UnavailableError:
    message = f"The store does not answer: {code}."
    if code in _TO_MEND:
        return MisconfiguredError(message, f"{_TO_MEND[code]} [{told}]")
    return UnavailableError(message, f"S3 does not do what it is asked [{told}]")
