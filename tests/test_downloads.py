"""Downloads from mirrors that work and from mirrors that do not: a real server on loopback."""

import contextlib
import gzip
import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nnscratch.data import fetch_dataset, files, load_dataset
from nnscratch.data.catalogue import SOURCES, source_of
from nnscratch.data.downloads import DownloadError, download
from nnscratch.data.idx import save_idx
from nnscratch.data.sources import RemoteFile
from tests.faulty_server import BODY, faulty_server

FILE = RemoteFile("images.gz", len(BODY), hashlib.sha256(BODY).hexdigest())
PATIENCE = 1.0  # seconds


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with faulty_server() as server:
        yield server


@pytest.fixture
def fetch(server, tmp_path):
    """Download from mirrors of these behaviours."""

    def call(*behaviours):
        mirrors = [server.url(behaviour) for behaviour in behaviours]
        return download(FILE, mirrors, tmp_path / "cache", timeout=PATIENCE)

    return call


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


# what a mirror does, and what is said of it
FAULTS = {
    "forbidden": "answers 403 Forbidden",
    "missing": "answers 404 Not Found",
    "broken": "answers 500 Internal Server Error",
    "empty": "sends other bytes",
    "page": "answers with a web page instead of the file",
    "page_without_length": "answers with a web page instead of the file",
    "page_in_disguise": "sends other bytes",
    "shorter": "offers 299999 bytes where 300000 are expected",
    "longer": "sends other bytes",
    "endless": "sends more than the 300000 bytes there should be",
    "other": "sends other bytes than those published",
    "cut_at_once": "breaks the connection off",
    "cut_without_range": "breaks the connection off",
    "hangs": "gives no answer within 1 s",
    "hangs_halfway": "gives no answer within 1 s",
    "trickles": "sends less than 1000 bytes per second",
    "resets": "breaks the connection off",
    "says_nonsense": "breaks the connection off",
    "redirected_forever": "redirects in a circle",
    "redirected_to_a_disk": "or to what is no web address",
    "redirected_to_ftp": "or to what is no web address",
}


@pytest.mark.parametrize("behaviour", ["good", "no_length", "redirected"])
def test_a_file_arrives_whole(fetch, tmp_path, behaviour):
    path = fetch(behaviour)
    assert path == tmp_path / "cache" / "images.gz"
    assert path.read_bytes() == BODY
    assert left_in(path.parent) == ["images.gz"]


@pytest.mark.parametrize("behaviour", FAULTS)
def test_the_fault_of_a_mirror_is_named_and_no_file_appears(fetch, tmp_path, behaviour):
    with pytest.raises(DownloadError, match=FAULTS[behaviour]) as caught:
        fetch(behaviour)
    assert re.match(r"images.gz could not be downloaded \(127\.0\.0\.1:\d+: ", str(caught.value))
    assert "\n" not in str(caught.value)
    assert left_in(tmp_path / "cache") == []


@pytest.mark.parametrize("behaviour", FAULTS)
def test_the_next_mirror_is_tried(fetch, server, behaviour):
    assert fetch(behaviour, "good").read_bytes() == BODY
    assert server.requests[-1] == "good"


def test_a_mirror_that_is_not_there_is_passed_over(server, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/"
    for mirror, reason in (
        (nobody, "refuses the connection"),
        ("http://nowhere.invalid/", "no such host, or no network"),
        (server.url("good").replace("http:", "https:"), "its certificate is not accepted"),
        ("nonsense://host/", "redirects in a circle, or to what is no web address"),
    ):
        with pytest.raises(DownloadError) as caught:
            download(FILE, [mirror], tmp_path, timeout=2)
        assert caught.value.faults[mirror].startswith(reason)
    assert download(FILE, [nobody, server.url("good")], tmp_path).read_bytes() == BODY


def test_every_mirror_is_named_with_its_reason(fetch, server):
    with pytest.raises(DownloadError) as caught:
        fetch("forbidden", "page", "missing")
    assert [reason for _, reason in sorted(caught.value.faults.items())] == [
        FAULTS["forbidden"],
        FAULTS["missing"],
        FAULTS["page"],
    ]
    assert all(reason in str(caught.value) for reason in caught.value.faults.values())


def test_a_link_in_the_place_of_the_file_is_replaced_and_never_written_through(fetch, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "precious").write_text("kept")
    for name in ("images.gz.part", "images.gz"):
        (tmp_path / "cache" / name).symlink_to(tmp_path / "elsewhere")
    path = fetch("good")
    assert (path.read_bytes(), path.is_symlink()) == (BODY, False)
    assert not (tmp_path / "elsewhere").exists()


def test_what_is_there_is_not_fetched_again(fetch, server):
    fetch("good")
    fetch("good")
    assert len(server.requests) == 1


def test_a_folder_that_cannot_be_written_is_an_error_of_its_own(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file") as caught:
        download(FILE, [server.url("good")], tmp_path / "file" / "cache")
    assert not isinstance(caught.value, DownloadError)
    assert server.requests == []


SCRIPT = """
import sys
from pathlib import Path
from nnscratch.data.catalogue import SOURCES, source_of
from nnscratch.data.downloads import download
from nnscratch.data.sources import RemoteFile
name, size, sha256, mirror, folder = sys.argv[1:]
download(RemoteFile(name, int(size), sha256), [mirror], Path(folder), timeout=60)
"""


def start(mirror, folder):
    arguments = [FILE.name, str(FILE.size), FILE.sha256, mirror, str(folder)]
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *arguments], stderr=subprocess.PIPE, text=True
    )


