"""Where rows of views are kept: one interface, one file per backend."""

from projections.store.base import Checkpoint, Query, ViewStore, ViewStoreBusy

__all__ = ["Checkpoint", "Query", "ViewStore", "ViewStoreBusy"]
