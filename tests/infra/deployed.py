"""The system as it is deployed to the emulator: how tests reach it, and what is there of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import boto3
import httpx2

from tests.support.servers import start_in

PATIENCE: Final = 120.0
"""Seconds within which what passes through the whole system must have arrived."""

US_EAST_1: Final = "us-east-1"


class System:
    """A deployment, and clients of it."""

    def __init__(self, deployment: Any, folder: Path) -> None:
        self.deployment = deployment
        self.outputs: Mapping[str, Any] = {}
        self._folder = folder
        self._stack = ExitStack()
        self._stack.callback(deployment.emulator.stop)
        deployment.emulator.start()
        self.before = self.inventory()

    def close(self) -> None:
        """Let go of the clients, and stop the emulator with all it holds."""
        self._stack.close()

    def deploy(self) -> None:
        """Apply everything."""
        self.outputs = self.deployment.up()

    @property
    def settings(self) -> dict[str, str]:
        """What the deployment tells people to put into their environment."""
        lines = (self.deployment.folder / "env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def aws(self, service: str, region: str = "ap-southeast-4") -> Any:
        """A client of the emulator."""
        client = boto3.client(
            service,  # type: ignore[call-overload]  # a name that is known only here
            endpoint_url=self.deployment.emulator.url,
            region_name=region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self._stack.callback(client.close)
        return client

    def http(self, *without: str) -> httpx2.Client:
        """A client of the API, by its public name, as the file for curl has it.

        `without` are headers to be left out.
        """
        lines = (self.deployment.folder / "curl").read_text().splitlines()
        given = [line.removeprefix('header = "').removesuffix('"') for line in lines]
        headers = dict(header.split(": ", 1) for header in given)
        kept = {name: value for name, value in headers.items() if name not in without}
        return self._stack.enter_context(
            httpx2.Client(
                base_url=self.deployment.emulator.url,
                headers=kept,
                timeout=60,
                trust_env=False,
            )
        )

    def post(self, path: str, body: Mapping[str, Any]) -> httpx2.Response:
        """Something changes, under a key of its own."""
        key = {"Idempotency-Key": uuid4().hex}
        return self.http().post(f"/v1/{path}", json=body, headers=key)

    def get(self, path: str) -> Any:
        """What the API answers."""
        answer = self.http().get(f"/v1/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def command(self, *arguments: str) -> tuple[int, str]:
        """Run a `ledger` command on the deployed system: its exit status and what it said."""
        log = self._folder / f"{uuid4().hex}.log"
        status = start_in(self.settings, list(arguments), log).wait(PATIENCE)
        return status, " ".join(log.read_text().split())

    def inventory(self) -> dict[str, list[str]]:
        """Everything there is, by kind. Keys that wait for their deletion don't count."""
        found = {kind: sorted(names(self)) for kind, names in KINDS.items()}
        return {kind: names for kind, names in found.items() if names}


def until(happened: Callable[[], Any], what: str) -> Any:
    """Wait until something answers what is true; answers that."""
    deadline = time.monotonic() + PATIENCE
    while not (found := happened()):
        assert time.monotonic() < deadline, f"{what}: it did not happen"
        time.sleep(0.5)
    return found


def _listed(service: str, call: str, key: str, name: str, **arguments: Any) -> Names:
    def names(system: System) -> Iterable[str]:
        answer = getattr(system.aws(service), call)(**arguments)
        for part in key.split("."):
            answer = answer.get(part) or []
        return [str(one if name == "" else one[name]) for one in answer]

    return names


def _keys(system: System) -> Iterable[str]:
    kms = system.aws("kms")
    ids = [key["KeyId"] for key in kms.list_keys()["Keys"]]
    described = [kms.describe_key(KeyId=key)["KeyMetadata"] for key in ids]
    return [key["KeyId"] for key in described if key["KeyState"] != "PendingDeletion"]


def _firewalls(system: System) -> Iterable[str]:
    found = system.aws("wafv2", US_EAST_1).list_web_acls(Scope="CLOUDFRONT")
    return [one["Name"] for one in found["WebACLs"]]


def _edge_logs(system: System) -> Iterable[str]:
    found = system.aws("logs", US_EAST_1).describe_log_groups()
    return [one["logGroupName"] for one in found["logGroups"]]


def _nat_gateways(system: System) -> Iterable[str]:
    found = system.aws("ec2").describe_nat_gateways()["NatGateways"]
    return [one["NatGatewayId"] for one in found if one["State"] != "deleted"]


Names = Callable[[System], Iterable[str]]

KINDS: Final[Mapping[str, Names]] = {
    "alarms": _listed("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "aliases of keys": _listed("kms", "list_aliases", "Aliases", "AliasName"),
    "APIs": _listed("apigatewayv2", "get_apis", "Items", "Name"),
    "archives": _listed("events", "list_archives", "Archives", "ArchiveName"),
    "buckets": _listed("s3", "list_buckets", "Buckets", "Name"),
    "buses": _listed("events", "list_event_buses", "EventBuses", "Name"),
    "dashboards": _listed("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    "distributions": _listed("cloudfront", "list_distributions", "DistributionList.Items", "Id"),
    "endpoints": _listed("ec2", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId"),
    "event source mappings": _listed(
        "lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"
    ),
    "firewalls": _firewalls,
    "functions": _listed("lambda", "list_functions", "Functions", "FunctionName"),
    "keys": _keys,
    "log groups": _listed("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "log groups of the edge": _edge_logs,
    "NAT gateways": _nat_gateways,
    "networks": _listed("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    "policies": _listed("iam", "list_policies", "Policies", "PolicyName", Scope="Local"),
    "public addresses": _listed("ec2", "describe_addresses", "Addresses", "PublicIp"),
    "queues": _listed("sqs", "list_queues", "QueueUrls", ""),
    "roles": _listed("iam", "list_roles", "Roles", "RoleName"),
    "schedules": _listed("scheduler", "list_schedules", "Schedules", "Name"),
    "secrets": _listed("secretsmanager", "list_secrets", "SecretList", "Name"),
    "subnets": _listed("ec2", "describe_subnets", "Subnets", "SubnetId"),
    "tables": _listed("dynamodb", "list_tables", "TableNames", ""),
    "topics": _listed("sns", "list_topics", "Topics", "TopicArn"),
    "user pools": _listed("cognito-idp", "list_user_pools", "UserPools", "Name", MaxResults=60),
}


def changes(plan: str) -> dict[str, set[str]]:
    """What a plan (`terraform show -json`) would do, by kind of resource."""
    found: dict[str, set[str]] = {}
    for change in json.loads(plan).get("resource_changes", []):
        actions = "+".join(change["change"]["actions"])
        if actions not in ("no-op", "read"):
            found.setdefault(change["type"], set()).add(actions)
    return found
