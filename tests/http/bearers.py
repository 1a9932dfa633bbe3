"""The API as clients with keys see it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tests.http.client import Answer, Api
from tests.http.server import Server, command


@dataclass(frozen=True)
class Bearing:
    """Sends every request with a key, but what goes to the store, which signs for itself."""

    api: Api
    authorization: str

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        own = {} if target.startswith("/store") else {"Authorization": self.authorization}
        return self.api.send(method, target, {**headers, **own}, body)


def with_key(server: Server, owner: str, *scopes: str) -> Api:
    """The API as a client with a new key sees it."""
    return bearing(server, f"Bearer {new_key(server, owner, *scopes)[1]}")


def bearing(server: Server, authorization: str) -> Api:
    return replace(server.api, send=Bearing(server.api, authorization))


def new_key(server: Server, owner: str, *scopes: str) -> tuple[str, str]:
    """A new key's id and text."""
    made = command(
        server.folder, "keys", "create", "--owner", owner, *(word for scope in scopes for word in ("--scope", scope))
    )
    assert (made.returncode, made.stderr) == (0, "")
    text = made.stdout.splitlines()[-1]
    return text.split("_")[1], text
