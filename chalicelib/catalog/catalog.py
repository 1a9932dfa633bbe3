"""The catalog: everything that is known of uploads, images and stored files."""

from chalicelib.catalog.api_keys import ApiKeyRows
from chalicelib.catalog.database import Database
from chalicelib.catalog.identity import IdentityRows
from chalicelib.catalog.images import ImageRows
from chalicelib.catalog.inventory import Inventory
from chalicelib.catalog.uploads import UploadRows


class Catalog:
    """The rows by who works on them: the life of an upload, an owner's library, the sweep."""

    def __init__(self, database: Database) -> None:
        self.uploads = UploadRows(database)
        self.images = ImageRows(database)
        self.inventory = Inventory(database)
        self.api_keys = ApiKeyRows(database)
        self.identity = IdentityRows(database)
        self._database = database

    @property
    def name(self) -> str:
        """Which catalog this is, in words for an operator; without any password."""
        return self._database.name

    def check(self) -> None:
        """Return when the catalog answers: it is looked at, nothing is written. Raises `UnavailableError`."""
        self._database.check()

    def check_writing(self) -> None:
        """Return when the catalog can be written. Raises `UnavailableError`."""
        self._database.check_writing()
