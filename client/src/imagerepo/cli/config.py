"""Which server, and with which key: from flags, the environment, or a file; the only reader of the environment."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from imagerepo.cli.output import printable, say
from imagerepo.client import DEFAULT_SERVER


class ConfigError(Exception):
    """The settings cannot be used; the message says which, and never quotes a key."""


@dataclass(frozen=True, slots=True)
class Target:
    """The server to talk to, and the folder for what is kept between runs."""

    server: str
    key: str | None = field(repr=False)
    state: Path


def target(server: str | None, key: str | None, environ: Mapping[str, str] = os.environ) -> Target:
    """Flags before IMAGEREPO_SERVER and IMAGEREPO_KEY before the file. Raises `ConfigError`.

    The file's key belongs to the file's server: it is never sent to another.
    """
    file = _read(config_path(environ))
    wanted = server or environ.get("IMAGEREPO_SERVER") or file.get("server") or DEFAULT_SERVER
    given = key or environ.get("IMAGEREPO_KEY")
    if not given and wanted.rstrip("/") == file.get("server", DEFAULT_SERVER).rstrip("/"):
        given = file.get("key")
    return Target(wanted, given or None, _base(environ, "XDG_STATE_HOME", ".local/state") / "imagerepo")


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    named = environ.get("IMAGEREPO_CONFIG")
    return Path(named) if named else _base(environ, "XDG_CONFIG_HOME", ".config") / "imagerepo" / "config.toml"


def _base(environ: Mapping[str, str], variable: str, default: str) -> Path:
    """The XDG base directories, which must be absolute to count."""
    named = Path(environ.get(variable, ""))
    return named if named.is_absolute() else Path.home() / default


def _read(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            content = tomllib.load(file)
            exposed = os.name == "posix" and "key" in content and os.fstat(file.fileno()).st_mode & 0o077
    except FileNotFoundError:
        return {}
    except OSError as problem:
        raise ConfigError(f"{path} cannot be read: {(problem.strerror or '').lower()}.") from None
    except ValueError:
        raise ConfigError(f'{path} is not TOML: it holds lines such as server = "https://pictures.example.org".') from None
    for name, value in content.items():
        if name not in ("server", "key") or not isinstance(value, str):
            raise ConfigError(f"{path} may hold server and key, each a text in quotes, but not {name!r}.")
    if exposed:
        say(f"imagerepo: Others on this computer can read the key in {printable(path)}: chmod 600 it.")
    return content
