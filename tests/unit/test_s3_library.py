"""Which boto3 will do: on Lambda it is the runtime's, which nobody pins."""

import botocore
import pytest

from chalicelib.errors import MisconfiguredError
from chalicelib.storage.s3_errors import check_library


@pytest.mark.parametrize("version", [botocore.__version__, "1.36.0", "1.100.0", "2.0.0", "1.36.0rc1"])
def test_what_is_new_enough_is_taken(version: str) -> None:
    check_library(version)


@pytest.mark.parametrize("version", ["1.35.99", "1.9.0", "0.99.1"])
def test_what_is_too_old_is_named(version: str) -> None:
    with pytest.raises(MisconfiguredError) as refused:
        check_library(version)
    assert version in (refused.value.cause or "")
