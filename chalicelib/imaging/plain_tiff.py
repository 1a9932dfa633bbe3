"""Pillow's reader of TIFF without its interest in metadata: odd tags are no reason to refuse a whole picture."""

from PIL import ExifTags, Image, TiffImagePlugin

FORMAT = "PLAIN TIFF"


class PlainTiff(TiffImagePlugin.TiffImageFile):
    """Hands over pixels, turned as the tag asks, and the colour profile."""

    def _setup(self) -> None:
        super()._setup()
        self.info.pop("xmp", None)
        if not isinstance(self.info.get("icc_profile", b""), bytes):
            del self.info["icc_profile"]

    def getexif(self) -> Image.Exif:
        exif = Image.Exif()
        orientation = self.tag_v2.get(ExifTags.Base.Orientation)
        if isinstance(orientation, bytes) and len(orientation) == 1:
            orientation = orientation[0]
        if isinstance(orientation, int):
            exif[ExifTags.Base.Orientation] = orientation
        return exif


Image.register_open(FORMAT, PlainTiff, TiffImagePlugin._accept)
