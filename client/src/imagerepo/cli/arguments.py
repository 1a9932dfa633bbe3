"""The command's arguments."""

import argparse
import dataclasses
import math
from pathlib import Path
from typing import get_args

from imagerepo import __version__
from imagerepo.filters import Filters, Sort

_EXIT_CODES = """\
exit codes: 0 all is well, 1 some files or images were refused or failed, 2 wrong usage, 3 server or store out of reach
(run the same command again later), 4 the key is missing or does not do, 130 stopped by Ctrl-C, 141 nobody reads the output.

Server and key come from the flags, from IMAGEREPO_SERVER and IMAGEREPO_KEY, or from the file named by IMAGEREPO_CONFIG
(else ~/.config/imagerepo/config.toml), which holds   server = "https://…"   and   key = "…".
"""

_PATIENCE = "how long to try again when the server is busy or out of reach (default: 60)"
_WAIT = "how long the server may go without finishing a file before the rest is left to it (default: 600)"
_CHOICES = ("format", "camera_make", "camera_model", "lens_model")
_TEXTS = {
    "uploaded_after": "at or after a date or time, UTC unless it says otherwise",
    "uploaded_before": "before a date or time",
    "taken_after": "at or after a date or time by the camera's clock",
    "taken_before": "before a date or time by the camera's clock",
    "name": "a part of the name, in any case",
    "format": "JPEG, PNG, GIF, WEBP, TIFF, BMP, AVIF or HEIC; repeat for either-or",
    "camera_make": "such as NIKON; repeat for either-or",
    "camera_model": "repeat for either-or",
    "lens_model": "repeat for either-or",
    "bbox": "taken within --bbox=WEST,SOUTH,EAST,NORTH in degrees",
    "exposure_time_min": "seconds",
    "exposure_time_max": "seconds",
    "focal_length_min": "millimetres",
    "focal_length_max": "millimetres",
    "byte_size_min": "bytes",
    "byte_size_max": "bytes",
}


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(
        "imagerepo",
        description="Get pictures into an image repository, find them, and get them out again.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    whole.add_argument("--version", action="version", version=f"imagerepo {__version__}")
    commands = Commands(whole)
    for add in (_upload, _list, _show, _download, _delete):
        add(commands)
    commands.add("status", "tell whether the server is well, what it takes, and what is unfinished here", "the same as JSON")
    return whole


def filters(given: argparse.Namespace) -> Filters:
    """The filters that the arguments name."""
    names = [field.name for field in dataclasses.fields(Filters)]
    return Filters(**{name: getattr(given, name) for name in names if getattr(given, name) is not None})


class Commands:
    """The subcommands, each with the flags that all of them take."""

    def __init__(self, whole: argparse.ArgumentParser) -> None:
        self._commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(self, name: str, text: str, json: str | None = None) -> argparse.ArgumentParser:
        """`json` says what --json prints, where there is something."""
        command = self._commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", allow_abbrev=False)
        command.add_argument("--server", metavar="URL", help="the repository's address (default: http://127.0.0.1:8000)")
        command.add_argument("--key", help="the API key; other users can see it in the list of processes, so rather set it")
        command.add_argument("--patience", type=_seconds, default=60.0, metavar="SECONDS", help=_PATIENCE)
        if json:
            command.add_argument("--json", action="store_true", help=json)
        return command


def _upload(commands: Commands) -> None:
    command = commands.add("upload", "upload files and folders, as far as they are not held", "a line of JSON for each file")
    command.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file, or a folder with all that is below it")
    command.add_argument("--all", action="store_true", help="every file in folders, not only what looks like a picture")
    command.add_argument("--dry-run", action="store_true", help="only tell which files there are; the server is not asked")
    command.add_argument("--jobs", type=_count, default=4, metavar="N", help="files sent at once (default: 4)")
    command.add_argument("--wait", type=_seconds, default=600.0, metavar="SECONDS", help=_WAIT)
    command.add_argument("--retry-refused", action="store_true", help="send again what was refused before")


def _list(commands: Commands) -> None:
    command = commands.add("list", "list images", "a line of JSON for each image, complete")
    _add_filters(command)
    command.add_argument(
        "--sort", choices=get_args(Sort), metavar="ORDER", help=f"{', '.join(get_args(Sort))} (default: the first)"
    )
    command.add_argument("--limit", type=_count, metavar="N", help="at most so many images (default: all)")
    command.add_argument("--owner", help="another owner's images; takes an admin key")


def _show(commands: Commands) -> None:
    command = commands.add("show", "show all that is known of images", "a line of JSON for each image, complete")
    command.add_argument("ids", nargs="+", type=_count, metavar="ID")
    command.add_argument("--owner", help="another owner's images; takes an admin key")


def _download(commands: Commands) -> None:
    command = commands.add("download", "download originals, by id or by filter", "a line of JSON for each image")
    command.add_argument("ids", nargs="*", type=_count, metavar="ID")
    command.add_argument("--all", action="store_true", help="every image")
    _add_filters(command)
    command.add_argument("--to", type=Path, default=Path(), metavar="FOLDER", help="where to (default: here)")
    command.add_argument("--flat", action="store_true", help="all into one folder (default: one a day, YYYY/MM/DD)")
    command.add_argument("--jobs", type=_count, default=4, metavar="N", help="files fetched at once (default: 4)")
    command.add_argument("--owner", help="another owner's images; takes an admin key")


def _delete(commands: Commands) -> None:
    command = commands.add("delete", "delete images")
    command.add_argument("ids", nargs="+", type=_count, metavar="ID")
    command.add_argument("--yes", action="store_true", help="do not ask")
    command.add_argument("--owner", help="another owner's images; takes an admin key")


def _add_filters(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("filters", "All of them must hold. Ranges include their ends.")
    for field in dataclasses.fields(Filters):
        flag, text = f"--{field.name.replace('_', '-')}", _TEXTS.get(field.name)
        if field.name == "has_location":
            group.add_argument(flag, action=argparse.BooleanOptionalAction, help="whether it is known where it was taken")
        elif field.name in _CHOICES:
            group.add_argument(flag, action="append", metavar="TEXT", help=text)
        elif field.name.endswith(("_min", "_max")):
            group.add_argument(flag, type=float, metavar="NUMBER", help=text)
        else:
            group.add_argument(flag, metavar="TEXT", help=text)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**63):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds
