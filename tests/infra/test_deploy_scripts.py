"""The scripts of the deploy workflow, with programs in the place of AWS and Terraform."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / ".github" / "scripts"


class Machine:
    """Where a script runs: what stands in for the programs it calls, and what they were asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outputs = folder / "outputs"
        self._programs = folder / "bin"
        self._programs.mkdir()
        self._calls = folder / "calls"
        self._calls.touch()

    def program(self, name: str, body: str) -> None:
        path = self._programs / name
        path.write_text(f'#!/usr/bin/env bash\necho "{name} $*" >>"{self._calls}"\n{body}\n')
        path.chmod(0o755)

    def run(
        self, script: str, *arguments: str, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(SCRIPTS / script), *arguments],
            cwd=self.folder,
            env={
                "PATH": f"{self._programs}{os.pathsep}{os.environ['PATH']}",
                "GITHUB_OUTPUT": str(self.outputs),
                "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
                **settings,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def calls(self, start: str) -> list[str]:
        return [call for call in self._calls.read_text().splitlines() if call.startswith(start)]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    machine.program("sleep", "exec /bin/sleep 0.1")
    return machine


OUTPUTS = '{"functions": {"value": {"api": "ledger-prod-api", "relay": "ledger-prod-relay"}}}'
FUNCTIONS = f"echo '{OUTPUTS}'"
TERRAFORM = """
case $* in
*" plan "*) echo "planning"; exit %d ;;
*" show "*) echo "Plan: 1 to add, 0 to change, 0 to destroy." ;;
*" output -json") echo '{"functions": {"value": {"api": "ledger-prod-api"}}}' ;;
esac
"""


def test_aliases_go_back_to_where_they_were(machine: Machine) -> None:
    machine.program("terraform", FUNCTIONS)
    machine.program(
        "aws", "[[ $2 == get-alias ]] && { [[ $4 == *api ]] && echo 7 || echo 3; }; true"
    )
    assert machine.run("aliases.sh", "save", "prod", "aliases").returncode == 0
    assert (machine.folder / "aliases").read_text() == "ledger-prod-api 7\nledger-prod-relay 3\n"
    assert machine.run("aliases.sh", "restore", "aliases").returncode == 0
    updates = [call.split("--function-name ")[1] for call in machine.calls("aws lambda update-")]
    assert [update.split(" --query")[0] for update in updates] == [
        "ledger-prod-api --name live --function-version 7",
        "ledger-prod-relay --name live --function-version 3",
    ]


def test_one_alias_that_cannot_go_back_does_not_keep_the_others_from_it(machine: Machine) -> None:
    machine.program("aws", "cat; [[ $4 != first ]]")  # it may read its input, but not the list
    (machine.folder / "aliases").write_text("first 1\nsecond 2\nthird 3\n")
    assert machine.run("aliases.sh", "restore", "aliases").returncode == 1
    assert len(machine.calls("aws lambda update-alias")) == 3


def test_before_the_first_deployment_there_is_nothing_to_go_back_to(machine: Machine) -> None:
    machine.program("terraform", "echo '{}'")
    machine.program("aws", "exit 1")
    assert machine.run("aliases.sh", "save", "prod", "aliases").returncode == 0
    assert machine.run("aliases.sh", "restore", "aliases").returncode == 0
    assert machine.calls("aws") == []


def test_a_state_that_cannot_be_read_stops_the_deployment(machine: Machine) -> None:
    machine.program("terraform", "echo denied >&2; exit 1")
    machine.program("aws", "true")
    assert machine.run("aliases.sh", "save", "prod", "aliases").returncode != 0
    assert machine.run("plan.sh", "prod", "plan").returncode != 0
    assert machine.calls("terraform -chdir=prod plan") == []


def test_an_alias_that_cannot_be_read_stops_the_deployment(machine: Machine) -> None:
    machine.program("terraform", FUNCTIONS)
    machine.program("aws", "echo denied >&2; exit 254")
    assert machine.run("aliases.sh", "save", "prod", "aliases").returncode != 0


def watch(machine: Machine, *seen: str, seconds: str = "30") -> subprocess.CompletedProcess[str]:
    """Save which alarms ring, then watch: each call of AWS sees the next, at last always the last.

    An alarm is a word, `!` stands for a call that fails.
    """
    for number, names in enumerate(seen):
        (machine.folder / f"seen-{number}").write_text(names.replace(" ", "\t") + "\n")
    machine.program(
        "aws",
        "calls=$(cat calls-made 2>/dev/null || echo 0); echo $((calls + 1)) >calls-made\n"
        f"shows=seen-$((calls < {len(seen) - 1} ? calls : {len(seen) - 1}))\n"
        "! grep --quiet '!' $shows && cat $shows",
    )
    saved = machine.run("watch-alarms.sh", "save", "ledger-prod", "alarms")
    if saved.returncode != 0:
        return saved
    return machine.run("watch-alarms.sh", "watch", "ledger-prod", "alarms", seconds)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(["old", "old new"], id="between the save and the watch"),
        pytest.param(["old", "old", "old", "new old"], id="while it is watched"),
        pytest.param(["", "new"], id="where none rang"),
        pytest.param(["new", "", "new"], id="again, after it was calm"),
    ],
)
def test_an_alarm_that_goes_off_fails_the_watch(machine: Machine, seen: list[str]) -> None:
    watched = watch(machine, *seen)
    assert (watched.returncode, watched.stderr) == (1, "went off: new\n")


