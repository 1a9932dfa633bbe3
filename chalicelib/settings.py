"""The settings of one running repository, read from the environment where a process begins; nothing else reads `os.environ`."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit

VERSION = "0.1.0"

_DEFAULT_STORAGE = "~/.local/share/image-repo"
_DATABASES = ("sqlite:///", "mysql+pymysql://")
_LARGEST_INTEGER = 2**63 - 1
_DAY = 86_400
_MOST_PROCESSES = 256
#: Less would not do for a single small picture, and a little for others beside it.
_LEAST_MEMORY = 512 * 1024**2
_OWN_MEMORY = 256 * 1024**2
#: The numbers, with the least and the most that each may be. Beyond those of the decoder every file would count as one that
#: brings it down, and be refused for good.
_WHOLE_NUMBERS = {
    "max_bytes": (1, _LARGEST_INTEGER),
    "max_pixels": (1, _LARGEST_INTEGER),
    "max_frames": (1, _LARGEST_INTEGER),
    "max_total_pixels": (1, _LARGEST_INTEGER),
    "decode_seconds": (1, _DAY),
    "stale_seconds": (1, _DAY),
    "database_connect_seconds": (1, _DAY),
    "database_wait_seconds": (1, _DAY),
}


Auth = Literal["open", "keys"]


class SettingsError(Exception):
    """A setting cannot be used; the message names it."""


@dataclass(frozen=True)
class Settings:
    """Every knob there is; each is the environment variable of the same name in capitals, but for `storage`.

    Sizes and memory are bytes, times seconds. `decode_processes` large pictures and one small are decoded at once, in
    `decode_memory` together; `None` is what suits the machine. `storage` (FILE_STORAGE_LOCATION) is the laptop's folder.
    `database_url` may hold a password and is left out of the representation; `None` means a SQLite file in the folder.
    `public_url` is the root under which clients reach this repository, without a trailing slash; `None` means wherever the
    server listens. `allowed_origin` is the origin of other web pages that may use the API, `*` for any; `None` for none.

    `image_bucket` puts the objects into S3 instead of the folder, or into any server that speaks S3's language and is
    reached at `aws_endpoint_url`. With `database_tls` a MySQL server must prove who it is, by the system's certificates or by
    those in the file `database_ca`. With `database_iam` the URL has no password: each connection gets a token of its own.
    `aws_credentials` are those of the environment (key, secret, session token); where it has none, boto3 looks elsewhere.
    `on_lambda` tells that this process is one of AWS Lambda's.

    `database_wait_seconds` is how long a laptop's server waits, when it starts, for a database that is not up yet.

    `auth` is `keys`, or `open` where everybody who reaches the server is the owner `local`. The `owner_` limits hold for
    each owner; `None` sets none. `open_to_network` is the operator's consent that `open` may hold for other machines too.
    """

    storage: Path
    database_url: str | None = field(default=None, repr=False)
    database_tls: bool = False
    database_ca: Path | None = None
    database_iam: bool = False
    public_url: str | None = None
    allowed_origin: str | None = None
    image_bucket: str | None = None
    aws_endpoint_url: str | None = None
    aws_region: str = "us-east-1"
    aws_credentials: tuple[str, str, str | None] | None = field(default=None, repr=False)
    on_lambda: bool = False
    max_bytes: int = 100_000_000
    max_pixels: int = 200_000_000
    max_frames: int = 2_000
    max_total_pixels: int = 500_000_000
    decode_processes: int | None = None
    decode_seconds: int = 60
    decode_memory: int | None = None
    stale_seconds: int = 900
    database_connect_seconds: int = 5
    database_wait_seconds: int = 60
    auth: Auth = "open"
    open_to_network: bool = False
    owner_max_bytes: int | None = None
    owner_max_images: int | None = None
    owner_max_open_uploads: int | None = None


def from_env(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; raises `SettingsError` for a value that cannot be used. An empty value counts as none."""
    env = {name: value for name, value in (os.environ if environ is None else environ).items() if value}
    numbers = {name: _whole(env, name.upper(), getattr(Settings, name), *ends) for name, ends in _WHOLE_NUMBERS.items()}
    if numbers["stale_seconds"] <= numbers["decode_seconds"]:
        raise SettingsError("STALE_SECONDS must be more than DECODE_SECONDS: work that is under way is not to be taken over.")
    return Settings(
        storage=_storage(env),
        database_url=_database_url(env),
        database_tls=_boolean(env, "DATABASE_TLS"),
        database_ca=Path(env["DATABASE_CA"]).absolute() if "DATABASE_CA" in env else None,
        database_iam=_boolean(env, "DATABASE_IAM"),
        public_url=_address(env, "PUBLIC_URL"),
        allowed_origin=env.get("ALLOWED_ORIGIN"),
        image_bucket=env.get("IMAGE_BUCKET"),
        aws_endpoint_url=_address(env, "AWS_ENDPOINT_URL"),
        aws_region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or Settings.aws_region,
        aws_credentials=_aws_credentials(env),
        on_lambda="AWS_LAMBDA_FUNCTION_NAME" in env,
        auth=_auth(env),
        decode_processes=_limit(env, "DECODE_PROCESSES", most=_MOST_PROCESSES),
        decode_memory=_limit(env, "DECODE_MEMORY", least=_LEAST_MEMORY) or _function_memory(env),
        open_to_network=_boolean(env, "OPEN_TO_NETWORK"),
        owner_max_bytes=_limit(env, "OWNER_MAX_BYTES"),
        owner_max_images=_limit(env, "OWNER_MAX_IMAGES"),
        owner_max_open_uploads=_limit(env, "OWNER_MAX_OPEN_UPLOADS"),
        **numbers,
    )


