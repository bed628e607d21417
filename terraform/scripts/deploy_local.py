"""Deploy the whole system to an emulator of AWS on this machine, and take it away again.

Usage: python terraform/scripts/deploy_local.py up|down [--port PORT] [--folder FOLDER]

`up` starts MiniStack, packs the functions, applies environment `dev` to it with the real provider,
and says how to call the API. Called again, it applies what has changed since. `down` destroys what
was applied and stops MiniStack.

All of it is kept in FOLDER: a copy of the configuration with its state, so that a checkout that is
deployed to an account from is left alone; the functions' files; the logs. When MiniStack has
ended, so has all it held, and `up` starts from nothing.

Exit status: 0 all is well, 1 something failed, 2 Terraform is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

import boto3
from check import DATA, GENERATED, ROOT, TerraformMissing, environment, terraform
from emulator import CREDENTIALS, REGION, Failed, MiniStack, without_aws

FOLDER: Final = ROOT / ".cache" / "deploy-local"
OVERRIDES: Final = {
    "dev_override.hcl": "environments/dev/emulator_override.tf",
    "edge_override.hcl": "modules/edge/emulator_override.tf",
    "site_override.hcl": "modules/site/emulator_override.tf",
}
"""Where the configuration that is applied to the emulator differs from that of an account."""

HOW: Final = """
The API is at {url} for 127.0.0.1, behind CloudFront's host name {host}.
{folder}/curl has that name and a token, good for an hour (`make deploy-local` draws another):

  curl --config {folder}/curl {url}/v1/receipts --json '{{"sku":"MUG","location":"main","quantity":10}}' -H 'Idempotency-Key: r-1'
  curl --config {folder}/curl {url}/v1/orders --json '{{"order_id":"A-1","lines":[{{"sku":"MUG","quantity":3}}]}}' -H 'Idempotency-Key: o-1'
  curl --config {folder}/curl {url}/v1/stock

Views follow within seconds, the first time once their functions have started.
{folder}/env is for the commands, and for the AWS command line:

  set -a; . {folder}/env; set +a
  .venv/bin/ledger verify; .venv/bin/ledger redrive --list

