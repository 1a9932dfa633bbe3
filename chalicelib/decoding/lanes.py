"""Who decodes next: by memory, with a lane kept for small pictures, and owners taking turns. Nothing here waits or runs.

Most pictures are small and a few cost a thousand times as much. So some memory and one worker are only for the small, which
never stand behind the large; they may use the other workers too. What needs more than the budget runs alone beside the
lane, if the machine has the room, and is refused if not.
"""

import enum
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

#: Of so many turns of an owner one is the longest waiting picture's, so that none waits for ever behind cheaper ones.
_TURNS_UNTIL_THE_OLDEST = 10


class State(enum.Enum):
    WAITING, RUNNING, REFUSED, DONE = range(4)


@dataclass(eq=False, slots=True)
class Job:
    """A file to be decoded; `memory` is bytes, `cpu` seconds. `small` is whether the lane for small pictures takes it."""

    owner: str
    memory: int
    cpu: float
    small: bool
    state: State = State.WAITING


@dataclass(slots=True)
class _Owner:
    """Jobs in the order they came in. A turn is the number of the last one had, or of the moment of coming in."""

    lane_turn: int
    turn: int
    turns: int = 0
    jobs: list[Job] = field(default_factory=list)


class Lanes:
    """Jobs that run hold to `budget` bytes together, of which `lane` are for small ones alone; 0 is no such lane.

    Beside the lane `processes` jobs run. `ceiling` tells how many bytes there are when a job that is beyond the budget runs.
    """

    def __init__(self, budget: int, processes: int, lane: int, ceiling: Callable[[], int]) -> None:
        self.large: set[Job] = set()
        self.in_lane: Job | None = None
        self._budget, self._processes, self._lane, self._ceiling = budget - lane, processes, lane, ceiling
        self._owners: dict[str, _Owner] = {}
        self._numbers = itertools.count()

    def add(self, job: Job) -> None:
        """Let the job wait for its turn; its state tells when it may run, or that it never will."""
        number = next(self._numbers)
        self._owners.setdefault(job.owner, _Owner(number, number)).jobs.append(job)
        self._settle()

    def end(self, job: Job) -> None:
        """The job has ended, or is given up before it began."""
        if job.state is State.WAITING:
            self._take(job)
        elif job is self.in_lane:
            self.in_lane = None
        else:
            self.large.discard(job)
        job.state = State.DONE
        self._settle()

    def _settle(self) -> None:
        while self._start_in_lane() or self._start():
            pass

    def _start_in_lane(self) -> bool:
        waiting = [owner for owner in self._owners.values() if any(job.small for job in owner.jobs)]
        if not self._lane or self.in_lane or not waiting:
            return False
        owner = min(waiting, key=lambda owner: owner.lane_turn)
        owner.lane_turn = next(self._numbers)
        self.in_lane = self._take(min((job for job in owner.jobs if job.small), key=lambda job: job.cpu))
        self.in_lane.state = State.RUNNING
        return True

    def _start(self) -> bool:
        """Where the one whose turn it is does not fit yet, nobody else goes first: it would never fit."""
        if not self._owners or len(self.large) >= self._processes:
            return False
        owner = min(self._owners.values(), key=lambda owner: owner.turn)
        oldest = owner.turns % _TURNS_UNTIL_THE_OLDEST == _TURNS_UNTIL_THE_OLDEST - 1
        job = owner.jobs[0] if oldest else min(owner.jobs, key=lambda job: job.cpu)
        fits = sum(other.memory for other in self.large) + job.memory <= self._budget
        if not fits and self.large:
            return False
        owner.turns, owner.turn = owner.turns + 1, next(self._numbers)
        self._take(job)
        if fits or job.memory + self._lane <= self._ceiling():
            job.state = State.RUNNING
            self.large.add(job)
        else:
            job.state = State.REFUSED
        return True

    def _take(self, job: Job) -> Job:
        owner = self._owners[job.owner]
        owner.jobs.remove(job)
        if not owner.jobs:
            del self._owners[job.owner]
        return job
