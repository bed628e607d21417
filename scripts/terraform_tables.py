"""Keep the tables of inputs and outputs in the Terraform modules' READMEs as the code has them.

`terraform_tables.py` writes them anew, between the markers; `--check` only says which are stale.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1] / "terraform"
MARKERS: Final = ("<!-- tables -->", "<!-- /tables -->")
BLOCK: Final = r'^{kind} "(\w+)" {{\n(.*?)^}}'


def blocks(folder: Path, kind: str) -> Iterator[tuple[str, str]]:
    """Name and body of every block of a kind, in the order of the file."""
    file = folder / f"{kind}s.tf"
    if file.exists():
        pattern = re.compile(BLOCK.format(kind=kind), re.MULTILINE | re.DOTALL)
        yield from pattern.findall(file.read_text(encoding="utf-8"))


def attribute(body: str, name: str) -> str | None:
    """The value of an attribute as it is written, on one line; None if it isn't."""
    found = re.search(
        rf"^  {name} += (.*?)(?=^  \w+ += |^  \w+ {{|^\n|\Z)", body, re.MULTILINE | re.DOTALL
    )
    if found is None:
        return None
    # The lines of an object become one.
    one_line = re.sub(r"(?<=[^{(,\s])\n\s*(?=\w)", ", ", found[1].strip())
    return " ".join(one_line.split())


def cell(text: str) -> str:
    """Text that may stand in a cell."""
    return text.replace("|", "\\|")


def inputs(folder: Path) -> Iterator[str]:
    """The rows of the table of inputs."""
    for name, body in blocks(folder, "variable"):
        kind, default = attribute(body, "type"), attribute(body, "default")
        description = (attribute(body, "description") or "").strip('"')
        value = "required" if default is None else f"`{default}`"
        yield f"| `{name}` | {cell(kind or 'any')} | {value} | {cell(description)} |"


def outputs(folder: Path) -> Iterator[str]:
    """The rows of the table of outputs."""
    for name, body in blocks(folder, "output"):
        description = (attribute(body, "description") or "").strip('"')
        yield f"| `{name}` | {cell(description)} |"


def tables(folder: Path) -> str:
    """Both tables of a module."""
    lines = ["| variable | type | default | meaning |", "| --- | --- | --- | --- |"]
    lines += inputs(folder)
    lines += ["", "| output | meaning |", "| --- | --- |", *outputs(folder)]
    return "\n".join(lines)


def renewed(readme: Path) -> str:
    """The text of a README with the tables of the code beside it."""
    before, _, rest = readme.read_text(encoding="utf-8").partition(MARKERS[0])
    _, end, after = rest.partition(MARKERS[1])
    assert end, f"{readme} has no markers {MARKERS}"
    return f"{before}{MARKERS[0]}\n{tables(readme.parent)}\n{MARKERS[1]}{after}"


def main() -> int:
    """Write the tables, or say which are stale."""
    stale = []
    for readme in sorted(ROOT.glob("**/README.md")):
        text = readme.read_text(encoding="utf-8")
        if MARKERS[0] in text and text != renewed(readme):
            stale.append(readme)
            if "--check" not in sys.argv:
                readme.write_text(renewed(readme), encoding="utf-8")
    for readme in stale:
        print(readme.relative_to(ROOT.parent))
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
