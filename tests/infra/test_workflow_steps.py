"""Steps that are written in the workflows themselves, run here as GitHub would run them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"
ACCOUNT = "111122223333"


def job(workflow: str, name: str) -> str:
    """A job as it is written."""
    written = (WORKFLOWS / workflow).read_text(encoding="utf-8")
    (found,) = re.findall(rf"^  {name}:\n((?:    .*\n|\n)+)", written, re.MULTILINE)
    return str(found)


def step(workflow: str, of: str, name: str) -> list[str]:
    """A step's script, with the shell that runs it."""
    (found,) = re.findall(rf"^      - name: {name}.*\n((?:        .*\n)+)", job(workflow, of), re.M)
    script = re.search(r"^        run: \|\n((?:          .*\n)+)", found, re.MULTILINE)
    assert script is not None
    options = ["-e", "-o", "pipefail"] if "        shell: bash" in found else ["-e"]
    return ["bash", *options, "-c", textwrap.dedent(script[1])]


def program(folder: Path, name: str, body: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/usr/bin/env bash\n{body}\n")
    (folder / name).chmod(0o755)


def run(script: list[str], folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        script,
        cwd=folder,
        env={"PATH": path, "RUNNER_TEMP": str(folder), **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_image_starts_with_the_settings_that_ci_gives_it(tmp_path: Path) -> None:
    """A function refuses to start unless it is told whether to ask for tokens."""
    asks = step("ci.yml", "image", "Ask it")[-1]
    settings = dict(re.findall(r"--env (\w+)=(\S+)", asks))
    settings["LEDGER_STORE"] = f"sqlite:{tmp_path / 'ledger.db'}"
    code = (
        "import json, sys\n"
        "from api.lambda_handler import handler\n"
        "print(handler(json.load(sys.stdin), None)['statusCode'])"
    )
    event = (ROOT / ".github" / "scripts" / "healthz.json").read_text(encoding="utf-8")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("LEDGER_")
    }
    answered = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment | settings,
        input=event,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answered.returncode == 0, answered.stderr
    assert answered.stdout.splitlines()[-1] == "200"


def saved(folder: Path) -> dict[str, str]:
    """What the plan's job hands on, after it was run with a bucket whose name holds the account."""
    program(folder / "bin", "aws", f'cp "${{@: -2:1}}" "{folder}/stored"; echo "${{@: -1}}" >place')
    for name in ("prod/approved.tfplan", "prod/.terraform.lock.hcl", "build/site/page"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    ran = run(
        step("deploy.yml", "plan", "Save the plan"),
        folder,
        DIRECTORY="prod",
        BUCKET=f"ledger-{ACCOUNT}-plans",
        GITHUB_SHA="c0ffee",
        GITHUB_RUN_ID="1",
        GITHUB_RUN_ATTEMPT="1",
        GITHUB_OUTPUT=str(folder / "outputs"),
    )
    assert ran.returncode == 0, ran.stderr
    lines = (folder / "outputs").read_text().splitlines()
    outputs = dict(line.split("=", 1) for line in lines)
    handed_on = re.findall(r"^      (\w+): \$\{\{ steps", job("deploy.yml", "plan"), re.MULTILINE)
    assert set(handed_on) == {"changes", *outputs}
    return outputs


def test_a_plan_can_be_handed_on(tmp_path: Path) -> None:
    """The account's number is masked, and GitHub drops an output with masked text in it."""
    outputs = saved(tmp_path)
    assert ACCOUNT not in json.dumps(outputs)
    place = (tmp_path / "place").read_text().strip()
    assert place == f"s3://ledger-{ACCOUNT}-plans/{outputs['key']}"


def test_only_the_plan_that_was_approved_is_taken(tmp_path: Path) -> None:
    outputs = saved(tmp_path)
    program(tmp_path / "bin", "aws", f'cp "{tmp_path}/stored" "${{@: -1}}"; echo "${{@: -2:1}}"')
    take = step("deploy.yml", "apply", "Take the plan")
    wants = {"BUCKET": "plans", "KEY": outputs["key"], "SHA256": outputs["sha256"]}
    (tmp_path / "prod" / "approved.tfplan").unlink()
    taken = run(take, tmp_path, **wants)
    assert taken.returncode == 0, taken.stderr
    assert taken.stdout.startswith(f"s3://plans/{outputs['key']}\n")
    plan = tmp_path / "prod" / "approved.tfplan"
    assert plan.read_text() == "prod/approved.tfplan"

    plan.write_text("untouched")
    with (tmp_path / "stored").open("ab") as stored:
        stored.write(b"\0")
    assert run(take, tmp_path, **wants).returncode != 0
    assert plan.read_text() == "untouched"


def test_the_plan_that_waits_is_shown_where_it_was_reviewed(tmp_path: Path) -> None:
    (tmp_path / "prod").mkdir()
    (tmp_path / "prod" / "approved.tfplan.md").write_text("Plan: 1 to add.\n")
    show = step("deploy.yml", "plan", "Show it")
    settings = {"DIRECTORY": "prod", "GITHUB_REPOSITORY": "o/n", "GITHUB_SHA": "c0ffee", "RUN": "u"}
    program(tmp_path / "bin", "gh", 'if [[ $1 == api ]]; then echo 7; else echo "$*"; cat; fi')
    shown = run(show, tmp_path, **settings)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("pr comment 7 --repo o/n --body-file -\n")
    assert "Plan: 1 to add." in shown.stdout
    program(tmp_path / "bin", "gh", "[[ $1 == api ]]")  # pushed without a pull request
    assert run(show, tmp_path, **settings).returncode == 0
