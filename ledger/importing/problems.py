"""What is wrong with an input, said so that it can be mended."""

from __future__ import annotations


class InputError(Exception):
    """The input can't be used at all; nothing of it was imported.

    The message names the input, what is wrong with it and what would mend it.
    """
