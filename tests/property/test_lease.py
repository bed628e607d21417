"""Whatever happens to tables and clocks, nobody writes on a lease that was gone for 15 s."""

from __future__ import annotations

from eventsourcing.persistence import OperationalError
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import LeaseUnreadable, NotTheWriter
from ledger.lease import TRUSTED_SECONDS, Grant, Lease, Standing

HERE = "ap-southeast-4"

seconds = st.floats(0, 40, allow_nan=False).map(lambda s: round(s, 3))
steps = st.one_of(
    st.tuples(st.just("open"), st.booleans()),
    st.tuples(st.just("readable"), st.booleans()),
    st.tuples(st.just("pass"), seconds),
    st.tuples(st.just("sleep"), seconds),
    st.tuples(st.just("slow"), st.floats(0, 20)),
    st.tuples(st.just("check"), st.none()),
    st.tuples(st.just("held"), st.none()),
)


class World:
    """A Region's lease in time. `sleep` is time that the monotonic clock doesn't see."""

    def __init__(self) -> None:
        self.now = self.monotonic = 1_000.0
        self.open = self.readable = True
        self.slow = 0.0
        self.open_until = float("inf")
        """When it was closed last, unless it is open."""

    def set_open(self, is_open: bool) -> None:
        if self.open and not is_open:
            self.open_until = self.now
        if is_open:
            self.open_until = float("inf")
        self.open = is_open

    def pass_time(self, seconds: float, *, asleep: bool = False) -> None:
        self.now += seconds
        if not asleep:
            self.monotonic += seconds

    def read(self) -> Standing:
        grant = Grant("open" if self.open else "closed", 1, HERE, "", "")
        readable = self.readable
        self.pass_time(self.slow)
        if not readable:
            raise OperationalError("no answer")
        return Standing(grant)


@given(st.lists(steps, max_size=40))
def test_nobody_acts_on_a_lease_that_is_gone(script: list[tuple[str, float | bool | None]]) -> None:
    world = World()
    lease = Lease(world.read, HERE, clocks=(lambda: world.monotonic, lambda: world.now))
    undisturbed = True
    for what, value in script:
        if what == "open":
            world.set_open(bool(value))
            undisturbed &= bool(value)
        elif what == "readable":
            world.readable = bool(value)
            undisturbed &= bool(value)
        elif what == "slow":
            world.slow = float(value or 0)
            undisturbed &= world.slow <= TRUSTED_SECONDS
        elif what in ("pass", "sleep"):
            world.pass_time(float(value or 0), asleep=what == "sleep")
        else:
            allowed = _asked(lease, what)
            if allowed:
                assert world.now - world.open_until <= TRUSTED_SECONDS
            if undisturbed:
                assert allowed, "a lease that is open and can be read is not withheld"


def _asked(lease: Lease, what: str) -> bool:
    try:
        if what == "held":
            return lease.held()
        lease.check()
    except (NotTheWriter, LeaseUnreadable):
        return False
    return True
