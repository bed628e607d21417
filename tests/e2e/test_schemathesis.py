"""Generated requests, valid and invalid, against the application and its own description.

Whatever is sent: never a server error, never a status, a media type or a body that isn't
described, nothing that the description forbids is accepted, and nothing that wants a token is
answered without one. The application runs in process
on a real store that holds stock and orders the requests can meet.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig

from api.access import Access
from api.app import routed_app
from tests.e2e.conftest import opened_shop
from tests.support.issuer import Issuer

MEANT = ["2xx", "304", "400", "404", "409", "412", "422"]
"""What a request that fits the description may meet: state (404, 409, 412, 422), an instant in
the future or a made-up cursor (400)."""

REFUSED = ["400", "404", "405", "406", "409", "413", "415", "422"]
"""What a request that breaks the description may meet; a generated body may also be too large."""

CONFIG = SchemathesisConfig.from_dict(
    {
        # Every request has the good token; the check `ignored_auth` takes it away again.
        "generation": {"with-security-parameters": False},
        "checks": {
            "positive_data_acceptance": {"expected-statuses": MEANT},
            "negative_data_rejection": {"expected-statuses": REFUSED},
        },
    }
)
ISSUER = Issuer()
APP = routed_app(access=Access(ISSUER.verifier()))
API = schemathesis.openapi.from_asgi("/openapi.json", APP, config=CONFIG)


@pytest.fixture(scope="module", autouse=True)
def _stocked_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with opened_shop(tmp_path_factory.mktemp("shop")) as shop:
        for sku in ("MUG-BLUE", "MUG-RED", "0"):
            shop.receive(sku, 1_000_000)
        for order_id in ("SO-1001", "0"):
            shop.order(("MUG-BLUE", 1_000), ("MUG-RED", 1_000), order_id=order_id)
        shop.settle()
        APP.state.services = shop.services
        yield


@API.parametrize()
@settings(
    derandomize=True,
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_the_application_keeps_its_word(case: schemathesis.Case[Any]) -> None:
    token = ISSUER.token(scope="admin")
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"})
