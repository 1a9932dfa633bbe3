"""Who decodes next, as a game of jobs that come and end in any order."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chalicelib.decoding.lanes import Job, Lanes, State

BUDGET, PROCESSES, LANE, CEILING = 1000, 2, 100, 1500
OWNERS = ("ann", "bob", "eve")


def lanes() -> Lanes:
    return Lanes(BUDGET, PROCESSES, LANE, lambda: CEILING)


def small(owner: str, cpu: float = 0.1) -> Job:
    return Job(owner, LANE, cpu, small=True)


def large(owner: str, memory: int = 450, cpu: float = 4.0) -> Job:
    return Job(owner, memory, cpu, small=False)


def running(jobs: list[Job]) -> list[Job]:
    return [job for job in jobs if job.state is State.RUNNING]


def test_a_small_picture_does_not_wait_behind_any_number_of_large_ones() -> None:
    queue = lanes()
    for _ in range(200):
        queue.add(large("eve"))
    photo = small("ann")
    queue.add(photo)
    assert photo.state is State.RUNNING


def test_small_pictures_use_what_large_ones_leave() -> None:
    queue, photos = lanes(), [small("ann") for _ in range(10)]
    for photo in photos:
        queue.add(photo)
    assert len(running(photos)) == PROCESSES + 1


def test_anothers_large_picture_waits_for_one_bomb_not_for_all() -> None:
    queue, bombs = lanes(), [large("eve") for _ in range(50)]
    for bomb in bombs:
        queue.add(bomb)
    photo = large("ann", cpu=2.0)
    queue.add(photo)
    first, second = running(bombs)
    queue.end(first)
    queue.end(second)
    assert photo.state is State.RUNNING


def test_of_one_owner_the_cheapest_goes_first_and_the_oldest_is_not_forgotten() -> None:
    queue = Lanes(BUDGET, 1, 0, lambda: CEILING)
    holding = large("ann")
    queue.add(holding)
    dear, cheap = large("ann", cpu=9.0), large("ann", cpu=1.0)
    queue.add(dear)
    queue.add(cheap)
    queue.end(holding)
    assert cheap.state is State.RUNNING
    now, turns = cheap, 0
    while dear.state is State.WAITING:
        following = large("ann", cpu=1.0)
        queue.add(following)
        queue.end(now)
        now, turns = following, turns + 1
        assert turns < 20


def test_what_is_beyond_the_budget_runs_alone_if_it_fits_the_machine_and_is_refused_if_not() -> None:
    queue = lanes()
    fits, does_not, other = large("ann", CEILING - LANE), large("bob", CEILING - LANE + 1), large("eve")
    for job in (fits, does_not, other):
        queue.add(job)
    assert (fits.state, does_not.state, other.state) == (State.RUNNING, State.WAITING, State.WAITING)
    photo = small("bob")
    queue.add(photo)
    assert photo.state is State.RUNNING
    queue.end(fits)
    assert (does_not.state, other.state) == (State.REFUSED, State.RUNNING)


class Game(RuleBasedStateMachine):
    """Jobs come from three owners, and running ones end, or waiting ones are given up, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.lanes = lanes()
        self.jobs: list[Job] = []

    @rule(owner=st.sampled_from(OWNERS), memory=st.integers(1, CEILING + 50), cpu=st.floats(0.1, 9.0))
    def a_large_one_comes(self, owner: str, memory: int, cpu: float) -> None:
        self._add(large(owner, memory, cpu))

    @rule(owner=st.sampled_from(OWNERS), memory=st.integers(1, LANE), cpu=st.floats(0.1, 0.5))
    def a_small_one_comes(self, owner: str, memory: int, cpu: float) -> None:
        self._add(Job(owner, memory, cpu, small=True))

    @precondition(lambda self: any(job.state is State.RUNNING for job in self.jobs))
    @rule(data=st.data())
    def one_ends(self, data: st.DataObject) -> None:
        self.lanes.end(data.draw(st.sampled_from(running(self.jobs))))

    @precondition(lambda self: any(job.state is State.WAITING for job in self.jobs))
    @rule(data=st.data())
    def one_is_given_up(self, data: st.DataObject) -> None:
        self.lanes.end(data.draw(st.sampled_from([job for job in self.jobs if job.state is State.WAITING])))

    def _add(self, job: Job) -> None:
        self.jobs.append(job)
        self.lanes.add(job)

    @invariant()
    def the_budget_holds_but_for_one_that_runs_alone(self) -> None:
        together = sum(job.memory for job in running(self.jobs))
        beyond = [job for job in running(self.jobs) if job.memory > BUDGET - LANE]
        assert together <= (CEILING if beyond else BUDGET)
        assert not beyond or len([job for job in running(self.jobs) if not job.small]) == 1

    @invariant()
    def no_more_run_than_there_are_processes(self) -> None:
        assert len(running(self.jobs)) <= PROCESSES + 1
        assert len([job for job in running(self.jobs) if not job.small]) <= PROCESSES

    @invariant()
    def only_what_never_fits_is_refused(self) -> None:
        assert all(job.memory + LANE > CEILING for job in self.jobs if job.state is State.REFUSED)

    @invariant()
    def nobody_waits_while_nothing_runs(self) -> None:
        assert running(self.jobs) or not any(job.state is State.WAITING for job in self.jobs)

    def teardown(self) -> None:
        """Whatever has come, everything ends once what runs ends."""
        while now := running(self.jobs):
            self.lanes.end(now[0])
        assert not any(job.state is State.WAITING for job in self.jobs)


TestGame = Game.TestCase
TestGame.settings = settings(max_examples=40)


@given(st.lists(st.tuples(st.sampled_from(OWNERS), st.floats(0.1, 9.0)), min_size=4, max_size=60))
def test_owners_take_turns(coming: list[tuple[str, float]]) -> None:
    """Between two turns of one owner everybody else who waits all the while has had one."""
    queue = Lanes(BUDGET, 1, 0, lambda: CEILING)
    holding = large("zoe")
    queue.add(holding)
    jobs = [large(owner, cpu=cpu) for owner, cpu in coming]
    for job in jobs:
        queue.add(job)
    queue.end(holding)
    order: list[str] = []
    while now := running(jobs):
        order.append(now[0].owner)
        queue.end(now[0])
    assert sorted(order) == sorted(owner for owner, _ in coming)
    for place, owner in enumerate(order):
        since = order[:place][::-1]
        between = since[: since.index(owner)] if owner in since else since
        assert set(order[place:]) - {owner} <= set(between) or owner not in since
