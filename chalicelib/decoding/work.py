"""What a worker does: the imaging room's work, with its results and refusals as data. Loaded by the warm child alone."""

import codecs
import hashlib
import io
import traceback
from typing import BinaryIO

from chalicelib.decoding.answers import Answer, Examined, Failed, Made, Refused, Task, packed, shown, task_from
from chalicelib.errors import BadImageError, UnsupportedImageError
from chalicelib.imaging.examine import examine, remake_thumbnails
from chalicelib.imaging.samples import samples
from chalicelib.model.pictures import Limits

_SAMPLE_LIMITS = Limits(1_000_000, 10, 1_000_000)
#: What texts in metadata are written in; Python loads a codec when it is first asked for.
_ENCODINGS = {"ascii", "latin-1", "cp1252", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"} | {
    *("shift_jis", "cp932", "euc_jp", "iso2022_jp", "gb18030", "big5")
}


def prepare() -> None:
    """Do everything once, with pictures of our own: behind the fence nothing can be loaded any more."""
    for encoding in _ENCODINGS:
        codecs.lookup(encoding)
    for sample in samples():
        answer = _answer(io.BytesIO(sample), Task(_SAMPLE_LIMITS, hashlib.sha256(sample).digest()))
        packed(answer)
        if not isinstance(answer, Examined):
            raise TypeError(f"a decoder that is needed does not work: {answer}")


def work(file: BinaryIO, task: bytes) -> bytes:
    """The packed answer to a packed task. Out of memory is no answer: it is raised."""
    return packed(_answer(file, task_from(task)))


def _answer(file: BinaryIO, task: Task) -> Answer:
    try:
        if task.sha256 is None:
            return Made(remake_thumbnails(file, task.limits))
        return Examined(examine(file, task.sha256, task.limits))
    except (BadImageError, UnsupportedImageError) as refusal:
        return Refused(refusal.code, shown(refusal.message))
    except MemoryError:
        raise
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return Failed(shown(f"{type(error).__name__} in {where.name}, line {where.lineno}: {error}"))
