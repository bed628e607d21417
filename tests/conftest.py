"""What every test shares: Hypothesis profiles, and the DynamoDB engines.

`ci` (the default) draws the same bounded examples every time; `deep` explores for long:
`HYPOTHESIS_PROFILE=deep pytest tests/property`. `mutation` is for tests that are run hundreds of
times, once for every mistake that is planted (tests/mutation).
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.support.engines import AWS_ABSENT, AWS_ENVIRONMENT, Engines

settings.register_profile(
    "ci",
    derandomize=True,
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "deep",
    max_examples=3_000,
    stateful_step_count=100,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "mutation",
    phases=(Phase.explicit, Phase.generate),
    derandomize=True,
    max_examples=20,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# A shell's background job ignores interrupts, and so would the processes that are started here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors.

    Who deploys to an emulator waits most of the time, for timers of Terraform's provider.
    """
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    """The DynamoDB engines, each started when it is first asked for; boto3 finds only them."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in AWS_ENVIRONMENT.items():
            patch.setenv(name, value)
        for name in AWS_ABSENT:
            patch.delenv(name, raising=False)
        engines = Engines()
        yield engines
        engines.close()
