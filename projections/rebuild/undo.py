"""The ways back from a rebuild: out of an unfinished one, and to the generation before."""

from __future__ import annotations

from projections.generations import Generations
from projections.rebuild.claim import Claim, RebuildRefused, TakenOver, Told
from projections.rebuild.state import Phase


def untold(_: float) -> None:
    """Nobody wants to know."""


class Undo(Claim):
    """Shows, keeps and drops generations."""

    def rollback(self) -> Generations:
        """Show the former generation again; doing it twice goes forward again.

        Raises
        ------
        RebuildRefused
            There is none, or what is kept is just being filled.
        """
        # The generations first: what is registered after they were read, fails the change.
        before = self.generations
        known = self.unfinished()
        if known is not None and known.generation != before.active:
            raise self._refused(f"the rebuild into generation {known.generation} is not finished")
        if not before.kept:
            raise RebuildRefused(f"{self.view.base} has no former generation to go back to.")
        if known is not None and not self._store.record(self.view, known, None):
            raise TakenOver(self.view)
        after = before.showing(before.kept[-1])
        if not self._store.register(self.view, before, after):
            raise RebuildRefused(f"somebody else has just changed {self.view.base}. Look again.")
        return after

    def abandon(self, told: Told = untold) -> int:
        """Drop an unfinished rebuild and delete its generation's rows; answers its number.
        `told` how many seconds are left to wait.

        Raises
        ------
        RebuildRefused
            There is none, or its generation is shown already.
        """
        known = self.unfinished()
        if known is None:
            raise RebuildRefused(f"there is no unfinished rebuild of {self.view.base}.")
        self._take_over(known)
        if known.phase is not Phase.DROPPED:
            self._save(phase=Phase.DROPPED, since=0.0)
        return self._drop(told)

    def release(self, told: Told = untold) -> int:
        """Keep the former generation no longer: every event is written to it as well. Answers its
        number.

        Raises
        ------
        RebuildRefused
            There is none, or what is kept is just being filled.
        """
        if (known := self.unfinished()) is not None:
            raise self._refused(f"the rebuild into generation {known.generation} is not finished")
        kept = self.generations.kept
        if not kept:
            raise RebuildRefused(f"{self.view.base} keeps no former generation.")
        self._begin((), generation=kept[-1], phase=Phase.DROPPED)
        return self._drop(told)

    def _drop(self, told: Told) -> int:
        """Unregister the claimed generation, wait out whoever still writes it, delete it."""
        number = self.state.generation
        if not self.state.since:
            if number and self._change(self._without).active == number:
                self._end()
                msg = f"generation {number} of {self.view.base} is the one that is shown."
                raise RebuildRefused(msg)
            self._save(since=self._clock())
        if number:
            self._wait(told)
        live = self.generations.live
        for old in sorted({*self.state.leaving, number} - {0, *live}):
            self._store.discard(self.view.at(old))
        self._end()
        return number

    def _without(self, before: Generations) -> Generations:
        number = self.state.generation
        return before if before.active == number else before.without(number)