def trace_id() -> str | None:
    """Under which X-Ray and API Gateway know what is worked on; Lambda's runtime sets it anew for each invocation.

    Its form: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
    """
    parts = dict(part.partition("=")[::2] for part in os.environ.get("_X_AMZN_TRACE_ID", "").split(";"))
    return parts.get("Root")


def _storage(env: Mapping[str, str]) -> Path:
    try:
        return Path(env.get("FILE_STORAGE_LOCATION", _DEFAULT_STORAGE)).expanduser().absolute()
    except RuntimeError:  # there is no such user, or none at all
        raise SettingsError("FILE_STORAGE_LOCATION must say where: no home is known for its ~.") from None


def _whole(env: Mapping[str, str], name: str, default: int, least: int = 1, most: int = _LARGEST_INTEGER) -> int:
    text = env.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise SettingsError(f"{name} must be a whole number from {least} to {most}, not {text!r}.")
    return int(text)


def _boolean(env: Mapping[str, str], name: str) -> bool:
    text = env.get(name, "false")
    if text not in ("true", "false"):
        raise SettingsError(f"{name} must be true or false, not {text!r}.")
    return text == "true"


def _limit(env: Mapping[str, str], name: str, least: int = 1, most: int = _LARGEST_INTEGER) -> int | None:
    return _whole(env, name, 0, least, most) or None


def _function_memory(env: Mapping[str, str]) -> int | None:
    """What a function of AWS Lambda has, less what it needs itself; `None` elsewhere."""
    memory = _limit(env, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    return memory * 1024**2 - _OWN_MEMORY if memory else None


def _auth(env: Mapping[str, str]) -> Auth:
    """On Lambda nothing is open unless the operator has written out that it is wanted."""
    text = env.get("AUTH", "keys" if "AWS_LAMBDA_FUNCTION_NAME" in env else "open")
    if text == "open":
        return "open"
    if text == "keys":
        return "keys"
    raise SettingsError(f"AUTH must be open or keys, not {text!r}.")


def _address(env: Mapping[str, str], name: str) -> str | None:
    text = env.get(name)
    if text is None:
        return None
    if not _is_address(text):
        raise SettingsError(f"{name} must be an http or https address such as https://pictures.example.org, without a user.")
    return text.rstrip("/")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises where it is no number
    except ValueError:
        return False
    nothing_else = not (parts.query or parts.fragment or "@" in parts.netloc)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and nothing_else


def _aws_credentials(env: Mapping[str, str]) -> tuple[str, str, str | None] | None:
    """Lambda puts its role's there, and ends the process before they do."""
    if "AWS_ACCESS_KEY_ID" in env and "AWS_SECRET_ACCESS_KEY" in env:
        return env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env.get("AWS_SESSION_TOKEN")
    return None


def _database_url(env: Mapping[str, str]) -> str | None:
    if "DATABASE_URL" in env:
        if not env["DATABASE_URL"].startswith(_DATABASES):
            raise SettingsError(f"DATABASE_URL must begin with {' or '.join(_DATABASES)}.")  # it may hold a password: not shown
        return env["DATABASE_URL"]
    if "MYSQL_IMAGE_REPO_ADMIN_PW" in env:
        password = quote(env["MYSQL_IMAGE_REPO_ADMIN_PW"], safe="")
        return f"mysql+pymysql://image_repo_admin:{password}@localhost/image_repo_db"
    return None
