"""A place that cannot be written to is known before anything is done."""

import os

import pytest

from sim.compute import files
from sim.compute.files import unwritable, write_atomic


def test_what_can_be_written_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    for name in ("new.csv", "missing/folders/new.csv", "there", tmp_path / "there" / "new"):
        assert unwritable(name) == ""
    assert os.listdir(tmp_path) == ["there"] and not os.listdir("there")


@pytest.mark.parametrize(("name", "why"), [("file/x.csv", "file is no folder"), ("a\0b", "null"), ("x" * 300, "long")])
def test_what_cannot_be_written_is_said(tmp_path, monkeypatch, name, why):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert why in unwritable(name)
    with pytest.raises((OSError, ValueError)):
        write_atomic(name, b"")


def test_a_folder_that_takes_no_files_is_said(tmp_path, monkeypatch):
    def refuse(dir):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files, "TemporaryFile", refuse)
    assert unwritable(tmp_path / "x") == f"{tmp_path} takes no files: Permission denied"
