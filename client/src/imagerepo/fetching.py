"""Getting an original into a local file: in pieces, going on after a break, and trusted only when its digest is right."""

from pathlib import Path
from typing import BinaryIO

import httpx

from imagerepo.errors import DigestError
from imagerepo.localfile import OnBytes, open_partial, sha256_of
from imagerepo.models import Details
from imagerepo.retrying import PassingFault
from imagerepo.transport import Transport


def fetch(transport: Transport, url: str, details: Details, partial: Path, on_bytes: OnBytes) -> None:
    """Complete the file `partial`. Raises `StoreError`, `UnavailableError`, `OSError`, or, the file removed, `DigestError`."""

    def attempt() -> None:
        with open_partial(partial) as file:
            have = file.tell()
            if have == details.byte_size:
                return
            try:
                _append(transport, url, details, file, on_bytes)
            except PassingFault as fault:
                raise PassingFault(fault.reason, fault.wait, progressed=file.tell() > have) from None

    transport.retrying.run(attempt)
    if sha256_of(partial)[1].hex() != details.sha256:
        partial.unlink()
        raise DigestError("What came is not the file that the server names: it was thrown away.")


def _append(transport: Transport, url: str, details: Details, file: BinaryIO, on_bytes: OnBytes) -> None:
    have = file.tell()
    if have > details.byte_size:
        have = _empty(file)
    headers = {"Range": f"bytes={have}-"} if have else {}
    with transport.open(url, headers) as response:
        if have and not (response.status_code == 206 and _starts_at(response, have)):
            _empty(file)
        if response.status_code == 416:
            raise PassingFault("The store does not go on where the download broke off.")
        for piece in response.iter_raw():  # as it comes: what was gathered into chunks would be lost with the connection
            if file.tell() + len(piece) > details.byte_size:
                raise _other_length(file)
            file.write(piece)
            on_bytes(len(piece))
    if file.tell() != details.byte_size:
        raise _other_length(file)


def _other_length(file: BinaryIO) -> DigestError:
    _empty(file)
    return DigestError("What came has another length than the server names: it was thrown away.")


def _empty(file: BinaryIO) -> int:
    file.seek(0)
    return file.truncate()


def _starts_at(response: httpx.Response, first: int) -> bool:
    return bool(response.headers.get("content-range", "").startswith(f"bytes {first}-"))