def wait_until(true):
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_download_that_is_interrupted_leaves_nothing(fetch, server, tmp_path):
    process = start(server.url("hangs_halfway"), tmp_path / "cache")
    wait_until(lambda: server.requests)  # the file that it is read into is there by then
    assert left_in(tmp_path / "cache")
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode != 0
    assert left_in(tmp_path / "cache") == []
    assert fetch("good").read_bytes() == BODY


def test_two_processes_may_ask_at_once(server, tmp_path):
    processes = [start(server.url("held"), tmp_path) for _ in range(2)]
    wait_until(lambda: len(server.requests) == 2)
    server.released.set()
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    assert (tmp_path / "images.gz").read_bytes() == BODY
    assert left_in(tmp_path) == ["images.gz"]


def test_a_bar_is_drawn_on_a_terminal(server, tmp_path):
    termios = pytest.importorskip("termios", reason="needs a pseudo-terminal")
    outside, inside = os.openpty()
    termios.tcsetwinsize(inside, (24, 80))
    arguments = [FILE.name, str(FILE.size), FILE.sha256, server.url("good"), str(tmp_path)]
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, *arguments], stderr=inside)
    os.close(inside)
    shown = b""
    with contextlib.suppress(OSError):  # the other end is closed
        while piece := os.read(outside, 4096):
            shown += piece
    os.close(outside)
    assert process.wait() == 0
    assert b"images.gz:" in shown
    assert b"300k" in shown


# --- whole data sets ---


@pytest.fixture
def offered(server, tmp_path, monkeypatch):
    """Two data sets with small files, and only the server's mirrors; an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(files, "SYSTEM", tmp_path / "system")
    content = {}
    for prefix, count in (("train", 6), ("t10k", 3)):
        rows = np.arange(count, dtype=np.uint8)
        images = np.broadcast_to(rows[:, None, None] * 50, (count, 28, 28))
        for name, array in (("images-idx3", images), ("labels-idx1", rows)):
            path = tmp_path / f"{prefix}-{name}-ubyte.gz"
            save_idx(path, array)
            content[path.name] = path.read_bytes()
    server.content = content
    names = [file.name for file in source_of("mnist").files]
    small = tuple(
        RemoteFile(name, len(content[name]), hashlib.sha256(content[name]).hexdigest())
        for name in names
    )

    def offer(*behaviours):
        mirrors = tuple(map(server.url, behaviours))
        changed = replace(SOURCES["mnist"], mirrors=mirrors, files=small)
        monkeypatch.setitem(SOURCES, "mnist", changed)
        return tmp_path / "xdg" / "nnscratch" / "mnist"

    return offer


def test_a_data_set_is_downloaded_into_the_cache_once(offered, server):
    folder = offered("set")
    for _ in range(2):
        data = load_dataset("mnist")
        assert (data.x_train.shape, data.y_test.tolist()) == ((6, 1, 28, 28), [0, 1, 2])
    assert left_in(folder) == sorted(file.name for file in source_of("mnist").files)
    assert len(server.requests) == 4


def test_only_missing_files_are_downloaded(offered, server):
    folder = offered("set")
    load_dataset("mnist")
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    packed = folder / "t10k-images-idx3-ubyte.gz"
    packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    load_dataset("mnist")
    assert len(server.requests) == 5


def test_with_a_root_nothing_is_downloaded_unless_asked_for(offered, server, tmp_path):
    offered("set")
    with pytest.raises(FileNotFoundError, match="mnist is not here; looked in"):
        load_dataset("mnist", root=tmp_path / "root")
    assert server.requests == []
    assert not (tmp_path / "root").exists()
    assert fetch_dataset("mnist", tmp_path / "root") == tmp_path / "root" / "mnist"
    assert len(load_dataset("mnist", root=tmp_path / "root").x_train) == 6


def test_a_data_set_that_cannot_be_had_says_what_to_put_where(offered):
    folder = offered("forbidden", "page")
    with pytest.raises(FileNotFoundError) as caught:
        load_dataset("mnist")
    message = str(caught.value)
    assert "\n" not in message
    for part in (
        "mnist is not here",
        "answers 403 Forbidden",
        "answers with a web page instead of the file",
        "Put train-images-idx3-ubyte.gz (0.1 kB), train-labels-idx1-ubyte.gz (",
        "/forbidden/ or http://127.0.0.1",
        f" into {folder}, ",
        "--root",
    ):
        assert part in message


def test_a_user_without_a_home_is_told_to_name_a_folder(offered, monkeypatch, server):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    offered("set")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(FileNotFoundError, match="without a home folder nothing is downloaded"):
        load_dataset("mnist")
    assert server.requests == []


def test_what_needs_no_files_needs_no_fetching():
    assert fetch_dataset("digits") is None
    assert fetch_dataset("moons") is None


def test_what_is_offered_has_checksums_sizes_and_mirrors():
    for source in SOURCES.values():
        for file in source.files:
            assert re.fullmatch("[0-9a-f]{64}", file.sha256)
            assert file.size > 0
        assert bool(source.files) == bool(source.mirrors)
        assert all(re.match("https?://.*/$", mirror) for mirror in source.mirrors)
    every = [file.sha256 for source in SOURCES.values() for file in source.files]
    assert len(set(every)) == len(every) == 13


def test_threads_of_one_process_may_ask_at_once(server, tmp_path):
    mirrors, paths = [server.url("held")], []
    threads = [
        threading.Thread(target=lambda: paths.append(download(FILE, mirrors, tmp_path, 60)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    wait_until(lambda: server.requests)
    server.released.set()
    for thread in threads:
        thread.join()
    assert [path.read_bytes() == BODY for path in paths] == [True] * 3
