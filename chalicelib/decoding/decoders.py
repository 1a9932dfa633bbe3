"""The door of this room: decodes files behind the fence, within the memory there is, and with turns for every owner."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from chalicelib.decoding import machine
from chalicelib.decoding.admission import Admission, TooLarge
from chalicelib.decoding.answers import (
    Answer,
    Examined,
    Failed,
    Forged,
    Made,
    Refused,
    Task,
    answer_from,
    check_picture,
    check_thumbnails,
    packed,
    refusal_from,
)
from chalicelib.decoding.costs import BASE, MB, SMALL_CPU, SMALL_MEMORY, Estimate, estimate
from chalicelib.decoding.lanes import Job, Lanes
from chalicelib.decoding.pool import Pool
from chalicelib.decoding.warm import DecoderDied, OutOfMemory, OutOfTime
from chalicelib.errors import BadImageError
from chalicelib.imaging import headers
from chalicelib.imaging.headers import Header, size_of
from chalicelib.model.pictures import Limits, Picture, Thumbnails

T = TypeVar("T")
Aside = Callable[[], AbstractContextManager[None]]

#: The module whose functions a child runs.
WORK = "chalicelib.decoding.work"
#: What a limit of memory has on top of the estimate: the stacks of threads, which are asked for and hardly used.
_STACKS = 160 * MB
#: How many times the time of a small picture one may take before it counts as a large one.
_PATIENCE_WITH_SMALL = 10
#: By how much the memory grows for the one more try of a picture that its estimate was not enough for.
_SECOND_TRY = 2
#: Whose turn the sweep takes.
_NOBODY = ""


@dataclass(frozen=True, slots=True)
class Room:
    """What decoding may take: `memory` bytes at once, `seconds` of processor time for each file, and `processes` at once.

    `None` is as much as suits the machine: half of its memory, and more for a picture that runs alone. With `lane` there is
    one process more, for small pictures.
    """

    memory: int | None
    processes: int | None
    seconds: float
    lane: bool = True


class Decoders:
    """Decodes files for many threads at once.

    `module` is what the children run. `aside` is entered by a thread while it waits for the turn of an owner's file.
    """

    def __init__(self, limits: Limits, room: Room, module: str = WORK, aside: Aside = nullcontext) -> None:
        self._limits, self._seconds, self._aside = limits, float(room.seconds), aside
        given, lane = room.memory, BASE + SMALL_MEMORY if room.lane else 0
        processes = room.processes or machine.usual_processes()
        self._ceiling = machine.ceiling if given is None else lambda: given
        self._admission = Admission(Lanes(given or machine.usual_budget(), processes, lane, self._ceiling))
        self._pool = Pool(module)

    def examine(self, path: Path, sha256: bytes, owner: str) -> Picture:
        """What is in the file at `path`, whose digest is `sha256`, and which is `owner`'s.

        Raises `UnsupportedImageError` or `BadImageError` about the file, `DecoderDied` when the decoder does not survive it,
        `PoolClosed`, and `UnavailableError` when no decoder can be started.
        """
        with path.open("rb") as file:
            header = headers.read(file, self._limits)
            answer = self._answer(file, header, Task(self._limits, sha256), owner)
        return _trusted(lambda: _examined(answer, header))

    def make_thumbnails(self, path: Path) -> Thumbnails:
        """The thumbnails of the file at `path`. Raises what `examine` raises, and `BadImageError` where a decoder dies."""
        with path.open("rb") as file:
            header = headers.read(file, self._limits)
            try:
                answer = self._answer(file, header, Task(self._limits, None), _NOBODY)
                thumbnails = _trusted(lambda: _made(answer))
            except DecoderDied as death:
                raise BadImageError(f"The file brought the decoder down: {death}") from death
        return thumbnails

    def close(self) -> None:
        """End the decoders, those at work too; a second call does no harm."""
        self._admission.close()
        self._pool.close()

    def _answer(self, file: BinaryIO, header: Header, task: Task, owner: str) -> Answer:
        """Raises what the worker refuses the file for."""
        expected = estimate(header, size_of(file))
        try:
            data = self._run(file, packed(task), owner, expected, expected.small)
        except (OutOfMemory, OutOfTime) as end:
            # The estimate may be wrong: once more, with more room, and not among the small.
            if isinstance(end, OutOfTime) and self._time_for(expected.small) == self._seconds:
                raise
            more = Estimate(_SECOND_TRY * expected.memory, self._seconds)
            try:
                data = self._run(file, packed(task), owner, more, small=False)
            except OutOfMemory:
                raise BadImageError(f"{_needs(more)}, more than such a picture should; send it in another format.") from None
        answer = _trusted(lambda: answer_from(data))
        if isinstance(answer, Failed):
            raise DecoderDied(f"The decoder failed: {answer.text!a}")
        if isinstance(answer, Refused):
            refusal = answer
            raise _trusted(lambda: refusal_from(refusal))
        return answer

    def _run(self, file: BinaryIO, task: bytes, owner: str, expected: Estimate, small: bool) -> bytes:
        job = Job(owner, expected.memory, expected.cpu, small)
        try:
            with self._aside() if owner is not _NOBODY else nullcontext():
                self._admission.wait(job)
        except TooLarge:
            raise BadImageError(f"{_needs(expected)}; there are {self._ceiling() // MB:,} MB. Send it smaller.") from None
        try:
            return self._pool.run(file.fileno(), task, expected.memory - BASE + _STACKS, self._time_for(small))
        finally:
            self._admission.end(job)

    def _time_for(self, small: bool) -> float:
        return min(self._seconds, _PATIENCE_WITH_SMALL * SMALL_CPU) if small else self._seconds


def _examined(answer: Answer, header: Header) -> Picture:
    if not isinstance(answer, Examined):
        raise Forged("it was not asked for")
    check_picture(answer.picture, header)
    return answer.picture


def _made(answer: Answer) -> Thumbnails:
    if not isinstance(answer, Made):
        raise Forged("it was not asked for")
    check_thumbnails(answer.thumbnails)
    return answer.thumbnails


def _needs(expected: Estimate) -> str:
    return f"The image needs about {expected.memory // MB:,} MB of memory to be decoded"


def _trusted(check: Callable[[], T]) -> T:
    """Raises `DecoderDied` for an answer that no decoder of ours gives: the file has taken it over, or broken it."""
    try:
        return check()
    except Forged as forgery:
        raise DecoderDied(f"The decoder gave an answer that cannot be trusted: {forgery}.") from None
