"""`ledger rebuild`: a view made again from all events, beside the one that is shown."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from ledger.cli.options import StoreOption, opened, read_settings
from ledger.cli.output import FINDING, err, fail, guarded, out
from ledger.cli.views import projected
from projections.bootstrap import Projections
from projections.generations import TRUSTED_SECONDS
from projections.rebuild.differences import Comparison
from projections.rebuild.rebuild import SEGMENTS, Rebuild, RebuildRefused
from projections.rebuild.state import Phase, Rebuilding
from projections.store.base import ViewStoreBusy
from projections.views import View

PHASES: Final = {
    Phase.BEGUN: "it has just begun",
    Phase.REGISTERED: "it waits until everybody who writes knows of it",
    Phase.SETTLED: "history is being read",
    Phase.FILLED: "it is complete and may be shown",
    Phase.DROPPED: "it is being dropped",
}
WIDTHS: Final = (40, 16, 30, 30)

ViewArgument = Annotated[
    str, typer.Argument(metavar="VIEW", help="stock_levels, orders or open_reservations.")
]
SegmentsOption = Annotated[
    int, typer.Option(min=1, max=32, help="DynamoDB: parts of the events read at a time.")
]
DiffOption = Annotated[
    bool, typer.Option("--diff", help="Print what would change, and ask before it does.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="Don't ask.")]
RollbackOption = Annotated[
    bool, typer.Option("--rollback", help="Show the former generation again.")
]
AbandonOption = Annotated[bool, typer.Option("--abandon", help="Drop an unfinished rebuild.")]
ReleaseOption = Annotated[
    bool, typer.Option("--release", help="Keep the former generation no longer.")
]
StatusOption = Annotated[
    bool, typer.Option("--status", help="Tell of the generations and an unfinished rebuild.")
]


@guarded
def rebuild(
    view: ViewArgument,
    segments: SegmentsOption = SEGMENTS,
    diff: DiffOption = False,
    yes: YesOption = False,
    rollback: RollbackOption = False,
    abandon: AbandonOption = False,
    release: ReleaseOption = False,
    status: StatusOption = False,
    store: StoreOption = None,
) -> None:
    """Make a view again from all events, and show it instead of the one there is.

    It is made into a new generation, while everything else goes on. The former generation is kept
    up to date, so that one can go back to it, until the next rebuild or --release. An interrupted
    rebuild goes on with the same command. After a change of a view's code, deploy first, then
    rebuild.

    - `ledger rebuild orders --diff`

    Exit codes: 0 done; 1 --diff found differences and nothing was switched; 2 it can't be done,
    or the command can't be used.
    """
    asked = [rollback, abandon, release, status]
    if sum(asked) > 1 or (any(asked) and (diff or yes)):
        fail("--rollback, --abandon, --release and --status each go alone.")
    settings = read_settings(store)
    with (
        opened(settings, must_exist=True) as ledger,
        projected(settings, ledger) as projections,
        _refusals(),
    ):
        one = projections.rebuild(_view(projections, view))
        if status:
            _tell(one)
        elif rollback:
            now = one.rollback()
            out().print(f"{one.view.base} shows generation {now.active} again.", style="green")
        elif abandon or release:
            _drop(one, unfinished=abandon)
        else:
            _rebuild(one, segments, diff=diff, yes=yes)


def _rebuild(one: Rebuild, segments: int, *, diff: bool, yes: bool) -> None:
    name = one.view.base
    new = one.begin(segments)
    begun = "Rebuilding" if new else "Going on with the rebuild of"
    err().print(f"{begun} {name} into generation {one.state.generation}.")
    with _waiting() as left:
        one.settle(left)
    _fill(one)
    if diff:
        differences = _compare(one.diff())
        if not yes and not _confirmed(one):
            out().print(
                f"Nothing was switched: generation {one.generations.active} of {name} is shown. "
                f"`ledger rebuild {name} --yes` shows generation {one.state.generation}, "
                f"`ledger rebuild {name} --abandon` drops it.",
                soft_wrap=True,
            )
            raise typer.Exit(FINDING if differences else 0)
    now = one.switch()
    kept = ", ".join(map(str, now.kept))
    out().print(
        f"{name} shows generation {now.active} (everywhere within {TRUSTED_SECONDS:g} seconds). "
        f"Generation {kept} is kept: `ledger rebuild {name} --rollback` goes back to it.",
        style="green",
        soft_wrap=True,
    )


def _fill(one: Rebuild) -> None:
    columns = (TextColumn("Reading"), BarColumn(), MofNCompleteColumn(), TextColumn("events"))
    with Progress(*columns, console=err(), transient=True) as progress:
        total = one.total()
        task = progress.add_task("", total=total, completed=one.state.events)

        def told(done: float) -> None:
            progress.update(task, completed=done, total=max(total, done))

        one.fill(told)
    err().print(f"{one.state.events:,} events were read.")


def _compare(comparison: Comparison) -> int:
    """Print every difference as it is found; answers how many there are."""
    console = out()

    def print_row(*cells: str, style: str) -> None:
        padded = (cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True))
        console.print(Text("  ".join(padded).rstrip(), style=style), soft_wrap=True)

    counts = {"differ": 0, "would be new": 0, "would be gone": 0, "lag": 0}
    for found in comparison:
        if not sum(counts.values()):
            print_row("Row", "Field", "Shown", "Rebuilt", style="bold")
        for field, shown, rebuilt in found.fields():
            print_row("@".join(found.key), field, str(shown), str(rebuilt), style="yellow")
        if found.lags:
            counts["lag"] += 1
        elif found.shown is None:
            counts["would be new"] += 1
        else:
            counts["would be gone" if found.rebuilt is None else "differ"] += 1
    differences = sum(counts.values())
    told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    console.print(
        f"{comparison.rows:,} rows compared: {told or 'nothing would change'}.",
        style="yellow" if differences else "green",
    )
    return differences


def _confirmed(one: Rebuild) -> bool:
    """Whether somebody is there, and wants it."""
    asked = f"Show generation {one.state.generation} of {one.view.base}?"
    return _at_a_terminal() and typer.confirm(asked)


def _at_a_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _drop(one: Rebuild, *, unfinished: bool) -> None:
    with _waiting() as left:
        number = one.abandon(left) if unfinished else one.release(left)
    name, shown = one.view.base, one.generations.active
    gone = f"Generation {number}" if number else "What had begun"
    out().print(f"{gone} of {name} is gone; generation {shown} is shown.", style="green")


def _tell(one: Rebuild) -> None:
    name, known, unfinished = one.view.base, one.generations, one.unfinished()
    filled = unfinished.generation if unfinished is not None else 0
    kept = [str(number) for number in known.kept if number != filled]
    beside = f", {', '.join(kept)} is kept beside it" if kept else ""
    out().print(f"{name}: generation {known.active} is shown{beside}.")
    if unfinished is not None:
        out().print(_unfinished(unfinished), soft_wrap=True)


def _unfinished(rebuild: Rebuilding) -> str:
    done = sum(segment.done for segment in rebuild.segments)
    return (
        f"A rebuild into generation {rebuild.generation} is not finished: "
        f"{PHASES[rebuild.phase]}; {rebuild.events:,} events were read, "
        f"{done} of {len(rebuild.segments)} segments to the end."
    )


@contextmanager
def _waiting() -> Iterator[Any]:
    """Shows how long there is to wait until everybody who writes knows what has changed."""
    columns = (
        TextColumn("Waiting until all writers know"),
        BarColumn(),
        TextColumn("{task.fields[left]:.0f} s"),
    )
    progress = Progress(*columns, console=err(), transient=True)
    totals: list[float] = []

    def told(left: float) -> None:
        if not totals:
            progress.start()
            progress.add_task("", total=left, left=left)
        totals.append(left)
        progress.update(progress.task_ids[0], completed=totals[0] - left, left=left)

    try:
        yield told
    finally:
        if totals:
            progress.stop()


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except RebuildRefused as error:
        fail(str(error))
    except ViewStoreBusy as error:
        fail(f"the store is busy: {error}. Run the same command again: it goes on.")


def _view(projections: Projections, name: str) -> View[Any]:
    views = {view.base: view for view in projections.views}
    if name not in views:
        close = get_close_matches(name.replace("-", "_"), views, n=1, cutoff=0.4)
        hint = f" Did you mean {close[0]}?" if close else ""
        fail(f"there is no view {name!r}.{hint} The views: {', '.join(views)}.")
    return views[name]
