"""Who may come in: keys are made, shown once, checked, listed and revoked here."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.catalog.catalog import Catalog
from chalicelib.errors import BadRequestError, NotFoundError
from chalicelib.model.records import ApiKey, Scope
from chalicelib.services.refused import RefusedKeys

SCOPES: tuple[Scope, ...] = ("read", "write", "admin")

_OWNER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
#: The whole of what a client sends; the secret is 32 bytes in URL-safe base64. API Gateway asks by the same expression
#: (infra/template.yaml).
BEARER = "^[Bb][Ee][Aa][Rr][Ee][Rr] imr_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$"


@dataclass(frozen=True, slots=True)
class Access:
    """The keys of every owner."""

    catalog: Catalog
    clock: Callable[[], datetime]
    _refused: RefusedKeys = field(default_factory=RefusedKeys)

    def create(self, owner: str, scopes: Iterable[Scope]) -> tuple[ApiKey, str]:
        """A new key, and its text, which nothing can show again. Raises `BadRequestError` for a bad owner or no scope."""
        if not _OWNER.fullmatch(owner):
            raise BadRequestError("An owner is named by 1 to 64 letters, digits, dots, dashes, underscores or @.")
        wanted = tuple(scope for scope in SCOPES if scope in set(scopes))
        if not wanted:
            raise BadRequestError(f"A key needs at least one scope of {', '.join(SCOPES)}.")
        secret = secrets.token_urlsafe(32)
        api_key = ApiKey(secrets.token_hex(8), owner, _digest(secret), wanted, self.clock(), None)
        self.catalog.api_keys.add(api_key)
        return api_key, f"imr_{api_key.id}_{secret}"

    @staticmethod
    def bears_key(authorization: str) -> bool:
        """Whether an `Authorization` header has the form of one that bears a key, good or not."""
        return re.fullmatch(BEARER, authorization) is not None

    def bearer(self, authorization: str) -> ApiKey | None:
        """The key that an `Authorization` header bears; `None` for one that is malformed, unknown or revoked.

        The catalog is asked, and so a cluster that sleeps is woken, only by what has the form of a key and was not refused here
        before.
        """
        match = re.fullmatch(BEARER, authorization)
        if match is None or self._refused.holds(authorization, self.clock()):
            return None
        api_key = self.catalog.api_keys.get(match[1])
        if api_key and api_key.revoked_at is None and hmac.compare_digest(api_key.secret_sha256, _digest(match[2])):
            return api_key
        self._refused.add(authorization, self.clock())
        return None

    def all(self) -> list[ApiKey]:
        """Every key there ever was."""
        return self.catalog.api_keys.all()

    def revoke(self, api_key_id: str) -> None:
        """Raises `NotFoundError` where there is no such key that is still good."""
        if not self.catalog.api_keys.revoke(api_key_id, self.clock()):
            raise NotFoundError("There is no such key, or it is revoked already.")


def _digest(secret: str) -> bytes:
    """A fast digest will do: a secret of 256 random bits cannot be guessed, however fast one tries."""
    return hashlib.sha256(secret.encode("ascii")).digest()
