"""The command as it is run: by its own name."""

from __future__ import annotations

from pathlib import Path

import pytest

from passerelle_migrate_client.cli import main


def test_its_exit_status_says_whether_something_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.py"
    file.write_text("x = 1\n")
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path)])
    assert ended.value.code == 0
    file.write_text('post("/workflows", {"workflowDefinitionId": 1, "caseId": id})\n')
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path)])
    assert ended.value.code == 1
    assert "payload-key" in capsys.readouterr().out


def test_an_error_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path / "gone")])
    assert ended.value.code == 1
    assert (
        capsys.readouterr().err == f"passerelle-migrate-client: {tmp_path / 'gone'}: there is no such file or folder\n"
    )
