"""Files appear whole or not at all, and what a killed writer left does not stay."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from nnscratch.files import atomic_write, remove_unfinished


def names_in(folder):
    return [path.name for path in folder.iterdir()]


def test_the_target_appears_with_its_content_and_nothing_else_is_left(tmp_path):
    target = tmp_path / "model.npz"
    with atomic_write(target) as file:
        file.write(b"12345")
    assert target.read_bytes() == b"12345"
    assert names_in(tmp_path) == ["model.npz"]


def test_a_path_may_be_a_string(tmp_path):
    with atomic_write(str(tmp_path / "a")) as file:
        file.write(b"1")
    assert (tmp_path / "a").read_bytes() == b"1"


def test_a_relative_path_is_taken_from_the_folder_at_the_start(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with atomic_write("a") as file:
        file.write(b"1")
        os.chdir("elsewhere")
    assert (tmp_path / "a").read_bytes() == b"1"


def test_the_old_file_is_there_until_the_block_ends(tmp_path):
    target = tmp_path / "a"
    target.write_bytes(b"old")
    with atomic_write(target) as file:
        file.write(b"new and longer")
        file.flush()
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new and longer"


@pytest.mark.parametrize("exception", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_an_exception_passes_and_keeps_the_old_file_alone(tmp_path, exception):
    target = tmp_path / "a"
    target.write_bytes(b"old")
    with pytest.raises(exception), atomic_write(target) as file:
        file.write(b"half of the n")
        raise exception
    assert target.read_bytes() == b"old"
    assert names_in(tmp_path) == ["a"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failure_at_the_end_keeps_the_old_file_and_names_the_target(tmp_path, monkeypatch, call):
    def fail(*_):
        raise OSError(28, "No space left on device")

    target = tmp_path / "a"
    target.write_bytes(b"old")
    monkeypatch.setattr(*((os, "fsync") if call == "fsync" else (Path, "replace")), fail)
    with pytest.raises(OSError, match="No space") as caught, atomic_write(target) as file:
        file.write(b"new")
    assert caught.value.filename == str(target)
    assert target.read_bytes() == b"old"
    assert names_in(tmp_path) == ["a"]


def test_the_data_is_on_the_disk_before_the_rename(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda file: (calls.append("fsync"), fsync(file))[1])
    monkeypatch.setattr(Path, "replace", lambda a, b: (calls.append("replace"), replace(a, b))[1])
    with atomic_write(tmp_path / "a") as file:
        file.write(b"1")
    assert calls == ["fsync", "replace"]


def test_a_missing_folder_is_an_error_that_names_the_target(tmp_path):
    target = tmp_path / "missing" / "a"
    with pytest.raises(FileNotFoundError) as caught, atomic_write(target):
        pass
    assert caught.value.filename == str(target)
    assert str(target) in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_an_error_that_names_the_target(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError) as caught, atomic_write(tmp_path / "a"):
        pass
    tmp_path.chmod(0o700)
    assert caught.value.filename == str(tmp_path / "a")


def test_a_folder_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(IsADirectoryError) as caught, atomic_write(tmp_path):
        raise AssertionError("the block was entered")
    assert caught.value.filename == str(tmp_path)


def test_a_device_is_never_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="not an ordinary file"), atomic_write(pipe):
        raise AssertionError("the block was entered")
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("umask, mode", [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_are_those_of_an_ordinary_new_file(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        with atomic_write(tmp_path / "a"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


def test_a_symbolic_link_stays_and_its_file_is_replaced(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    with atomic_write(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_name_as_long_as_names_can_be_is_written(tmp_path):
    target = tmp_path / ("a" * 255)
    with atomic_write(target) as file:
        file.write(b"1")
    assert target.read_bytes() == b"1"


def test_two_writers_at_once_do_not_mix(tmp_path):
    target = tmp_path / "a"
    with atomic_write(target) as first, atomic_write(target) as second:
        first.write(b"1111")
        second.write(b"22")
    assert target.read_bytes() == b"1111"


def test_what_a_killed_writer_left_goes_with_the_next_writing_of_the_same_file(tmp_path):
    code = (
        "import os, signal, sys\n"
        "from nnscratch.files import atomic_write\n"
        "writers = [atomic_write(sys.argv[1] + '/' + name) for name in 'ab']\n"
        "for writer in writers:\n"
        "    writer.__enter__().write(bytes(100))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)])
    assert len(names_in(tmp_path)) == 2
    with atomic_write(tmp_path / "a") as file:
        assert len(names_in(tmp_path)) == 2
        file.write(b"1")
    assert len(names_in(tmp_path)) == 2
    with atomic_write(tmp_path / "c"):
        remove_unfinished(tmp_path)  # what is being written stays
    assert sorted(names_in(tmp_path)) == ["a", "c"]


def test_a_new_file_replaces_none_and_of_several_writers_one_succeeds(tmp_path):
    target = tmp_path / "a"
    with atomic_write(target, new=True) as file:
        file.write(b"first")
    with pytest.raises(FileExistsError) as caught, atomic_write(target, new=True) as file:
        file.write(b"second")
    assert caught.value.filename == str(target)
    assert target.read_bytes() == b"first"
    assert names_in(tmp_path) == ["a"]


def test_a_new_file_needs_no_links(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "hardlink_to", lambda *_: (_ for _ in ()).throw(OSError(95, "no")))
    with atomic_write(tmp_path / "a", new=True) as file:
        file.write(b"1")
    with pytest.raises(FileExistsError), atomic_write(tmp_path / "a", new=True):
        pass
    assert (tmp_path / "a").read_bytes() == b"1"
    assert names_in(tmp_path) == ["a"]
