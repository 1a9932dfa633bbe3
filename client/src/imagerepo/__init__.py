"""The image repository from Python: `Client`, the values it answers with, and what it raises."""

__version__ = "0.1.0"

from imagerepo.client import Client
from imagerepo.errors import (
    AccessError,
    ApiError,
    DigestError,
    FileChangedError,
    ImageRepoError,
    NotFoundError,
    StoppedError,
    StoreError,
    UnavailableError,
)
from imagerepo.filters import Filters, Sort
from imagerepo.models import (
    Camera,
    Carried,
    Details,
    Exposure,
    Health,
    Held,
    Image,
    Limits,
    Location,
    Offer,
    Page,
    Refusal,
    Refused,
    Ticket,
    Upload,
    UploadedImage,
)

__all__ = [
    "AccessError",
    "ApiError",
    "Camera",
    "Carried",
    "Client",
    "Details",
    "DigestError",
    "Exposure",
    "FileChangedError",
    "Filters",
    "Health",
    "Held",
    "Image",
    "ImageRepoError",
    "Limits",
    "Location",
    "NotFoundError",
    "Offer",
    "Page",
    "Refusal",
    "Refused",
    "Sort",
    "StoppedError",
    "StoreError",
    "Ticket",
    "UnavailableError",
    "Upload",
    "UploadedImage",
]
