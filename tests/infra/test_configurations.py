"""Every Terraform configuration is valid, and its own tests pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra.loading import ROOT, script

check = script("check")


# The longest first, so that no worker waits for them.
@pytest.mark.parametrize("name", check.configurations(ROOT / "terraform")[::-1])
def test_a_configuration_is_valid_and_its_tests_pass(name: str) -> None:
    assert check.main([name]) == 0


def test_all_is_formatted() -> None:
    program = check.terraform()
    with check.copied() as folder, check.environment() as env:
        assert check.run([program, "fmt", "-check", "-diff", "-recursive"], folder, env)


def test_a_configuration_that_means_nothing_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.joinpath("main.tf").write_text('output "a" {\n  value = local.nowhere\n}\n')
    with check.environment() as env:
        assert not check.check(tmp_path, check.terraform(), env)
    assert "nowhere" in capsys.readouterr().out


QUEUE = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
resource "aws_sqs_queue" "this" {
  visibility_timeout_seconds = %d
}
"""
MOCKED = 'mock_provider "aws" {}\nrun "any" {}\n'


@pytest.mark.parametrize(
    ("seconds", "more", "complaint"),
    [
        pytest.param(60, "", None, id="sound"),
        pytest.param(43_201, "", "(0 - 43200)", id="a value that the provider refuses"),
        pytest.param(60, 'provider "aws" {\n  colour = "red"\n}\n', "colour", id="a setting of it"),
    ],
)
def test_a_mock_hides_nothing_that_the_provider_refuses(
    seconds: int,
    more: str,
    complaint: str | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tmp_path.joinpath("main.tf").write_text(QUEUE % seconds + more)
    tests = tmp_path / "tests"
    tests.mkdir()
    tests.joinpath("a.tftest.hcl").write_text(MOCKED)
    with check.environment() as env:
        assert check.check(tmp_path, check.terraform(), env) == (complaint is None)
    assert (complaint or "") in capsys.readouterr().out


def test_a_failing_test_of_a_configuration_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.joinpath("main.tf").write_text('output "a" {\n  value = 1\n}\n')
    tests = tmp_path / "tests"
    tests.mkdir()
    tests.joinpath("a.tftest.hcl").write_text(
        'run "two" {\n  assert {\n    condition = output.a == 2\n'
        '    error_message = "it is not two"\n  }\n}\n'
    )
    with check.environment() as env:
        assert not check.check(tmp_path, check.terraform(), env)
    assert "it is not two" in capsys.readouterr().out
