"""Check the Terraform configuration: format, initialisation, validity, tests. Nothing is applied.

Usage: python terraform/scripts/check.py [FOLDER ...]

FOLDERs are relative to `terraform/`, such as `modules/keys`; default: every configuration.
The work is done on a copy, so that the checkout stays as it is: no `.terraform`, no lock file.

Providers come from a local mirror if there is one, else from where Terraform usually gets them;
those are kept in `.cache/terraform`.
A mirror is a folder that holds a folder `registry.terraform.io`; it is looked for in
`$TF_PLUGIN_MIRROR`, `~/.terraform.d/plugins`, `/usr/local/share/terraform/plugins`,
`/usr/share/terraform/plugins` and `/opt/*`.

Exit status: 0 all is well, 1 something is not, 2 Terraform is missing or too old.
"""

from __future__ import annotations

import fcntl
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
CACHE: Final = ROOT / ".cache" / "terraform"
"""Providers that came from the registry: several hundred megabytes, for every configuration."""

CAREFREE: Final = {"GOGC": "off", "GOMEMLIMIT": "700MiB"}
"""Terraform and its providers are Go, and read huge schemas: to collect garbage only when there is
much of it takes a fifth off their time.

https://go.dev/doc/gc-guide#Memory_limit
"""

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
        cached = {}
        found = mirror()
        lines = ["disable_checkpoint = true"]
        if found is not None:
            # The registry stays for what the mirror lacks.
            path = json.dumps(str(found))
            lines += ["provider_installation {", f"  filesystem_mirror {{\n    path = {path}\n  }}"]
            lines += ["  direct {", f"    exclude = {json.dumps(_names(found))}", "  }", "}"]
        else:
            CACHE.mkdir(parents=True, exist_ok=True)
            cached["TF_PLUGIN_CACHE_DIR"] = str(CACHE)
            # There is no lock file to break.
            cached["TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"] = "1"
        settings.write_text("\n".join(lines) + "\n")
        kept = {name: value for name, value in os.environ.items() if not _of_aws(name)}
        own = {"TF_CLI_CONFIG_FILE": str(settings), "TF_IN_AUTOMATION": "1"}
        yield {**CAREFREE, **kept, **own, **cached}


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


@contextmanager
def _alone(env: Mapping[str, str]) -> Iterator[None]:
    """Others that fill the cache of providers wait: Terraform does not see to that."""
    cache = env.get("TF_PLUGIN_CACHE_DIR")
    if cache is None:
        yield
        return
    with Path(cache, "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def check(folder: Path, program: str, env: Mapping[str, str]) -> bool:
    """Check one configuration: initialise, validate, test.

    Tests validate as well, all but what mocks stand in for: the settings of providers.
    """
    with _alone(env):
        if not run([program, "init", "-backend=false", "-input=false", "-no-color"], folder, env):
            return False
    tested = any(folder.glob("tests/*.tftest.hcl"))
    steps = [["test", "-no-color"]] if tested else []
    if not tested or _sets_providers(folder):
        steps.insert(0, ["validate", "-no-color"])
    with _serving(folder, env) as served:
        return all(run([program, *step], folder, served) for step in steps)


@contextmanager
def _serving(folder: Path, env: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """Have one process of the provider answer all that Terraform asks in a folder.

    Terraform starts one for each phase of each `run`, and for each alias: most of a test's time.
    The tests mock the provider, so no process is ever configured, and one can serve all of them.

    https://developer.hashicorp.com/terraform/plugin/debugging
    """
    installed = folder.glob(".terraform/providers/*/hashicorp/aws/*/*/terraform-provider-aws_*")
    provider = next(installed, None)
    if provider is None:
        yield env
        return
    with (
        TemporaryDirectory() as sockets,
        subprocess.Popen(  # noqa: S603 (what Terraform has installed and verified)
            [provider, "-debug"],
            env={**env, "TMPDIR": sockets},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            said = (re.search(r"TF_REATTACH_PROVIDERS='(.*)'", line) for line in process.stdout)
            address = next(filter(None, said), None)
            yield {**env, "TF_REATTACH_PROVIDERS": address[1]} if address else env
        finally:
            process.kill()


def _sets_providers(folder: Path) -> bool:
    return any(
        re.search(r'^provider "', path.read_text(encoding="utf-8"), re.MULTILINE)
        for path in folder.glob("*.tf")
    )


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
