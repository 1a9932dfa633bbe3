"""WebP: every byte is accounted for. What is not on the lists counts, what is known metadata does not."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.examining import encoded, exif_with, noise, same
from tests.unit.sameness import merged

_METADATA = (b"EXIF", b"XMP ", b"ICMT", b"INAM", b"IART", b"ICOP")
_KNOWN = {*_METADATA, b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}
_unknown = st.binary(min_size=4, max_size=4).filter(lambda name: name not in _KNOWN)


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) & 1)


def _chunks(data: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        end = at + 8 + struct.unpack("<I", data[at + 4 : at + 8])[0]
        found.append(data[at : end + (end & 1)])
        at = end + (end & 1)
    return found


def _webp(chunks: list[bytes]) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


_SECOND = noise("RGBA", (20, 14), 2)
_FILES = {
    "lossy": encoded(noise("RGB", (20, 14)), "WEBP", exif=exif_with(0x010F, "Maker")),
    "lossy with alpha": encoded(noise("RGBA", (20, 14)), "WEBP"),
    "lossless": encoded(noise("RGBA", (20, 14)), "WEBP", lossless=True, exif=exif_with(0x010F, "Maker")),
    "odd": encoded(noise("RGB", (21, 13)), "WEBP", lossless=True),
    "animated": encoded(noise("RGBA", (20, 14)), "WEBP", save_all=True, append_images=[_SECOND], duration=100),
}


@pytest.mark.parametrize("name", _FILES)
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_chunk_that_nobody_knows_makes_another_image(name: str, data: st.DataObject) -> None:
    whole = _chunks(_FILES[name][12:])
    one, other = (data.draw(st.binary(max_size=40)) for _ in range(2))
    at, kind = data.draw(st.integers(1, len(whole))), data.draw(_unknown)
    inserted = _webp([*whole[:at], _chunk(kind, one), *whole[at:]])
    assert not merged(inserted, _FILES[name])
    assert one == other or not merged(inserted, _webp([*whole[:at], _chunk(kind, other), *whole[at:]]))


@pytest.mark.parametrize("name", _FILES)
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_known_metadata_does_not_count(name: str, data: st.DataObject) -> None:
    whole = _chunks(_FILES[name][12:])
    pieces = st.tuples(st.sampled_from(_METADATA), st.binary(max_size=40))
    # XMP is text: one with zeros in it is something else.
    added = [_chunk(kind, body.replace(b"\0", b" ")) for kind, body in data.draw(st.lists(pieces, max_size=3))]
    kept = [chunk for chunk in whole if chunk[:4] not in _METADATA]
    assert same(_webp([*kept, *added]), _FILES[name])


@pytest.mark.parametrize("name", _FILES)
@settings(max_examples=25, deadline=None)
@given(tail=st.binary(min_size=1, max_size=30))
def test_what_lies_behind_the_end_counts_unless_it_is_padding(name: str, tail: bytes) -> None:
    assert merged(_FILES[name] + tail, _FILES[name]) == (not tail.strip(b"\0\r\n"))


def test_xmp_that_holds_bytes_counts() -> None:
    for text in (b'<rdf:Description GDepth:Data="AAAA"/>', b"A" * 3000):
        assert not same(_webp([*_chunks(_FILES["lossy"][12:]), _chunk(b"XMP ", text)]), _FILES["lossy"])


def test_only_the_picture_that_is_shown_is_the_picture() -> None:
    whole = _chunks(_FILES["lossy with alpha"][12:])
    header, alpha, picture = whole
    assert not merged(_webp([*whole, picture]), _FILES["lossy with alpha"])
    assert not merged(_webp([*whole, alpha]), _FILES["lossy with alpha"])
    idle = _chunks(_FILES["animated"][12:])[-1]
    assert not merged(_webp([*whole, idle]), _FILES["lossy with alpha"])
    denied = header[:8] + bytes((header[8] & ~0x10,)) + header[9:]
    changed = alpha[:-2] + bytes((alpha[-2] ^ 1, alpha[-1]))
    assert not merged(_webp([denied, alpha, picture]), _webp([denied, changed, picture]))


def test_frames_hold_pictures_and_nothing_else() -> None:
    header, animation, first, second = _chunks(_FILES["animated"][12:])
    for guest in (_chunk(b"EXIF", b"one"), _chunk(b"free", b"two"), b"odd", _chunks(second[24:])[-1]):
        stuffed = _chunk(b"ANMF", second[8:] + guest)
        assert not merged(_webp([header, animation, first, stuffed]), _FILES["animated"])


def test_reserved_bits_and_bytes_count() -> None:
    header, *rest = _chunks(_FILES["lossy with alpha"][12:])
    for at in (9, 10, 11):
        marked = header[:at] + b"\1" + header[at + 1 :]
        assert not merged(_webp([marked, *rest]), _FILES["lossy with alpha"])
    padded = _chunks(_FILES["odd"][12:])
    odd = next(index for index, chunk in enumerate(padded) if chunk[4] & 1)
    padded[odd] = padded[odd][:-1] + b"x"
    assert not merged(_webp(padded), _FILES["odd"])
