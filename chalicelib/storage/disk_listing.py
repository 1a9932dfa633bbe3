"""Which folders a disk store's objects lie in, and how its keys are listed in order without reading all of them.

    incoming/<upload_id>                 originals/<2>/<storage_id>            thumbnails/<2>/<storage_id>/<size>.<ext>

`<2>` are the first characters of the id. Ids are random, so a thousand folders fill evenly, and a listing runs through them in
key order, one at a time. What the release before stored stays in `<5>/<2>`: its ids sorted by time, and would fill few of two.
"""

import heapq
from collections.abc import Iterator
from pathlib import Path

from chalicelib.storage import files
from chalicelib.storage.keys import DECODED, INCOMING, THUMBNAILS, names_its_upload

#: Where the names of the folders end within an id, level by level; and the same for ids of the release before.
_LEVELS, _EARLIER_LEVELS = (2,), (5, 7)


def folders(storage_id: str | None) -> Iterator[str]:
    """The names of the folders that the objects of a storage id lie in; none for what is on its way in."""
    if storage_id is not None:
        begin = 0
        for end in _EARLIER_LEVELS if names_its_upload(storage_id) else _LEVELS:
            yield storage_id[begin:end]
            begin = end


def keys_below(root: Path, section: str, after: str) -> Iterator[str]:
    """What is listed below a section, in order, leaving out folders that hold nothing greater than `after`."""
    if section in (INCOMING, DECODED):
        return _keys_in(section, root / section, after)
    leaves = (_leaves(root, section, levels, after) for levels in (_LEVELS, _EARLIER_LEVELS))
    return heapq.merge(*(_keys_of(section, found, after) for found in leaves))


def _keys_of(section: str, leaves: Iterator[Path], after: str) -> Iterator[str]:
    for folder in leaves:
        yield from _keys_in(section, folder, after)


def _keys_in(section: str, folder: Path, after: str) -> Iterator[str]:
    for name in files.names(folder):
        if section != THUMBNAILS:
            yield section + name
        elif not _all_passed(f"{section}{name}/", after):
            yield from (f"{section}{name}/{file}" for file in files.names(folder / name))


def _leaves(root: Path, section: str, levels: tuple[int, ...], after: str) -> Iterator[Path]:
    """The folders at the last of these levels, in order."""
    found = iter([(root / section, section)])
    begin = 0
    for end in levels:
        found = _below(found, end - begin, after)
        begin = end
    return (folder for folder, _ in found)


def _below(above: Iterator[tuple[Path, str]], length: int, after: str) -> Iterator[tuple[Path, str]]:
    """The folders in these, each with how its keys begin, whose names have so many characters and that may hold later keys."""
    for folder, beginning in above:
        for name in files.names(folder):
            if len(name) == length and not _all_passed(beginning + name, after):
                yield folder / name, beginning + name


def _all_passed(beginning: str, after: str) -> bool:
    """Whether every key that begins so comes before `after`."""
    return beginning < after[: len(beginning)]
