"""Loading what a function needs, without looking for garbage meanwhile.

Modules, models and clients stay as long as the process does. Python would still search all of them
for garbage, several times while they are loaded and once more in the first request, where that
takes longer than everything else.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Within it nothing is searched for garbage, and what is loaded then never will be."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
