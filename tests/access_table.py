"""Who may do what: one table, for the server on a laptop and for the deployed stack."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

#: Whose image and upload the requests below are about.
OWNER = "shown"
#: What each bearer's key may do and for whom; the others have none.
KEYS = {
    "revoked": (OWNER, ["read", "write"]),
    "reader": (OWNER, ["read"]),
    "writer": (OWNER, ["write"]),
    "stranger": ("stranger", ["read", "write"]),
    "admin": ("boss", ["admin"]),
    "owner": (OWNER, ["read", "write"]),
}
GARBAGE = "Bearer imr_0123456789abcdef_" + "A" * 43
_EMPTY_FORM = b"--x--\r\n"

#: The status of each answer; `admin=` and `owner=` add `?owner=` with the owner's name. The form is empty: whoever may send it
#: gets a 400.
_TABLE = """
request    nobody garbage revoked reader writer stranger admin admin= owner= owner
list       401    403     403     200    403    200      403   200    403    200
original   401    403     403     302    403    404      403   302    403    302
thumbnail  401    403     403     302    403    404      403   302    403    302
details    401    403     403     200    403    404      403   200    403    200
status     401    403     403     200    200    404      403   400    400    200
ask        401    403     403     403    201    201      403   403    400    201
form       401    403     403     403    400    400      403   403    400    400
delete     401    403     403     403    204    404      403   204    403    204
ready      401    403     403     200    200    200      200   400    400    200
"""

#: How each refusal is named.
_CODES = {400: "BadRequestError", 401: "UnauthorizedError", 403: "ForbiddenError", 404: "NotFoundError"}


@dataclass(frozen=True)
class Request:
    """One request; the path has `{image}` and `{upload}` where the test's own belong."""

    method: str
    path: str
    content_type: str = "application/json"
    body: bytes = b""


REQUESTS = {
    "list": Request("GET", "/image/list"),
    "original": Request("GET", "/image/{image}"),
    "thumbnail": Request("GET", "/image/{image}/thumbnail"),
    "details": Request("GET", "/image/{image}/details"),
    "status": Request("GET", "/image/uploads/{upload}"),
    "ask": Request("POST", "/image/uploads", body=b'{"files": [{"name": "a.png", "size": 1}]}'),
    "form": Request("POST", "/image/upload", "multipart/form-data; boundary=x", _EMPTY_FORM),
    "delete": Request("DELETE", "/image/{image}"),
    "ready": Request("GET", "/health/ready"),
}


class Cell(NamedTuple):
    """`code` is empty where the answer is no refusal."""

    request: str
    bearer: str
    status: int
    code: str

    def __str__(self) -> str:
        return f"{self.request}-{self.bearer}"

    def target(self, image: int, upload: str) -> str:
        """Path and query, for this image and this upload."""
        path = REQUESTS[self.request].path.format(image=image, upload=upload)
        return f"{path}?owner={OWNER}" if self.bearer.endswith("=") else path

    @property
    def key(self) -> str:
        """The name of the key that is borne."""
        return self.bearer.removesuffix("=")


def _cells() -> Iterator[Cell]:
    head, *rows = (line.split() for line in _TABLE.strip().splitlines())
    for request, *statuses in rows:
        for bearer, status in zip(head[1:], map(int, statuses), strict=True):
            yield Cell(request, bearer, status, _CODES.get(status, ""))


CELLS = list(_cells())
