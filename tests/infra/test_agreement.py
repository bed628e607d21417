"""What Terraform and the application must agree on, where neither sees the other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

import pytest

from api.access import Misconfigured, access_from_settings
from ledger.settings import Settings
from ledger.store.tables import manifest
from projections.delivery.consumers import CONSUMERS
from projections.delivery.rules import rules
from tests.infra.loading import ROOT
from tests.integration.test_handler_permissions import RIGHTS, SWEEPING
from tests.support.aws_calls import OTHER

TERRAFORM: Final = ROOT / "terraform"
PIPELINE: Final = TERRAFORM / "modules" / "pipeline"

GLOBAL_NAMES: Final = {
    "aws_budgets_budget": "name",
    "aws_cloudwatch_dashboard": "dashboard_name",
    "aws_iam_role": "name",
    "aws_s3_bucket": "bucket",
}
"""Resources whose names exist once in an account or in the world, not once in each Region."""


def _text(name: str) -> str:
    return (PIPELINE / name).read_text()


def test_every_consumer_has_a_rule_and_a_place_in_terraform() -> None:
    known = re.findall(r"^    (\w+) += \{ description =", _text("locals.tf"), re.MULTILINE)
    assert set(known) == set(rules()) == set(CONSUMERS)


def test_every_function_s_handler_is_there() -> None:
    consumers = [f"projections/handlers/{name}.py" for name in CONSUMERS]
    for path in ["api/lambda_handler.py", "projections/handlers/relay.py", *consumers]:
        assert re.search(r"^(def handler\(|handler = )", (ROOT / path).read_text(), re.MULTILINE)


def test_every_table_that_functions_are_let_near_exists() -> None:
    named = set(re.findall(r"local\.arn\.(\w+)", _text("access.tf")))
    views = re.search(r"views += \[(.*)\]", _text("access.tf"))
    assert views is not None
    named |= set(re.findall(r'"(\w+)"', views[1]))
    assert named <= set(manifest())
    assert "pump" not in named


def test_functions_may_do_what_they_were_seen_to_do() -> None:
    """`terraform test` holds the same file against the policies as they are planned."""
    granted = json.loads(_text("tests/rights.json"))
    assert set(granted) == set(RIGHTS)
    for function, needed in RIGHTS.items():
        for table, action in needed:
            assert table == OTHER or action in granted[function].get(table, ()), function


def test_who_sweeps_is_asked_to() -> None:
    swept = re.search(r"swept = toset\(\[for name in \[(.*?)\]", _text("locals.tf"))
    assert swept is not None
    assert set(re.findall(r'"(\w+)"', swept[1])) == SWEEPING


def test_what_is_not_recovered_is_made_again_from_events() -> None:
    made_again = {"stock_levels", "orders", "open_reservations", "checkpoints", "pump"}
    lasting = {name for name, table in manifest().items() if table.point_in_time_recovery}
    assert set(manifest()) - lasting == made_again


def test_every_setting_that_functions_are_given_exists() -> None:
    files = [*PIPELINE.glob("*.tf"), *TERRAFORM.glob("modules/consumer/*.tf")]
    files += TERRAFORM.glob("environments/*/main.tf")
    given = {name for file in files for name in re.findall(r"\bLEDGER_(\w+) +=", file.read_text())}
    # Nobody reads the version: another one makes functions start anew.
    assert {name.lower() for name in given} - {"secrets_version"} <= set(Settings.model_fields)
    assert {"LEASE", "JWT_SCOPE_PREFIX", "SECRET_ARNS"} <= given


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_environments_give_the_api_what_it_needs(environment: str) -> None:
    text = (TERRAFORM / "environments" / environment / "main.tf").read_text()
    # Newest first, which is how the edge has them.
    assert 'origin_secrets = join(",", module.edge.origin_secrets)' in text
    assert "LEDGER_JWT_SCOPE_PREFIX = module.auth.scope_prefix" in text
    assert re.search(r"LEDGER_RATE_LIMIT +=", text)


@pytest.mark.parametrize("environment", ["dev", "prod"])
@pytest.mark.parametrize(
    "rate",
    ["off", "1200/minute", "1/second", "0/minute", "many", "12/week", "1/day ", "12345678/day"],
)
def test_the_environments_take_the_limits_that_the_api_starts_with(
    environment: str, rate: str
) -> None:
    text = (TERRAFORM / "environments" / environment / "variables.tf").read_text()
    rule = re.search(r'regex\("(.*)", var\.rate_limit\)', text)
    assert rule is not None
    try:
        access_from_settings(Settings(auth="none", rate_limit=rate))
    except Misconfigured:
        taken = False
    else:
        taken = True
    assert bool(re.search(rule[1], rate)) == taken


def test_roles_are_handed_to_the_services_that_have_them() -> None:
    """What the pipeline may do with IAM is what the environments need of it, and no more."""
    code = "".join(file.read_text() for file in sorted(TERRAFORM.glob("modules/*/*.tf")))
    kinds = set(re.findall(r'^resource "(aws_iam_\w+)"', code, re.MULTILINE))
    assert kinds == {"aws_iam_role", "aws_iam_role_policy"}
    roles = re.findall(r'^resource "aws_iam_role" "\w+" {\n(.*?)^}', code, re.M | re.S)
    services = {re.search(r'Service = "(.*?)"', body)[1] for body in roles}  # type: ignore[index]
    apply = (TERRAFORM / "bootstrap" / "github_apply.tf").read_text()
    passed = re.search(r'"iam:PassedToService" = \[(.*?)\]', apply, re.DOTALL)
    assert passed is not None
    assert set(re.findall(r'"(.*?)"', passed[1])) == services


def test_the_examples_name_variables_that_there_are() -> None:
    folder = TERRAFORM / "environments" / "prod"
    code = (folder / "variables.tf").read_text()
    there = dict(re.findall(r'^variable "(\w+)" {\n(.*?)^}', code, re.MULTILINE | re.DOTALL))
    needed = {name for name, body in there.items() if not re.search(r"^  default", body, re.M)}
    examples = sorted(folder.glob("*.tfvars.example"))
    assert len(examples) == 2
    told = {
        path.name: set(re.findall(r"^(?:# )?(\w+) += ", path.read_text(), re.M))
        for path in examples
    }
    assert set().union(*told.values()) <= set(there)
    assert needed - {"image_uri"} <= told["prod.tfvars.example"]


def test_names_that_exist_once_in_an_account_say_their_region() -> None:
    found = list(_global_names())
    assert {kind for _, kind, _ in found} == set(GLOBAL_NAMES)
    for place, kind, name in found:
        assert "region" in name or "local.bucket" in name, f"{kind} {name} in {place}"
    site = (TERRAFORM / "modules" / "site" / "main.tf").read_text()
    assert re.search(r"bucket +=.*aws_region\.current\.id", site)
    # All of the edge lives in us-east-1 or has no Region, so its names get this one's.
    prod = (TERRAFORM / "environments" / "prod" / "main.tf").read_text()
    edge = prod[prod.index('module "edge" {') :]
    assert re.search(r'name += "\$\{var\.name\}-\$\{var\.region\}"', edge)


def _global_names() -> Iterator[tuple[str, str, str]]:
    """File, kind and name of every resource in modules whose name has no Region of its own."""
    for file in sorted(TERRAFORM.glob("modules/*/*.tf")):
        blocks = re.findall(r'^resource "(\w+)" "\w+" {\n(.*?)^}', file.read_text(), re.M | re.S)
        for kind, body in blocks:
            if kind in GLOBAL_NAMES:
                name = re.search(rf"^  {GLOBAL_NAMES[kind]} += (.*)$", body, re.MULTILINE)
                assert name is not None, f"{kind} in {file}"
                yield str(file.relative_to(ROOT)), kind, name[1]


def test_the_tables_of_every_module_s_readme_are_written_by_the_script() -> None:
    readmes = list(TERRAFORM.glob("modules/*/README.md"))
    assert len(readmes) == len(list(TERRAFORM.glob("modules/*/variables.tf")))
    assert [path for path in readmes if "<!-- tables -->" not in path.read_text()] == []


def test_metrics_that_alarms_watch_are_measured() -> None:
    alarms = (PIPELINE.parent / "observability" / "alarms.tf").read_text()
    watched = set(re.findall(r'namespace = "Ledger", metric = "(\w+)"', alarms))
    files = [*(ROOT / "projections").rglob("*.py"), *(ROOT / "api").rglob("*.py")]
    measured = set(re.findall(r'"([A-Z]\w+)"', "".join(path.read_text() for path in files)))
    assert watched <= measured
