"""What an owner does with the images held: list, look, fetch, delete."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.catalog.catalog import Catalog
from chalicelib.errors import NotFoundError, UnavailableError
from chalicelib.model.pictures import THUMBNAIL_CONTENT_TYPES, THUMBNAIL_SIZES
from chalicelib.model.records import Filters, Image, ListedImage, Position, Sort, StoredFile
from chalicelib.storage import keys
from chalicelib.storage.port import Disposition, ObjectStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Item:
    """An image of the list, and a signed URL of its smallest thumbnail."""

    image: ListedImage
    thumbnail_url: str


@dataclass(frozen=True, slots=True)
class Items:
    """One page of a list; `next` is `None` on the last one."""

    items: tuple[Item, ...]
    next: Position | None


@dataclass(frozen=True, slots=True)
class Details:
    """An image with all that is known of it, and signed URLs of its original, to show and to save, and of its thumbnails."""

    image: Image
    original_url: str
    download_url: str
    thumbnail_urls: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Library:
    """The images of every owner. Methods that take an image id raise `NotFoundError` where this owner has no such image."""

    catalog: Catalog
    store: ObjectStore

    def page(self, owner: str, filters: Filters, sort: Sort, limit: int, after: Position | None) -> Items:
        """The first `limit` images that match, or the first behind `after`, which is the `next` of an earlier page."""
        page = self.catalog.images.page(owner, filters, sort, limit, after)
        return Items(tuple(Item(image, self._thumbnail_url(image, THUMBNAIL_SIZES[0])) for image in page.images), page.next)

    def count(self, owner: str, filters: Filters) -> int:
        return self.catalog.images.count(owner, filters)

    def image(self, owner: str, image_id: int) -> Image:
        image = self.catalog.images.get(owner, image_id)
        if image is None:
            raise _no_such_image()
        return image

    def details(self, owner: str, image_id: int) -> Details:
        image = self.image(owner, image_id)
        thumbnails = {size: self._thumbnail_url(image, size) for size in THUMBNAIL_SIZES}
        shown, saved = self._original_url(image, "inline"), self._original_url(image, "attachment")
        return Details(image, shown, saved, thumbnails)

    def original_url(self, owner: str, image_id: int, disposition: Disposition) -> str:
        """A signed URL of the exact bytes this owner sent, under the name this owner gave them."""
        return self._original_url(self.image(owner, image_id), disposition)

    def thumbnail_url(self, owner: str, image_id: int, size: int) -> str:
        """A signed URL of one thumbnail; `size` is one of `THUMBNAIL_SIZES`."""
        return self._thumbnail_url(self.image(owner, image_id), size)

    def _original_url(self, image: Image, disposition: Disposition) -> str:
        return self.store.url(keys.original(image.file.storage_id), image.file.content_type, image.name, disposition)

    def _thumbnail_url(self, image: Image | ListedImage, size: int) -> str:
        extension = image.file.thumbnail_extension
        name = f"{image.name.rpartition('.')[0] or image.name}-{size}.{extension}"
        key = keys.thumbnail(image.file.storage_id, size, extension)
        return self.store.url(key, THUMBNAIL_CONTENT_TYPES[extension], name, "inline")

    def delete(self, owner: str, image_id: int) -> None:
        """The entry goes at once, and its file with it.

        A store that does not answer then is no failure of the delete: the sweep removes what is left.
        """
        deletion = self.catalog.images.delete(owner, image_id)
        if deletion is None:
            raise _no_such_image()
        if deletion.tombstone:
            try:
                remove_file(self.catalog, self.store, deletion.tombstone.original_id, deletion.tombstone.file)
            except UnavailableError:
                log.warning("the file of a deleted image is left to the sweep: the store or the catalog does not answer")


def remove_file(catalog: Catalog, store: ObjectStore, original_id: int, file: StoredFile) -> None:
    """Clear a tombstone away: the objects it names, then its row, so that a row outlives every object it names."""
    store.delete(keys.all_of(file.storage_id, THUMBNAIL_SIZES, file.thumbnail_extension))
    catalog.images.forget_tombstone(original_id)


def _no_such_image() -> NotFoundError:
    return NotFoundError("There is no such image: check the id, and that it has not been deleted.")
