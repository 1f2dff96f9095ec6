"""Files and folders that appear whole or not at all."""

import os
from pathlib import Path

import pytest

from llamax_cli.errors import FileError
from llamax_cli.streams.atomic import atomic_file, atomic_folder


def names(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    """Folders above it are made; an older file stays until then."""
    path = tmp_path / "a" / "file"
    for content in (b"one", b"two"):
        before = path.read_bytes() if path.exists() else None
        with atomic_file(path) as file:
            file.write(content)
            file.flush()
            assert f"file.{os.getpid()}.partial" in names(path.parent)
            assert (path.read_bytes() if path.exists() else None) == before
        assert path.read_bytes() == content
        assert names(path.parent) == ["file"]


def test_a_file_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Whatever the reason, also no folder that was made for it; what the system says is an error in one line."""
    with pytest.raises(KeyboardInterrupt), atomic_file(tmp_path / "a" / "file"):
        raise KeyboardInterrupt
    with pytest.raises(FileError, match=r"file: no space left on device$"), atomic_file(tmp_path / "a" / "b" / "file"):
        raise OSError(28, "No space left on device")
    with pytest.raises(KeyboardInterrupt), atomic_folder(tmp_path / "a" / "folder"):
        raise KeyboardInterrupt
    assert names(tmp_path) == []
    (tmp_path / "plain").touch()
    with pytest.raises(FileError, match="plain/file: "), atomic_file(tmp_path / "plain" / "file"):
        pass


def test_a_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    """It may take the place of an empty one, but not of one with files."""
    target = tmp_path / "a" / "folder"
    target.mkdir(parents=True)
    with atomic_folder(target) as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "file").write_text("x")
        assert names(target) == []
    assert (target / "sub" / "file").read_text() == "x"
    assert target.stat().st_mode & 0o777 == 0o755
    with pytest.raises(FileError, match=r"folder: directory not empty$"), atomic_folder(target) as folder:
        (folder / "file").touch()
    assert names(target.parent) == ["folder"] and names(target) == ["sub"]


def test_a_folder_replaces_another_where_that_is_wanted(tmp_path: Path) -> None:
    """The older one stays until the new one is whole, and what a killed process left is removed."""
    target, left = tmp_path / "folder", tmp_path / "folder.partial"
    for folder in (target, left):
        folder.mkdir()
        (folder / "old").touch()
    with atomic_folder(target, replace=True) as folder:
        assert folder == left and names(folder) == []
        (folder / "new").touch()
        assert names(target) == ["old"]
    assert names(tmp_path) == ["folder"] and names(target) == ["new"]
    with pytest.raises(RuntimeError), atomic_folder(target, replace=True) as folder:
        raise RuntimeError
    assert names(tmp_path) == ["folder"] and names(target) == ["new"]


def test_a_folder_of_another_run_stays(tmp_path: Path) -> None:
    """Only what was made here is removed."""
    (tmp_path / "folder.partial").mkdir()
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "folder"):
        raise RuntimeError
    assert names(tmp_path) == ["folder.partial"]
