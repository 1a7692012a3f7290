"""Compiled code is kept where nobody else can have put it, or not at all; what is asked for is used."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sim.compute import cache

posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes are those of POSIX")
NAME = "kernel-123"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home and a folder for what is temporary; the package lies where nothing can be written."""
    for name in ("home", "tmp"):
        (tmp_path / name).mkdir(mode=0o700)
    (tmp_path / "tmp").chmod(0o1777)
    (tmp_path / "package").write_text("a file, in which no folder can be made")
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "package" / "sim" / "cache.py"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    return tmp_path


def own(home: Path) -> Path:
    return home / "tmp" / f"stickiness-{cache._user()}" / NAME


def test_it_is_made_in_the_home_for_the_user_alone(home):
    found = cache.private_folder(NAME)
    assert found == home / "home" / ".cache" / "stickiness" / NAME
    assert found.is_dir() and (os.name != "posix" or found.stat().st_mode & 0o777 == 0o700)
    assert cache.private_folder(NAME) == found, "found again"


def test_beside_the_package_where_that_is_the_users(home, monkeypatch):
    monkeypatch.setattr(cache, "__file__", str(home / "venv" / "sim" / "cache.py"))
    assert cache.private_folder(NAME) == home / "venv" / "sim" / "__pycache__" / NAME


def test_what_is_asked_for_is_used_and_nothing_else_looked_at(home, monkeypatch):
    def never(*_):
        raise AssertionError("not asked for")

    monkeypatch.setattr(Path, "home", never)
    monkeypatch.setattr(tempfile, "gettempdir", never)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(home / "mine" / "deep"))
    assert cache.private_folder(NAME) == home / "mine" / "deep" / NAME


def _no_home(*_):
    raise RuntimeError("Could not determine home directory.")


def _nameless(*_):
    raise KeyError("getpwuid(): uid not found")


@pytest.mark.parametrize("failure", [_no_home, _nameless])
def test_without_a_home_it_is_made_in_a_folder_of_the_users_own(home, monkeypatch, failure):
    monkeypatch.setattr(Path, "home", failure)
    assert cache.private_folder(NAME) == own(home)
    assert os.name != "posix" or own(home).parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("value", ["/dev/null/home", "/proc/nowhere"])
def test_nor_where_home_is_no_folder(home, monkeypatch, value):
    monkeypatch.setenv("HOME", value)
    assert cache.private_folder(NAME) == own(home)


@pytest.mark.parametrize("value", ["", "/dev/null/x"])
def test_an_empty_or_impossible_wish_is_passed_over(home, monkeypatch, value):
    monkeypatch.setenv("NUMBA_CACHE_DIR", value)
    assert cache.private_folder(NAME) == home / "home" / ".cache" / "stickiness" / NAME


def _writable_by_all(path: Path) -> None:
    path.mkdir(parents=True)
    path.chmod(0o777)


def _writable_by_the_group(path: Path) -> None:
    path.mkdir(parents=True)
    path.chmod(0o770)


def _link(path: Path) -> None:
    (path.parents[2] / "elsewhere").mkdir(exist_ok=True)
    path.parent.mkdir(exist_ok=True, parents=True)
    path.symlink_to(path.parents[2] / "elsewhere")


def _file(path: Path) -> None:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text("")


@posix
@pytest.mark.parametrize("level", [0, 1], ids=["itself", "around"])
@pytest.mark.parametrize("prepared", [_writable_by_all, _writable_by_the_group, _link, _file])
def test_what_others_may_have_prepared_is_not_used(home, monkeypatch, prepared, level):
    monkeypatch.setattr(Path, "home", _no_home)
    prepared([own(home), own(home).parent][level])
    if level == 0:
        own(home).parent.chmod(0o700)
    assert cache.private_folder(NAME) is None


@posix
def test_nor_what_belongs_to_somebody_else(home, monkeypatch):
    monkeypatch.setattr(Path, "home", _no_home)
    own(home).mkdir(parents=True, mode=0o700)
    own(home).parent.chmod(0o700)
    monkeypatch.setattr(cache, "_owner", lambda found: cache._user() + 1)
    assert cache.private_folder(NAME) is None


@posix
@pytest.mark.parametrize(("mode", "kept"), [(0o1777, True), (0o777, False), (0o700, True), (0o775, False)])
def test_a_shared_folder_must_be_sticky(home, monkeypatch, mode, kept):
    monkeypatch.setattr(Path, "home", _no_home)
    (home / "tmp").chmod(mode)
    assert (cache.private_folder(NAME) is not None) == kept


def test_two_users_do_not_meet(home, monkeypatch):
    monkeypatch.setattr(Path, "home", _no_home)
    folders = []
    for user in (45678, 45679):
        monkeypatch.setattr(cache, "_user", lambda user=user: user)
        monkeypatch.setattr(cache, "_owner", lambda found, user=user: user)
        folders.append(cache.private_folder(NAME))
    assert None not in folders and len({f.parent for f in folders}) == 2


@pytest.mark.parametrize(
    "line",
    [
        "pwd.getpwuid = lambda *_: {}[0]",  # a user without a name, and HOME is not set
        "import sim.compute.cache; sim.compute.cache._places = lambda: iter(())",  # nothing can be written anywhere
        "import tempfile; tempfile.tempdir = '/nowhere/at/all'",
    ],
)
def test_the_package_is_imported_all_the_same(line, tmp_path):
    code = f"import pwd\n{line}\nimport sim.engine.loop\nfrom sim.compute.jit import CACHE\n"
    code += "print('kept' if CACHE else 'in memory')"
    env = {k: v for k, v in os.environ.items() if k not in ("HOME", "NUMBA_CACHE_DIR")}
    env["PYTHONPATH"] = str(Path(cache.__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, cwd=tmp_path)
    assert done.stdout.strip() == ("in memory" if "_places" in line else "kept"), done.stderr