@pytest.mark.parametrize("seen", [["old"], ["old", ""], [""]], ids=["rings", "calms", "none"])
def test_an_alarm_that_rang_before_does_not(machine: Machine, seen: list[str]) -> None:
    assert watch(machine, *seen, seconds="1").returncode == 0


@pytest.mark.parametrize("seen", [["!"], ["", "!"], ["old", "old", "!"]])
def test_alarms_that_cannot_be_read_fail_the_watch(machine: Machine, seen: list[str]) -> None:
    assert watch(machine, *seen).returncode != 0


@pytest.mark.parametrize(("status", "changes"), [(0, "false"), (2, "true")])
def test_a_plan_says_whether_something_changes(machine: Machine, status: int, changes: str) -> None:
    machine.program("terraform", TERRAFORM % status)
    machine.program("aws", "echo 111122223333.dkr.ecr.example/ledger@sha256:abc")
    assert machine.run("plan.sh", "prod", "plan").returncode == 0
    assert machine.outputs.read_text() == f"changes={changes}\n"
    shown = (machine.folder / "plan.md").read_text()
    assert "Plan: 1 to add" in shown
    assert "too long" not in shown
    (plan,) = machine.calls("terraform -chdir=prod plan")
    assert "-var image_uri=111122223333.dkr.ecr.example/ledger@sha256:abc" in plan
    assert "-lock=false" in plan


def test_a_plan_that_is_too_long_for_a_comment_is_in_the_log(machine: Machine) -> None:
    machine.program(
        "terraform",
        "case $* in *' show '*) for ((i = 0; i < 7000; i++)); do echo '  # a change'; done; "
        "echo '  # the last change'; echo 'Plan: 1 to add.' ;; *' plan '*) exit 2 ;; esac",
    )
    planned = machine.run("plan.sh", "prod", "plan", IMAGE_URI="ledger@sha256:def")
    assert planned.returncode == 0
    assert "# the last change" in planned.stdout
    shown = (machine.folder / "plan.md").read_text()
    assert len(shown) < 65_536
    assert "# the last change" not in shown
    assert "too long to be shown here" in shown
    assert "Plan: 1 to add." in shown


def test_a_plan_that_fails_says_what_terraform_said(machine: Machine) -> None:
    machine.program("terraform", TERRAFORM % 1)
    machine.program("aws", "echo image")
    failed = machine.run("plan.sh", "prod", "plan")
    assert failed.returncode == 1
    assert "planning" in failed.stderr
    assert not machine.outputs.exists()


def test_a_plan_takes_the_image_it_is_told(machine: Machine) -> None:
    machine.program("terraform", TERRAFORM % 2)
    machine.program("aws", "exit 1")
    assert machine.run("plan.sh", "prod", "plan", IMAGE_URI="ledger@sha256:def").returncode == 0
    assert "-var image_uri=ledger@sha256:def" in machine.calls("terraform -chdir=prod plan")[0]
    assert machine.calls("aws") == []


def test_an_image_is_built_once(machine: Machine) -> None:
    machine.program(
        "aws", "if [[ $2 == describe-images ]]; then [[ -e pushed ]] && echo sha256:abc; fi"
    )
    machine.program("docker", "[[ $1 == push ]] && touch pushed; true")
    repository = "111122223333.dkr.ecr.example/ledger"
    for _ in range(2):
        assert machine.run("push-image.sh", repository, "c0ffee").returncode == 0
    assert machine.outputs.read_text() == "digest=sha256:abc\n" * 2
    assert len(machine.calls("docker build")) == len(machine.calls("docker push")) == 1
    assert f"--tag {repository}:c0ffee" in machine.calls("docker build")[0]
