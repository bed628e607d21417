"""The session makes the clients boto3 makes, and looks at less on the way."""

from __future__ import annotations

import boto3
import botocore.session
import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

from ledger.aws_session import QuickLoader, share_session

SERVICES = ("dynamodb", "dynamodbstreams", "events", "secretsmanager", "sns", "sqs")


@pytest.fixture(autouse=True)
def no_default_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_DATA_PATH", raising=False)


def loader() -> Loader:
    assert boto3.DEFAULT_SESSION is not None
    found = boto3.DEFAULT_SESSION._session.get_component("data_loader")
    assert isinstance(found, Loader)
    return found


@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1", "paginators-1"])
@pytest.mark.parametrize("service", SERVICES)
def test_what_it_loads_is_what_botocore_loads(service: str, kind: str) -> None:
    share_session()
    assert loader().load_service_model(service, kind) == Loader().load_service_model(service, kind)


@pytest.mark.parametrize("name", ["endpoints", "partitions", "sdk-default-configuration"])
def test_what_belongs_to_no_service_is_the_same_as_well(name: str) -> None:
    share_session()
    assert loader().load_data(name) == Loader().load_data(name)


@pytest.mark.parametrize("service", SERVICES)
def test_a_client_is_made_without_listing_all_services(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    share_session()
    monkeypatch.setattr(QuickLoader, "list_all", lambda *_: pytest.fail("all were listed"))
    client = boto3.client(service)  # type: ignore[call-overload]
    plain = botocore.session.Session().create_client(service, "eu-west-1")
    assert client.meta.endpoint_url == plain.meta.endpoint_url
    assert client.meta.method_to_api_mapping == plain.meta.method_to_api_mapping


def test_a_service_that_is_not_there_is_named_with_those_that_are() -> None:
    share_session()
    with pytest.raises(UnknownServiceError, match=r"'dynamodv'.*dynamodb, dynamodbstreams"):
        boto3.client("dynamodv")  # type: ignore[call-overload]
    found = loader().list_available_services("service-2")
    assert list(found) == Loader().list_available_services("service-2")
    assert len(found) == len(list(found))


def test_a_session_that_is_there_is_kept() -> None:
    boto3.setup_default_session()
    before = boto3.DEFAULT_SESSION
    share_session()
    assert boto3.DEFAULT_SESSION is before


def test_models_of_ones_own_are_left_to_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DATA_PATH", "/nowhere")
    share_session()
    assert not isinstance(loader(), QuickLoader)
    assert "/nowhere" in loader().search_paths
