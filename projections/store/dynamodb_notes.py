"""What is to be remembered of views, in one table: `checkpoints`.

=====================  =====================================================
key (`view`)           the item
=====================  =====================================================
`{view}`               how far this generation of a view has come
`generations#{base}`   which generations there are, and which is read
`rebuild#{base}`       a rebuild that is not finished
=====================  =====================================================
"""

from __future__ import annotations

from typing import Any

from projections.generations import Generations
from projections.rebuild.state import Rebuilding
from projections.store.base import Checkpoint
from projections.store.dynamodb_access import Access, Item
from projections.views.base import View


class Notes:
    """Checkpoints, generations and rebuilds; all reads are strongly consistent."""

    def __init__(self, access: Access, table: str) -> None:
        self._access = access
        self._table = table

    def checkpoint(self, view: View[Any]) -> Checkpoint:
        """How far the view has come."""
        item = self._access.get(self._table, _key(view.name))
        if item is None:
            return Checkpoint()
        return Checkpoint(int(item["position"]["N"]), item["at"]["S"] if "at" in item else None)

    def move(self, view: View[Any], checkpoint: Checkpoint) -> None:
        """Move the view's checkpoint forward, never back."""
        item: Item = {**_key(view.name), "position": {"N": str(checkpoint.position)}}
        if checkpoint.at is not None:
            item["at"] = {"S": checkpoint.at}
        condition = "attribute_not_exists(#position) OR #position < :position"
        self._access.put(self._table, item, condition, position=item["position"])

    def forget(self, view: View[Any]) -> None:
        """Delete the view's checkpoint."""
        self._access.delete(self._table, [_key(view.name)])

    def generations(self, view: View[Any]) -> Generations:
        """The generations of the view."""
        item = self._access.get(self._table, _key(f"generations#{view.base}"))
        if item is None:
            return Generations()
        live = tuple(map(int, item["live"]["S"].split(",")))
        return Generations(int(item["active"]["N"]), live, int(item["newest"]["N"]))

    def register(self, view: View[Any], before: Generations, after: Generations) -> bool:
        """Change the generations if they are still `before`."""
        condition = "#active = :active AND #live = :live AND #newest = :newest"
        if before == Generations():
            condition = f"attribute_not_exists(#active) OR ({condition})"
        item = {**_key(f"generations#{view.base}"), **_numbers(after)}
        done = self._access.put(self._table, item, condition, **_numbers(before))
        # The client asks again when an answer is lost: then the condition fails on our own write.
        return done or self.generations(view) == after

    def rebuilding(self, view: View[Any]) -> Rebuilding | None:
        """The unfinished rebuild of the view."""
        item = self._access.get(self._table, _key(f"rebuild#{view.base}"))
        return None if item is None else Rebuilding.read(item["state"]["S"])

    def record(self, view: View[Any], before: Rebuilding | None, after: Rebuilding | None) -> bool:
        """Change the rebuild if it is still `before`; answers whether it is `after`."""
        key = _key(f"rebuild#{view.base}")
        condition = "attribute_not_exists(#mark)" if before is None else "#mark = :mark"
        mark = None if before is None else {"S": before.mark}
        if after is None:
            done = self._access.drop(self._table, key, condition, mark=mark)
        else:
            item = {**key, "mark": {"S": after.mark}, "state": {"S": after.text()}}
            done = self._access.put(self._table, item, condition, mark=mark)
        # The client asks again when an answer is lost: then the condition fails on our own write.
        return done or self.rebuilding(view) == after


def _key(name: str) -> Item:
    return {"view": {"S": name}}


def _numbers(generations: Generations) -> Item:
    return {
        "active": {"N": str(generations.active)},
        "live": {"S": ",".join(map(str, generations.live))},
        "newest": {"N": str(generations.newest)},
    }