`make destroy-local` takes it away. Logs: {folder}/*.log
"""  # noqa: E501 (commands to paste)


class Deployment:
    """A deployment to MiniStack, and its files."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder.resolve()
        self.emulator = MiniStack(self.folder, port)
        self.copy = self.folder / "checkout"
        self.dev = self.copy / "terraform" / "environments" / "dev"
        self.zip = self.folder / "functions.zip"

    def up(self) -> Mapping[str, Any]:
        """Deploy; answers the outputs of environment `dev`."""
        if not self.emulator.runs():
            with _step(f"MiniStack on {self.emulator.url}"):
                # A new one holds nothing of what the state says.
                shutil.rmtree(self.copy, ignore_errors=True)
                self.emulator.start()
        with _step("packing the functions"):
            self._pack()
        with _step("terraform init"):
            self._lay_out()
            self.terraform("init", "-input=false")
        with _step("terraform apply"):
            self.terraform("apply", "-auto-approve", *self.variables)
        outputs = self._outputs()
        self._write_settings(outputs)
        return outputs

    def destroy(self) -> None:
        """Destroy what is deployed."""
        if self.emulator.runs() and self.dev.joinpath("terraform.tfstate").exists():
            with _step("terraform destroy"):
                self.terraform("destroy", "-auto-approve", *self.variables)
        shutil.rmtree(self.copy, ignore_errors=True)

    def terraform(self, *arguments: str) -> str:
        """Run Terraform on environment `dev`; what it said, which is logged as well.

        Raises
        ------
        Failed
            It did not succeed.
        """
        with environment() as env:
            settings = {**env, **CREDENTIALS, "AWS_ENDPOINT_URL": self.emulator.url}
            said = _run([terraform(), *arguments, "-no-color"], self.dev, settings)
        self.folder.joinpath(f"terraform-{arguments[0]}.log").write_text(said)
        return said

    @property
    def variables(self) -> list[str]:
        """What is given to every plan."""
        given = {"emulator_url": self.emulator.url, "zip_file": str(self.zip)}
        return [
            "-input=false",
            "-parallelism=30",  # most of it is waiting
            "-var-file=emulator.tfvars",
            *(f"-var={name}={value}" for name, value in given.items()),
        ]

    def _pack(self) -> None:
        """Make the Zip file of the functions, of the files the image has."""
        root = self.folder / "functions"
        script = ROOT / "scripts" / "build-image-root.sh"
        settings = {**without_aws(), "PYTHON": sys.executable}
        locked = (ROOT / "requirements" / "lambda.txt").read_text()
        stamp = self.folder / "functions.txt"
        if not stamp.exists() or stamp.read_text() != locked:
            shutil.rmtree(root, ignore_errors=True)
            _run(["bash", str(script), str(root), "libraries"], ROOT, settings)
            stamp.write_text(locked)
        _run(["bash", str(script), str(root), "code"], ROOT, settings)
        shutil.make_archive(str(self.zip.with_suffix("")), "zip", root)

    def _lay_out(self) -> None:
        """Copy the configuration, and what it reads, anew; its state stays."""
        target = self.copy / "terraform"
        ignored = shutil.ignore_patterns(*GENERATED)
        shutil.copytree(ROOT / "terraform", target, ignore=ignored, dirs_exist_ok=True)
        for name, place in OVERRIDES.items():
            shutil.copyfile(target / "scripts" / "overrides" / name, target / place)
        for name in DATA:
            (self.copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, self.copy / name)
        site = self.copy / "build" / "site"
        _run([sys.executable, str(ROOT / "scripts" / "build_site.py"), str(site)], ROOT)

    def _outputs(self) -> Mapping[str, Any]:
        outputs = json.loads(self.terraform("output", "-json"))
        return {name: output["value"] for name, output in outputs.items()}

    def _write_settings(self, outputs: Mapping[str, Any]) -> None:
        """Files that spare people the typing: for curl, and for the commands."""
        token = self._token(outputs["auth"])
        headers = {
            "Host": host_of(outputs),
            "X-Forwarded-Proto": "https",
            "Authorization": f"Bearer {token}",
        }
        curl = [f'header = "{name}: {value}"\n' for name, value in headers.items()]
        for_commands = {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.emulator.url,
            "LEDGER_STORE": f"dynamodb:{outputs['bus_name']}",
            "LEDGER_BUS": outputs["bus_name"],
        }
        env = [f"{name}={value}\n" for name, value in for_commands.items()]
        for name, lines in {"curl": curl, "env": env}.items():
            file = self.folder / name
            file.touch(mode=0o600)
            file.write_text("".join(lines))

    def _token(self, auth: Mapping[str, Any]) -> str:
        """A token of the default client: all it may do."""
        cognito = boto3.client(
            "cognito-idp",
            endpoint_url=self.emulator.url,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )
        client_id = auth["client_ids"]["default"]
        client = cognito.describe_user_pool_client(
            UserPoolId=auth["user_pool_id"], ClientId=client_id
        )
        cognito.close()
        secret = client["UserPoolClient"]["ClientSecret"]
        basic = b64encode(f"{client_id}:{secret}".encode()).decode()
        request = Request(  # noqa: S310 (our own emulator)
            f"{self.emulator.url}/oauth2/token",
            data=b"grant_type=client_credentials",
            headers={"Authorization": f"Basic {basic}"},
        )
        with urlopen(request, timeout=60) as answer:  # noqa: S310
            token: str = json.load(answer)["access_token"]
        return token


def host_of(outputs: Mapping[str, Any]) -> str:
    """The host name that people would use."""
    return str(outputs["url"]).removeprefix("https://")


@contextmanager
def _step(what: str) -> Iterator[None]:
    print(f"{what} ... ", end="", flush=True)
    began = time.monotonic()
    yield
    print(f"{time.monotonic() - began:.0f} s", flush=True)


def _run(command: list[str], folder: Path, env: Mapping[str, str] | None = None) -> str:
    answer = subprocess.run(  # noqa: S603 (no shell, and nothing from outside)
        command,
        cwd=folder,
        env=dict(env or os.environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        what = " ".join(command[:2])
        raise Failed(f"{what} failed:\n{answer.stdout[-8000:]}{answer.stderr[-8000:]}")
    return answer.stdout


def main() -> int:
    """Do as the command line says; answers the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("what", choices=["up", "down"])
    parser.add_argument("--port", type=int, default=4566, help="where MiniStack listens")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where all of it is kept")
    given = parser.parse_args()
    deployment = Deployment(given.folder, given.port)
    try:
        if given.what == "up":
            host = host_of(deployment.up())
            print(HOW.format(url=deployment.emulator.url, host=host, folder=deployment.folder))
        else:
            deployment.destroy()
            deployment.emulator.stop()
    except TerraformMissing as missing:
        print(f"\nIt can't be deployed: {missing}.", file=sys.stderr)
        return 2
    except Failed as failed:
        print(f"\n{failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
