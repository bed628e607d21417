"""Where the script that checks the configuration finds what it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.infra.loading import ROOT, script

check = script("check")


def test_a_mirror_that_is_named_goes_first(tmp_path: Path) -> None:
    (tmp_path / "registry.terraform.io").mkdir()
    assert check.mirror({"TF_PLUGIN_MIRROR": str(tmp_path)}) == tmp_path


def test_a_folder_without_providers_is_no_mirror(tmp_path: Path) -> None:
    assert check.mirror({"TF_PLUGIN_MIRROR": str(tmp_path)}) != tmp_path


def test_no_account_is_ever_spoken_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    monkeypatch.setenv("TF_VAR_region", "somewhere")
    with check.environment() as env:
        assert "AWS_PROFILE" not in env
        assert "TF_VAR_region" not in env
        assert Path(env["TF_CLI_CONFIG_FILE"]).read_text().startswith("disable_checkpoint")


def test_without_terraform_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert check.main([]) == 2
    assert "not on the PATH" in capsys.readouterr().err


def test_the_checkout_is_left_alone() -> None:
    with check.copied() as folder:
        assert (folder / "modules" / "pipeline" / "main.tf").exists()
        assert (folder.parent / "ledger" / "store" / "tables.json").exists()
        assert ROOT not in folder.parents


def test_environments_come_last() -> None:
    names = check.configurations(ROOT / "terraform")
    assert [name for name in names if name.startswith("environments/")] == names[-2:]


def test_providers_from_the_registry_are_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(check, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(check, "mirror", lambda: None)
    with check.environment() as env:
        assert Path(env["TF_PLUGIN_CACHE_DIR"]).is_dir()


def test_a_mirror_is_not_copied(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(check, "mirror", lambda: tmp_path)
    with check.environment() as env:
        assert "TF_PLUGIN_CACHE_DIR" not in env
