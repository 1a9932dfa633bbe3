"""The settings: what each variable means, and that a bad one is named."""

from dataclasses import fields
from pathlib import Path

import pytest
from sqlalchemy import make_url

from chalicelib.settings import Settings, SettingsError, from_env


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = from_env({})
    assert settings == Settings(storage=Path.home() / ".local/share/image-repo")
    assert (settings.database_url, settings.public_url, settings.auth) == (None, None, "open")


@pytest.mark.parametrize(
    "field", [field for field in fields(Settings) if type(field.default) is int], ids=lambda field: field.name
)
def test_every_number_is_read_from_the_variable_of_its_name(field: "object") -> None:
    name = field.name  # type: ignore[attr-defined] # dataclasses.Field takes no arguments at run time
    usable = {"DECODE_MEMORY": str(1024**3)}.get(name.upper(), "77")
    assert getattr(from_env({name.upper(): usable}), name) == int(usable)
    for bad in ("0", "-1", "1.5", "1e6", "many", " 7", "7 ", "+7", "\u0667", str(2**63), "9" * 5000):
        with pytest.raises(SettingsError, match=name.upper()):
            from_env({name.upper(): bad})


@pytest.mark.parametrize(
    ("name", "bad"),
    [("DECODE_SECONDS", 86_401), ("STALE_SECONDS", 10**15), ("DECODE_MEMORY", 1000), ("DECODE_PROCESSES", 10**9)],
)
def test_a_number_that_no_decoder_could_work_with_is_named(name: str, bad: int) -> None:
    with pytest.raises(SettingsError, match=name):
        from_env({name: str(bad)})


def test_a_worker_is_never_given_up_while_it_may_still_decode() -> None:
    with pytest.raises(SettingsError, match="STALE_SECONDS"):
        from_env({"STALE_SECONDS": "60"})
    assert from_env({"STALE_SECONDS": "60", "DECODE_SECONDS": "59"}).stale_seconds == 60


def test_the_memory_of_decoders_is_what_was_set_or_what_a_function_has_or_for_the_machine_to_say() -> None:
    assert from_env({"DECODE_MEMORY": str(1024**3)}).decode_memory == 1024**3
    assert from_env({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008"}).decode_memory == (3008 - 256) * 1024**2
    assert from_env({}).decode_memory is None


def test_a_home_that_is_not_known_is_named() -> None:
    with pytest.raises(SettingsError, match="FILE_STORAGE_LOCATION"):
        from_env({"FILE_STORAGE_LOCATION": "~nobody-of-this-name/pictures"})


@pytest.mark.parametrize("name", ["owner_max_bytes", "owner_max_images", "owner_max_open_uploads", "decode_processes"])
def test_a_limit_is_a_number_or_none(name: str) -> None:
    assert getattr(from_env({name.upper(): "7"}), name) == 7
    assert getattr(from_env({name.upper(): ""}), name) is None
    with pytest.raises(SettingsError, match=name.upper()):
        from_env({name.upper(): "0"})


def test_an_empty_value_counts_as_none() -> None:
    names = [field.name.upper() for field in fields(Settings)]
    assert from_env(dict.fromkeys([*names, "FILE_STORAGE_LOCATION", "MYSQL_IMAGE_REPO_ADMIN_PW"], "")) == from_env({})


def test_the_folder_may_be_written_from_home_or_from_here() -> None:
    assert from_env({"FILE_STORAGE_LOCATION": "~/pictures"}).storage == Path.home() / "pictures"
    assert from_env({"FILE_STORAGE_LOCATION": "pictures"}).storage == Path.cwd() / "pictures"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://pictures.example.org", "https://pictures.example.org"),
        ("https://pictures.example.org/stage/", "https://pictures.example.org/stage"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_the_public_url_is_kept_without_a_trailing_slash(given: str, kept: str) -> None:
    assert from_env({"PUBLIC_URL": given}).public_url == kept


@pytest.mark.parametrize(
    "bad",
    ["pictures.example.org", "ftp://example.org", "https://", "https://user@example.org", "https://a/?b", "https://a/#b",
     "http://[::1", "http://example.org:port", "/"],
)  # fmt: skip
def test_a_public_url_that_is_none_is_named(bad: str) -> None:
    with pytest.raises(SettingsError, match="PUBLIC_URL"):
        from_env({"PUBLIC_URL": bad})


def test_the_database_is_named_by_a_url_or_by_the_password_alone() -> None:
    assert from_env({"DATABASE_URL": "sqlite:////x"}).database_url == "sqlite:////x"
    password = "p@ss:w/ö rd%41#?"  # noqa: S105 - nobody's
    url = make_url(from_env({"MYSQL_IMAGE_REPO_ADMIN_PW": password}).database_url or "")
    assert url.drivername == "mysql+pymysql"
    assert (url.username, url.password, url.host, url.database) == ("image_repo_admin", password, "localhost", "image_repo_db")
    both = {"DATABASE_URL": "sqlite:////x", "MYSQL_IMAGE_REPO_ADMIN_PW": password}
    assert from_env(both).database_url == "sqlite:////x"


@pytest.mark.parametrize("bad", ["hunter2", "sqlite:x", "mysql://u:hunter2@h/d", "postgresql://u:hunter2@h/d"])
def test_a_database_of_another_kind_is_refused_without_showing_a_password(bad: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL") as refusal:
        from_env({"DATABASE_URL": bad})
    assert "hunter2" not in str(refusal.value)


def test_a_password_does_not_show_in_the_representation() -> None:
    assert "hunter2" not in repr(from_env({"MYSQL_IMAGE_REPO_ADMIN_PW": "hunter2"}))


def test_keys_are_asked_for_where_the_operator_says_so_and_on_lambda_unless_he_says_otherwise() -> None:
    on_lambda = {"AWS_LAMBDA_FUNCTION_NAME": "api"}
    assert [from_env(env).auth for env in ({"AUTH": "keys"}, on_lambda, {**on_lambda, "AUTH": "open"})] == [
        "keys",
        "keys",
        "open",
    ]
    with pytest.raises(SettingsError, match="AUTH"):
        from_env({"AUTH": "Keys"})
