"""Functions that run in the tests' process, and leave it as it was."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from api import lambda_handler
from ledger.observability import PACKAGES
from projections.handlers import runtime


@contextmanager
def functions_forgotten() -> Iterator[None]:
    """In the end, logs are as before, and nothing is kept that functions keep."""
    loggers = [logging.getLogger(name) for name in PACKAGES]
    before = [(logger.handlers, logger.level, logger.propagate) for logger in loggers]
    try:
        yield
    finally:
        for cached in (lambda_handler.built_app, lambda_handler.metrics, runtime.metrics):
            cached.cache_clear()
        for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate
            logger.setLevel(level)
