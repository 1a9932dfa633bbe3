"""What each part of a path and each query parameter takes and is for, said here and nowhere else."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from msgspec import Meta

from chalicelib.api import query
from chalicelib.api.meaning import Id, Number, means
from chalicelib.model.pictures import FORMATS, THUMBNAIL_SIZES

_Text = Annotated[str, Meta(min_length=1, max_length=query.LONGEST_TEXT)]
_Texts = Annotated[list[_Text], Meta(max_length=query.MOST_CHOICES)]
_Time, _WallClock = (
    Annotated[str, Meta(extra_json_schema={"anyOf": [{"type": "string", "format": form} for form in forms]})]
    for forms in (("date-time", "date"), ("date-time-local", "date"))
)

IN_PATHS: Mapping[str, Any] = {
    "image_id": Annotated[Id, means("The image's id.", 1)],
    "upload_id": Annotated[str, means("The upload's id.", "06h06isk51adbq5n00m1f6boip4v82vt2jgg")],
}

OWNER = "owner"
_OF_ONE: Mapping[str, Any] = {
    OWNER: Annotated[str, means("With an admin key: whose images the request is about.", "alice")],
    "disposition": Annotated[
        str,
        means(
            "Whether a browser shows the file or saves it.",
            title="Disposition",
            enum=["inline", "attachment"],
            default="inline",
        ),
    ],
    "size": Annotated[
        int,
        means(
            "The thumbnail's longest side, in pixels.",
            title="ThumbnailSize",
            enum=list(THUMBNAIL_SIZES),
            default=THUMBNAIL_SIZES[0],
            **{"x-enum-varnames": [f"PIXELS_{size}" for size in THUMBNAIL_SIZES]},
        ),
    ],
}
_OF_THE_LIST: Mapping[str, Any] = {
    "limit": Annotated[
        int,
        Meta(ge=1, le=query.LARGEST_LIMIT),
        means("How many images a page has at most.", 50, default=query.DEFAULT_LIMIT, format="int32"),
    ],
    "cursor": Annotated[
        str,
        means("`next_cursor` of the page before. Filters, sort and owner must be the same.", "WyJ4OGZ4T3ZFdSIsIjIwMjYiLDJd"),
    ],
    "sort": Annotated[
        str,
        means(
            "The order; with `-` the largest or latest comes first. An image with no `taken_at` is sorted by its "
            "`uploaded_at` there.",
            title="Sort",
            enum=list(query.SORTS),
            default=query.DEFAULT_SORT,
            **{"x-enum-varnames": [f"{s.strip('-')}{'_descending' * s.startswith('-')}".upper() for s in query.SORTS]},
        ),
    ],
    "uploaded_after": Annotated[
        _Time, means("Uploaded then or later; without an offset it means UTC.", "2026-05-31T18:30:00Z")
    ],
    "uploaded_before": Annotated[_Time, means("Uploaded earlier; without an offset it means UTC.", "2026-06-30")],
    "taken_after": Annotated[
        _WallClock, means("Taken then or later by the camera's clock, so without an offset.", "2008-10-22T16:29:00")
    ],
    "taken_before": Annotated[_WallClock, means("Taken earlier by the camera's clock, so without an offset.", "2008-10-23")],
    "name": Annotated[_Text, means("Stands anywhere in the file's name, in any case; there are no wildcards.", "dscn")],
    "format": Annotated[_Texts, means(f"Is the format, in any case: {', '.join(FORMATS)}.", ["JPEG"])],
    "camera_make": Annotated[_Texts, means("Is the camera's maker, in any case.", ["NIKON"])],
    "camera_model": Annotated[_Texts, means("Is the camera's model, in any case.", ["COOLPIX P6000"])],
    "lens_model": Annotated[_Texts, means("Is the lens, in any case.", ["NIKKOR 18-55mm"])],
    "has_location": Annotated[bool, means("Whether the file says where it was taken.", True)],
    "bbox": Annotated[
        str,
        means(
            "Taken within `west,south,east,north`, in degrees; with west greater than east the box crosses the antimeridian.",
            "11.8,43.4,11.9,43.5",
        ),
    ],
    "include_total": Annotated[bool, means("Whether to count all that match, in `total`.", False, default=False)],
}
#: What each range is of, and an example of an end.
_RANGES: Mapping[str, tuple[str, float]] = {
    "width": ("Pixels across", 640),
    "height": ("Pixels down", 480),
    "byte_size": ("The file's length in bytes", 1_000_000),
    "iso": ("The sensitivity as ISO", 400),
    "f_number": ("The aperture as an f-number", 2.8),
    "exposure_time": ("The exposure in seconds", 0.004),
    "focal_length": ("The focal length in millimetres", 24),
}


def _ranges() -> Iterator[tuple[str, Any]]:
    for name in query.RANGES:
        what, example = _RANGES[name]
        yield f"{name}_min", Annotated[Number, means(f"{what}: this or more.", example)]
        yield f"{name}_max", Annotated[Number, means(f"{what}: this or less.", example)]


OF_THE_LIST: tuple[str, ...] = (*_OF_THE_LIST, *dict(_ranges()))
IN_QUERIES: Mapping[str, Any] = {**_OF_ONE, **_OF_THE_LIST, **dict(_ranges())}
