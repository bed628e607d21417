"""What the commands make of the settings of boto3, and say of those that can't be used."""

from __future__ import annotations

import sys

import boto3
import pytest

from ledger.cli.app import main
from tests.integration.cli.support import error_of


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3 was told nothing, and remembers nothing."""
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "none")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "none")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


@pytest.mark.parametrize(
    "command",
    [
        ("verify",),
        ("serve",),
        ("pump", "--once"),
        ("redrive", "--list"),
        ("tables", "create"),
        ("tables", "describe"),
    ],
)
def test_without_a_region(command: tuple[str, ...]) -> None:
    said = error_of(*command, "--store", "dynamodb:shop")

    assert "You must specify a region. Check" in said
    assert "AWS_REGION" in said


def test_a_bus_without_a_region() -> None:
    assert "region. Check --store, and what boto3" in error_of("replay", "--to-bus", "shop")


def test_an_unknown_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    said = error_of("verify", "--store", "dynamodb:shop")

    assert "(nobody) could not be found. Check" in said


def test_an_endpoint_that_is_no_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-southeast-4")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost")

    said = error_of("verify", "--store", "dynamodb:shop")

    assert "Invalid endpoint: localhost. Check" in said


@pytest.mark.parametrize("other", ["", "us-east-1"])
def test_aws_region_counts(other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", other)
    monkeypatch.setenv("AWS_REGION", "ap-southeast-2")
    monkeypatch.setattr(sys, "argv", ["ledger", "--help"])

    with pytest.raises(SystemExit):
        main()

    assert boto3.session.Session().region_name == "ap-southeast-2"
