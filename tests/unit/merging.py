"""Whether the repository would merge two files, one of which may be so odd that it is refused."""

from chalicelib.errors import BadImageError, UnsupportedImageError
from tests.unit.pictures import same


def merged(odd: bytes, usual: bytes) -> bool:
    """A file that is refused is merged with none."""
    try:
        return same(odd, usual)
    except (BadImageError, UnsupportedImageError):
        return False
