"""Request bodies as they come over a socket: by length or in chunks, within a bound and a time."""

import io
import re
import socket
import time
from collections.abc import Iterator
from email.message import Message

from chalicelib.errors import BadRequestError, PayloadTooLargeError

_PIECE = 1 << 18
_LONGEST_LINE = 4096
#: How long a body may take besides the time that its bytes take at the slowest rate that is waited for, a bad phone line's.
_BODY_SECONDS, _BYTES_PER_SECOND = 60.0, 10_000
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n]*)?\r\n")


class TimedSocket(io.RawIOBase):
    """What a socket receives, until `deadline` (by `time.monotonic`): then reading raises `TimeoutError`.

    A time-out for each byte would let who sends one now and then hold a thread for ever.
    """

    def __init__(self, connection: socket.socket, write_seconds: float) -> None:
        self._connection = connection
        self._write_seconds = write_seconds
        self.deadline = 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # what io's own readers hand over
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(self._write_seconds)


class Body:
    """The body that the headers of one request announce; iterating gives its bytes, once.

    Raises `BadRequestError` for headers that do not say clearly where the body ends, and while iterating where it breaks
    off or does not come in time; `PayloadTooLargeError` as soon as it is known to have more than `most` bytes.
    `finished` is whether the next request on the connection begins where this one was left.
    """

    def __init__(self, headers: Message, stream: "io.BufferedReader[TimedSocket]", clock: TimedSocket, most: int) -> None:
        self._stream = stream
        self._clock = clock
        self._most = most
        self._chunked = _is_chunked(headers)
        self._length = 0 if self._chunked else _length(headers)
        self.finished = not self._chunked and self._length == 0

    def check(self) -> None:
        """Raises `PayloadTooLargeError` for a length that is announced and too large."""
        if self._length > self._most:
            raise PayloadTooLargeError(f"The body is too large: at most {self._most:,} bytes are taken here.")

    def __iter__(self) -> Iterator[bytes]:
        self.check()
        self._clock.deadline = time.monotonic() + _BODY_SECONDS + (self._length or self._most) / _BYTES_PER_SECOND
        try:
            yield from self._chunks() if self._chunked else self._exactly(self._length)
        except TimeoutError:
            raise BadRequestError("The body did not come in time: send the request again.") from None
        self.finished = True

    def _exactly(self, count: int) -> Iterator[bytes]:
        while count > 0:
            piece = self._stream.read1(min(count, _PIECE))
            if not piece:
                raise BadRequestError("The body breaks off before its end: send the request again.")
            count -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        """RFC 9112, section 7.1; extensions and trailers say nothing here."""
        total = 0
        while size := self._chunk_size():
            total += size
            if total > self._most:
                raise PayloadTooLargeError(f"The body is too large: at most {self._most:,} bytes are taken here.")
            yield from self._exactly(size)
            if self._stream.read(2) != b"\r\n":
                raise _unreadable()
        for _ in range(100):
            if self._stream.readline(_LONGEST_LINE) == b"\r\n":
                return
        raise _unreadable()

    def _chunk_size(self) -> int:
        match = _CHUNK_SIZE.fullmatch(self._stream.readline(_LONGEST_LINE))
        if match is None:
            raise _unreadable()
        return int(match[1], 16)


def _is_chunked(headers: Message) -> bool:
    """RFC 9112, section 6.1: a request with both lengths, or with a coding that is not known, could be read in two ways."""
    codings = headers.get_all("transfer-encoding", [])
    if not codings:
        return False
    if [coding.strip().lower() for coding in codings] != ["chunked"] or "content-length" in headers:
        raise BadRequestError("Send the body with its Content-Length, or in chunks without one.")
    return True


def _length(headers: Message) -> int:
    lengths = headers.get_all("content-length", [])
    if len(lengths) > 1:
        raise BadRequestError("The request has more than one Content-Length.")
    text = lengths[0] if lengths else "0"
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadRequestError("The Content-Length must be a whole number.")
    return int(text)


def _unreadable() -> BadRequestError:
    return BadRequestError("The body's chunks cannot be read.")
