import tomllib
from importlib.metadata import version
from pathlib import Path


def test_the_installed_package_is_this_checkout() -> None:
    pyproject = Path(__file__).parents[2] / "pyproject.toml"
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]

    assert version(project["name"]) == project["version"]
