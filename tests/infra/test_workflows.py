"""The automation around the code, checked by the tools that know it, and what those can't see."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".venv-infra" / "bin"
GITHUB = ROOT / ".github"
WORKFLOWS = sorted(GITHUB.glob("workflows/*.yml"))
YAML = [*WORKFLOWS, *sorted(GITHUB.glob("actions/*/action.yml"))]
SCRIPTS = sorted([*GITHUB.glob("scripts/*.sh"), *ROOT.glob("scripts/*.sh")])
SKIP = re.compile(r"checkov:skip=(\S*?):(.*)|checkov:skip=(.*)")


def clean(*command: str) -> None:
    """A tool finds nothing to complain about."""
    tool = TOOLS / command[0]
    assert tool.exists(), f"{command[0]} is not installed: `make infra` does that"
    ran = subprocess.run(
        [str(tool), *command[1:]],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_workflows_are_sound() -> None:
    clean("jactionlint", "--strict-exit", "--no-color")


def test_the_workflows_are_safe() -> None:
    clean("zizmor", "--offline", "--no-progress", "--persona", "pedantic", "--quiet", ".github")


def test_the_scripts_are_sound() -> None:
    clean("shellcheck", *map(str, SCRIPTS))


def test_the_dockerfile_is_sound() -> None:
    clean("hadolint", "Dockerfile")
    clean(
        "checkov",
        "--quiet",
        "--compact",
        "--skip-download",
        "--framework",
        "dockerfile",
        "-f",
        "Dockerfile",
    )


def test_the_configuration_is_safe() -> None:
    clean(
        "checkov",
        "--quiet",
        "--compact",
        "--skip-download",
        "--framework",
        "terraform",
        "-d",
        "terraform",
    )


def test_whoever_skips_a_check_says_why() -> None:
    files = [ROOT / "Dockerfile", *ROOT.glob("terraform/**/*.tf")]
    lines = [
        line for file in files if ".terraform" not in file.parts for line in text(file).splitlines()
    ]
    skips = [match for line in lines if (match := SKIP.search(line))]
    assert skips
    assert not [match[0] for match in skips if len((match[2] or "").split()) < 4]


def text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def uses() -> list[tuple[str, str, str]]:
    """Every action that is used: its name, what it is pinned to, and the version beside it."""
    pattern = re.compile(r"uses: ([^@\s]+)@(\S+)(?: # (\S+))?$", re.MULTILINE)
    found = (match for file in YAML for match in pattern.finditer(text(file)))
    return [(match[1], match[2], match[3] or "") for match in found]


def test_every_action_is_one_commit_everywhere() -> None:
    found = uses()
    assert {"actions/checkout", "aws-actions/configure-aws-credentials"} < {
        name for name, *_ in found
    }
    for name, commit, version in found:
        assert re.fullmatch(r"[0-9a-f]{40}", commit), name
        assert re.fullmatch(r"v\d+\.\d+\.\d+", version), name
    assert len({name for name, *_ in found}) == len(set(found))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_do_nothing_by_default(workflow: Path) -> None:
    written = text(workflow)
    assert re.search(r"^permissions: \{\}$", written, re.MULTILINE)
    assert written.count("actions/checkout@") == written.count("persist-credentials: false")
    assert "secrets." not in written, "there is nothing to keep secret: AWS trusts GitHub's tokens"


def test_the_workflows_read_what_bootstrap_says() -> None:
    outputs = text(ROOT / "terraform" / "bootstrap" / "outputs.tf")
    said = set(re.findall(r"^    ([A-Z_]+) += ", outputs, re.MULTILINE))
    read = {name for file in YAML for name in re.findall(r"vars\.([A-Z_]+)", text(file))}
    assert read == said


def test_what_is_applied_waits_for_the_environment_that_the_role_trusts() -> None:
    deploy = text(GITHUB / "workflows" / "deploy.yml")
    apply = deploy[deploy.index("\n  apply:\n") :]
    assert deploy.count("AWS_APPLY_ROLE") == apply.count("AWS_APPLY_ROLE") == 1
    (environment,) = re.findall(r"environment:\n +name: (\S+)", deploy)
    variables = text(ROOT / "terraform" / "bootstrap" / "variables.tf")
    default = re.search(r'"github_environment".*?default += "(\w+)"', variables, re.DOTALL)
    assert default is not None
    assert default[1] == environment


def test_every_script_that_is_called_is_there() -> None:
    called = {
        name for file in YAML for name in re.findall(r"\.github/scripts/([\w.-]+)", text(file))
    }
    assert called <= {path.name for path in (GITHUB / "scripts").iterdir()}
    assert all(os.access(script, os.X_OK) for script in SCRIPTS)


def test_the_event_that_ci_sends_is_one_of_api_gateway() -> None:
    event = json.loads(text(GITHUB / "scripts" / "healthz.json"))
    assert (event["version"], event["rawPath"]) == ("2.0", "/healthz")


def test_the_tables_in_the_readmes_are_what_the_code_says() -> None:
    check = [sys.executable, str(ROOT / "scripts" / "terraform_tables.py"), "--check"]
    stale = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (stale.returncode, stale.stdout) == (0, "")


def test_the_pages_load_nothing_but_what_is_beside_them(tmp_path: Path) -> None:
    build = [sys.executable, str(ROOT / "scripts" / "build_site.py"), str(tmp_path / "site")]
    subprocess.run(build, check=True)
    page = text(tmp_path / "site" / "docs" / "index.html")
    loaded = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(loaded) == 4
    assert all((tmp_path / "site" / path.lstrip("/")).is_file() for path in loaded)
    assert "<script>" not in page
    assert "<style" not in page
    assert text(tmp_path / "site" / "openapi.json") == text(ROOT / "docs" / "openapi.json")
