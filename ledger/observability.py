"""Metrics and logs of functions on AWS, by Powertools: CloudWatch's embedded format, and JSON."""

from __future__ import annotations

import logging
import os
import sys
from typing import Final, Literal

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import (
    AmazonCloudWatchEMFProvider,
)

Unit = Literal["Count", "Milliseconds"]

NAMESPACE: Final = "Ledger"
PACKAGES: Final = ("api", "ledger", "projections")


class EmbeddedMetrics:
    """Metrics of one function, in namespace `Ledger` with the one dimension `consumer`.

    They are written to the function's log when they are flushed, once per invocation.
    """

    def __init__(self, consumer: str) -> None:
        self._provider = AmazonCloudWatchEMFProvider(
            namespace=NAMESPACE, default_dimensions={"consumer": consumer}
        )
        # The environment may name a service. As a dimension it would make other metrics of these.
        self._provider.service = ""

    def measure(self, name: str, value: float, unit: Unit = "Count") -> None:
        """Take one value of a metric."""
        self._provider.add_metric(name, unit, value)

    def flush(self) -> None:
        """Write what was measured."""
        if self._provider.metric_set:
            self._provider.flush_metrics()


def log_as_json(service: str) -> None:
    """Let everything the product logs be JSON lines; `POWERTOOLS_LOG_LEVEL` says from what level.

    A line about an event, or about the request that recorded it, has the event's command as its
    `correlation_id`.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(LambdaPowertoolsFormatter(service=service, utc=True, use_rfc3339=True))
    level = os.environ.get("POWERTOOLS_LOG_LEVEL", "INFO").upper()
    for name in PACKAGES:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
        logger.propagate = False
