"""The operator's commands, as they are run: what they print and how they exit."""

from pathlib import Path

import pytest

from tests import pictures
from tests.http.server import command
from tests.repositories import files_in, repository_in, take_in


def test_migrate_makes_the_catalog_and_says_so(tmp_path: Path) -> None:
    for _ in range(2):
        ran = command(tmp_path / "new", "migrate")
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "The catalog is up to date.\n", "")
    assert (tmp_path / "new" / "catalog.sqlite3").exists()


def test_sweep_puts_right_what_it_finds_and_says_what_it_did(tmp_path: Path) -> None:
    repository = repository_in(tmp_path)
    take_in(repository, pictures.png(1))
    for path in files_in(tmp_path):
        if "thumbnails" in path.parts:
            path.unlink()
    dry = command(tmp_path, "sweep", "--dry-run")
    assert (dry.returncode, dry.stderr) == (0, "")
    assert dry.stdout.splitlines() == [
        "Dry run, nothing was changed.",
        "       1 sets of thumbnails made",
        "0 broken invariants.",
    ]
    assert len(files_in(tmp_path)) == 1
    ran = command(tmp_path, "sweep")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines() == ["Swept.", "       1 sets of thumbnails made", "0 broken invariants."]
    assert len(files_in(tmp_path)) == 4
    again = command(tmp_path, "sweep")
    assert again.stdout.splitlines() == ["Swept.", "Nothing needed doing.", "0 broken invariants."]


def test_sweep_exits_with_1_where_an_invariant_is_broken(tmp_path: Path) -> None:
    take_in(repository_in(tmp_path), pictures.png(1))
    (original,) = (path for path in files_in(tmp_path) if "originals" in path.parts)
    original.unlink()
    ran = command(tmp_path, "sweep")
    assert (ran.returncode, ran.stderr) == (1, "")
    assert ran.stdout.splitlines()[-2:] == [
        f"PROBLEM: The original {original.name} has a live row but no object.",
        "1 broken invariants.",
    ]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"MAX_BYTES": "many"}, "MAX_BYTES must be a whole number from 1 to 9223372036854775807, not 'many'."),
        ({"DATABASE_URL": "mysql+pymysql://nobody:hunter2@127.0.0.1:1/none"}, "it cannot be reached: see that it runs"),
        ({"DATABASE_URL": "postgresql://nobody:hunter2@127.0.0.1/none"}, "DATABASE_URL"),
        ({"DATABASE_URL": "mysql+pymysql://nobody:hunter2@127.0.0.1:port/none"}, "DATABASE_URL"),
        ({"DATABASE_URL": "hunter2"}, "DATABASE_URL"),
        ({"DATABASE_URL": "mysql+nothing://nobody:hunter2@127.0.0.1/none"}, "DATABASE_URL"),
        ({"FILE_STORAGE_LOCATION": "/dev/null/pictures"}, "FILE_STORAGE_LOCATION"),
    ],
)
def test_a_command_that_cannot_start_says_why_in_a_line(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    ran = command(tmp_path, "sweep", settings=settings)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert said in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert "hunter2" not in ran.stderr


@pytest.mark.parametrize("arguments", [[], ["sweeep"], ["sweep", "--wet-run"]])
def test_misuse_exits_with_2_and_says_how_it_is_used(tmp_path: Path, arguments: list[str]) -> None:
    ran = command(tmp_path, *arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("usage: ")
