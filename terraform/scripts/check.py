"""Check the Terraform configuration: format, initialisation, validity, tests. Nothing is applied.

Usage: python terraform/scripts/check.py [FOLDER ...]

FOLDERs are relative to `terraform/`, such as `modules/keys`; default: every configuration.
The work is done on a copy, so that the checkout stays as it is: no `.terraform`, no lock file.

Providers come from a local mirror if there is one, else from where Terraform usually gets them.
A mirror is a folder that holds a folder `registry.terraform.io`; it is looked for in
`$TF_PLUGIN_MIRROR`, `~/.terraform.d/plugins`, `/usr/local/share/terraform/plugins`,
`/usr/share/terraform/plugins` and `/opt/*`.

Exit status: 0 all is well, 1 something is not, 2 Terraform is missing or too old.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
OLDEST: Final = (1, 11)

DATA: Final = ("ledger/store/tables.json", "projections/delivery/rules.json", "docs/openapi.json")
"""What configurations read outside `terraform/`."""

MIRRORS: Final = (
    "~/.terraform.d/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
)
GENERATED: Final = (".terraform", ".terraform.lock.hcl", "*.tfstate*", "*_override.tf", "*.tfplan")


class TerraformMissing(Exception):
    """Terraform is not installed, or too old; says what to do."""


def terraform() -> str:
    """The path of Terraform.

    Raises
    ------
    TerraformMissing
        It is not installed, or too old.
    """
    found = shutil.which("terraform")
    wanted = ".".join(map(str, OLDEST))
    if found is None:
        raise TerraformMissing(f"terraform {wanted} or newer is not on the PATH")
    command = [found, "version", "-json"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 (found)
    version = json.loads(answer.stdout[answer.stdout.index("{") :])["terraform_version"]
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST:
        raise TerraformMissing(f"terraform {version} is too old: {wanted} or newer is needed")
    return found


def mirror(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The first mirror of providers, if there is one."""
    named = environ.get("TF_PLUGIN_MIRROR")
    places = [Path(named)] if named else []
    places += [Path(place).expanduser() for place in MIRRORS]
    places += sorted(Path("/opt").glob("*"))
    return next((place for place in places if (place / "registry.terraform.io").is_dir()), None)


@contextmanager
def environment() -> Iterator[dict[str, str]]:
    """The environment Terraform runs in: its own settings only, and the mirror."""
    with TemporaryDirectory() as folder:
        settings = Path(folder, "terraform.rc")
        found = mirror()
        lines = ["disable_checkpoint = true"]
        if found is not None:
            # The registry stays for what the mirror lacks.
            path = json.dumps(str(found))
            lines += ["provider_installation {", f"  filesystem_mirror {{\n    path = {path}\n  }}"]
            lines += ["  direct {", f"    exclude = {json.dumps(_names(found))}", "  }", "}"]
        settings.write_text("\n".join(lines) + "\n")
        kept = {name: value for name, value in os.environ.items() if not _of_aws(name)}
        yield {**kept, "TF_CLI_CONFIG_FILE": str(settings), "TF_IN_AUTOMATION": "1"}


def _names(found: Path) -> list[str]:
    return sorted(
        str(folder.relative_to(found)) for folder in found.glob("registry.terraform.io/*/*")
    )


def _of_aws(name: str) -> bool:
    """Whether a variable would let Terraform speak with an account, or change how it works."""
    return name.startswith(("AWS_", "TF_")) and name != "TF_PLUGIN_MIRROR"


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of `terraform/` and of what it reads; answers the copied `terraform/`."""
    with TemporaryDirectory() as folder:
        target = Path(folder, "terraform")
        shutil.copytree(ROOT / "terraform", target, ignore=shutil.ignore_patterns(*GENERATED))
        for name in filter(lambda name: (ROOT / name).exists(), DATA):
            Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, Path(folder, name))
        yield target


def configurations(folder: Path) -> list[str]:
    """The folders of configurations, the quick ones first."""
    found = {path.parent.relative_to(folder) for path in folder.glob("**/*.tf")}
    return sorted(map(str, found), key=lambda name: (name.startswith("environments"), name))


def run(command: Sequence[str], folder: Path, env: Mapping[str, str]) -> bool:
    """Run a command; whether it succeeded. What it said is shown only if it did not."""
    answer = subprocess.run(  # noqa: S603 (no shell, and nothing but Terraform)
        command,
        cwd=folder,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if answer.returncode:
        print(f"{' '.join(command[1:])} in {folder.name}:\n{answer.stdout}", flush=True)
    return answer.returncode == 0


def check(folder: Path, program: str, env: Mapping[str, str]) -> bool:
    """Check one configuration: initialise, validate, test."""
    steps = [["init", "-backend=false", "-input=false", "-no-color"], ["validate", "-no-color"]]
    if any(folder.glob("tests/*.tftest.hcl")):
        steps.append(["test", "-no-color"])
    return all(run([program, *step], folder, env) for step in steps)


def main(names: Iterable[str]) -> int:
    """Check configurations and say what was found; answers the exit status."""
    try:
        program = terraform()
    except TerraformMissing as missing:
        print(f"The Terraform configuration can't be checked: {missing}.", file=sys.stderr)
        return 2
    with copied() as folder, environment() as env:
        wanted = list(names)
        formatted = ["fmt", "-check", "-diff", "-recursive", "-no-color"]
        well = bool(wanted) or run([program, *formatted], folder, env)
        for name in wanted or configurations(folder):
            fine = check(folder / name, program, env)
            print(f"{'ok  ' if fine else 'FAIL'} terraform/{name}", flush=True)
            well = fine and well
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
