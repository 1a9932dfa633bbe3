"""The JSON of the contract as types: what requests are decoded into and answers are encoded from.

What each field means is said here and nowhere else: `openapi.json` is made from it, and `docs/api.md` is held to it.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.api.meaning import Id, Int32, Int64, Number, Uri, Utc, WallClock, means
from chalicelib.model import records
from chalicelib.model.pictures import CONTENT_TYPES, FORMATS

MOST_FILES = 100

#: The lengths are not idle: `$` alone would let a line break through.
Sha256 = Annotated[str, Meta(pattern="^[0-9a-fA-F]{64}$", min_length=64, max_length=64)]

UploadStatus = Annotated[
    records.UploadStatus,
    means(
        "`pending`: no bytes were seen yet; `processing`: they are being looked at; `stored`: they are a new image; "
        "`duplicate`: they are an image held already; `rejected`: they were refused; `expired`: they never came.",
        "stored",
        title="UploadStatus",
    ),
]
Match = Annotated[
    records.Match,
    means("By what a duplicate was known: `file` by its bytes, `pixels` by what it shows.", "file", title="Match"),
]

_STORE = "http://127.0.0.1:8000/store?key="
_SIGNED = "&X-Amz-Date=20261122T120000Z&X-Amz-Expires=7200&X-Amz-Signature=e1ea74e968c81790"
_ORIGINAL = f"{_STORE}originals%2Fq3v0k71e4o8sa2cp{_SIGNED}"
_THUMBNAIL = f"{_STORE}thumbnails%2Fq3v0k71e4o8sa2cp%2F256.jpg{_SIGNED}"


class Error(msgspec.Struct):
    """What is wrong and what would be right."""

    Code: Annotated[str, means("The stable name of what is wrong, for programs.", "NotFoundError")]
    Message: Annotated[str, means("What is wrong and what would be right, for people.", "There is no such image.")]


class FileOffer(msgspec.Struct):
    """A file that the client would send."""

    name: Annotated[str, means("Its name. Of a path the last part counts, of at most 255 characters.", "DSCN0012.jpg")]
    size: Annotated[Int64, means("Its exact length in bytes.", 159137)]
    sha256: Annotated[
        Sha256 | None,
        means(
            "Its SHA-256 in hexadecimal: a file that this owner has sent before is then not asked for again.",
            "17307b1207eb6487d7908e9d154890b46e3d2e0192369cfd3f4c33d5a5af4035",
        ),
    ] = None


class UploadRequest(msgspec.Struct):
    """The files that a client would send."""

    files: Annotated[list[FileOffer], Meta(min_length=1, max_length=MOST_FILES), means("From 1 to 100 files.")]


class UploadAnswer(msgspec.Struct, tag="upload", tag_field="action"):
    """Send the file: post `fields`, then the file in the field `file_field`, as one multipart form to `url`."""

    name: Annotated[str, means("The name the file will have.", "DSCN0012.jpg")]
    upload_id: Annotated[str, means("The upload's id, 36 letters and digits.", "06h06isk51adbq5n00m1f6boip4v82vt2jgg")]
    method: Annotated[Literal["POST"], means("How to send the form.", "POST")]
    url: Annotated[Uri, means("Where to send the form.", "http://127.0.0.1:8000/store")]
    fields: Annotated[
        dict[str, str],
        means(
            "The form's fields before the file, unchanged. They permit one file of this size, until `expires_at`.",
            {"key": "incoming/06h06isk51adbq5n00m1f6boip4v82vt2jgg", "policy": "eyJleHBpcmF0aW9uIjoi"},
        ),
    ]
    file_field: Annotated[Literal["file"], means("The name of the form's last field, the file.", "file")]
    expires_at: Annotated[Utc, means("When the ticket ends, an hour after it was given.", "2026-11-22T13:46:54.504657Z")]
    status_url: Annotated[
        Uri,
        means(
            "Where to ask what became of the upload.",
            "http://127.0.0.1:8000/image/uploads/06h06isk51adbq5n00m1f6boip4v82vt2jgg",
        ),
    ]


class ExistsAnswer(msgspec.Struct, tag="exists", tag_field="action"):
    """Send nothing: this owner has sent this file before and still holds it."""

    name: Annotated[str, means("The file's name as it was offered, less any folder.", "DSCN0010.jpg")]
    image_id: Annotated[Id, means("The image that the file is.", 1)]


class RejectAnswer(msgspec.Struct, tag="reject", tag_field="action"):
    """Send nothing: the file would be refused."""

    name: Annotated[str, means("The file's name, exactly as it was offered.", "film.mov")]
    error: Annotated[Error, means("Why.")]


Answer = UploadAnswer | ExistsAnswer | RejectAnswer


class UploadAnswers(msgspec.Struct):
    """What to do with each file."""

    uploads: Annotated[list[Answer], means("One answer for each file, in the order of the request.")]


class UploadState(msgspec.Struct):
    """What became of an upload. The fields after `expires_at` stand only where the status has them."""

    upload_id: Annotated[str, means("The upload's id.", "06h06isk51adbq5n00m1f6boip4v82vt2jgg")]
    name: Annotated[str, means("The name the file was offered under.", "DSCN0012.jpg")]
    status: UploadStatus
    created_at: Annotated[Utc, means("When the upload was asked for.", "2026-11-22T12:46:54.504657Z")]
    expires_at: Annotated[Utc, means("When its ticket ends.", "2026-11-22T13:46:54.504657Z")]
    image_id: Annotated[Id, means("Of `stored` and `duplicate`: the image. It may have been deleted since.", 2)] | UnsetType = (
        UNSET
    )
    match: Match | UnsetType = UNSET
    differs: (
        Annotated[
            list[str],
            means(
                "Of `duplicate`: the groups of facts in which this file disagrees with what is held, of `taken_at`, "
                "`camera`, `exposure`, `location` and `exif`."
            ),
        ]
        | UnsetType
    ) = UNSET
    error: Annotated[Error, means("Of `rejected`: why.")] | UnsetType = UNSET


class ImageItem(msgspec.Struct):
    """An image as the list shows it."""

    id: Annotated[Id, means("The image's id. It is never given again.", 1)]
    name: Annotated[str, means("The name the file was sent under.", "DSCN0010.jpg")]
    uploaded_at: Annotated[Utc, means("When the image was stored.", "2026-11-22T12:46:53.924905Z")]
    taken_at: Annotated[
        WallClock | None,
        means("What the camera's clock said, to the second, without an offset.", "2008-10-22T16:28:39"),
    ]
    format: Annotated[str, means(f"What the file is, by its content: one of {', '.join(FORMATS)}.", "JPEG")]
    content_type: Annotated[
        str, means(f"What the file is served as: one of {', '.join(CONTENT_TYPES.values())}.", "image/jpeg")
    ]
    byte_size: Annotated[Int64, means("The file's length in bytes.", 161713)]
    width: Annotated[Int32, means("Pixels across, as displayed.", 640)]
    height: Annotated[Int32, means("Pixels down, as displayed.", 480)]
    thumbnail_url: Annotated[Uri, means("A signed URL of the smallest thumbnail, ready for an `<img>`.", _THUMBNAIL)]


class ImageList(msgspec.Struct):
    """A page of the list."""

    images: Annotated[list[ImageItem], means("The page's images, in the order of `sort`.")]
    next_cursor: Annotated[
        str | None, means("The `cursor` of the next page; `null` on the last.", "WyJ4OGZ4T3ZFdSIsIjIwMjYiLDJd")
    ]
    total: Annotated[Int64, means("With `include_total=true`: how many images match.", 1)] | UnsetType = UNSET


class Camera(msgspec.Struct):
    """What took the picture."""

    make: Annotated[str | None, means("The camera's maker.", "NIKON")]
    model: Annotated[str | None, means("The camera's model.", "COOLPIX P6000")]
    lens: Annotated[str | None, means("The lens.", "NIKKOR 18-55mm")]


class Exposure(msgspec.Struct):
    """How it was taken."""

    exposure_time: Annotated[Number | None, means("Seconds.", 0.004)]
    f_number: Annotated[Number | None, means("The aperture as an f-number.", 5.9)]
    iso: Annotated[Int32 | None, means("The sensitivity, as ISO.", 64)]
    focal_length: Annotated[Number | None, means("Millimetres, of the lens itself.", 24.0)]


class Location(msgspec.Struct):
    """Where it was taken."""

    latitude: Annotated[Number | None, means("Degrees, north of the equator.", 43.467448)]
    longitude: Annotated[Number | None, means("Degrees, east of Greenwich.", 11.885127)]
    altitude: Annotated[Number | None, means("Metres above sea level.", 260.5)]


class Carried(msgspec.Struct):
    """Something that the file holds beside its picture."""

    kind: Annotated[str, means("What it is, in a word for people; `unknown` where that is not known.", "film")]
    content_type: Annotated[str, means("What its bytes claim to be.", "video/mp4")]
    offset: Annotated[Int64, means("Its first byte's place in the file.", 5001)]
    length: Annotated[Int64, means("Its length in bytes.", 3036)]


class ImageDetails(ImageItem):
    """Everything that is known of an image. What the file does not say is `null`; so is a group of which it says nothing."""

    owner: Annotated[str, means("Whose image it is; `local` where no key is asked for.", "local")]
    sha512: Annotated[
        str,
        Meta(pattern="^[0-9a-f]{128}$"),
        means(
            "SHA-512 of the pixels in hexadecimal; of a still that is upright, has no palette and no idle alpha, that of "
            "Pillow's `Image.tobytes()`.",
            "2d500a79d7901fe32b11fe25d08ba7c5f31a204a824162dd660b139e89be1239" * 2,
        ),
    ]
    sha256: Annotated[
        str,
        Meta(pattern="^[0-9a-f]{64}$"),
        means("SHA-256 of the file in hexadecimal.", "17307b1207eb6487d7908e9d154890b46e3d2e0192369cfd3f4c33d5a5af4035"),
    ]
    mode: Annotated[str, means("The kind of its pixels, in Pillow's words.", "RGB")]
    frames: Annotated[Int32, means("How many pictures it shows one after the other.", 1)]
    taken_at_offset: Annotated[str | None, means("How far the camera's clock was from UTC, where the file says so.", "+02:00")]
    taken_at_source: Annotated[
        str | None,
        means("Where `taken_at` stands in the file: an EXIF tag, or `XMP` or `IPTC` and a name there.", "DateTimeOriginal"),
    ]
    camera: Annotated[Camera | None, means("What took the picture.")]
    exposure: Annotated[Exposure | None, means("How it was taken.")]
    location: Annotated[Location | None, means("Where it was taken.")]
    exif: Annotated[
        dict[str, Any],
        means(
            "Every EXIF tag that could be read, by its name. What is binary, and lists of more than 64 numbers, stand as "
            '`{"bytes": n}`; of more than 60,000 bytes of JSON the largest are left out.',
            {"Make": "NIKON", "ISOSpeedRatings": 64},
        ),
    ]
    carries: Annotated[list[Carried], means("What the file holds beside its picture and its metadata: the first 100.")]
    original_url: Annotated[Uri, means("A signed URL of the file, byte for byte as it was sent.", _ORIGINAL)]
    download_url: Annotated[
        Uri, means("The same, served so that a browser saves it under its name, from whatever origin the page is.", _ORIGINAL)
    ]
    thumbnails: Annotated[
        dict[str, Uri],
        means("Signed URLs of the thumbnails by their size: `256`, `512` and `1280`.", {"256": _THUMBNAIL}),
    ]


class UploadedImage(ImageDetails):
    """The image that an upload led to."""

    duplicate: Annotated[bool, means("Whether it was held already: then the status is 200, otherwise 201.", False)]
    match: Match | UnsetType = UNSET


class Limits(msgspec.Struct):
    """What is taken in."""

    max_bytes: Annotated[Int64, means("The largest file, in bytes.", 100_000_000)]
    max_pixels: Annotated[Int64, means("The largest picture, in pixels.", 200_000_000)]
    max_frames: Annotated[Int32, means("The most frames of one picture.", 2000)]
    formats: Annotated[list[str], means("The formats that are taken.", list(FORMATS))]


class Health(msgspec.Struct):
    """That the server answers, and what it takes in. Neither catalog nor store is asked."""

    status: Annotated[Literal["ok"], means("That the server answers.", "ok")]
    version: Annotated[str, means("The server's version.", "1.0.0")]
    limits: Annotated[Limits, means("What is taken in.")]


Condition = Annotated[
    Literal["ok", "unavailable"],
    means("`ok`: it answers and can be written; `unavailable`: it does not or cannot.", "ok", title="Condition"),
]


class Part(msgspec.Struct):
    """One of the two that everything stands on."""

    status: Condition
    cause: Annotated[str | None, means("Why it cannot be used, for an operator; `null` where it can.", None)]


class Readiness(msgspec.Struct):
    """Whether pictures can be taken in and handed out."""

    status: Condition
    catalog: Annotated[Part, means("The database.")]
    store: Annotated[Part, means("Where the files are.")]
    Code: Annotated[str, means("With the status 503: what an error has.", "UnavailableError")] | UnsetType = UNSET
    Message: Annotated[str, means("With the status 503: what an error has.", "The store cannot be used.")] | UnsetType = UNSET
