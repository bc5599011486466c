"""A teacher's machine: files, an environment, open files and servers that attacks try to reach."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

import nnscratch
from nnscratch.grading.sandbox import confined

# Not the uids of graders that run at the same time, which leave things for good reasons.
_FIRST = confined.LAST_UID - 10 * (os.getpid() % 40)
OUR_UIDS = range(_FIRST - 9, _FIRST + 1)
confined.FIRST_UID, confined.LAST_UID = OUR_UIDS[0], OUR_UIDS[-1]

LONG_AGO = 1_000_000_000


class Place:
    """Secrets in a folder that everybody may read, and what an attacker would like to know.

    Attributes
    ----------
    secret : str
        What no worker may ever print or return.
    target : bytes
        JSON for the attackers: we tell them where everything is, as if they had found out.
    """

    def __init__(self, resources: ExitStack) -> None:
        self.secret = secrets.token_hex(16)
        self.folder = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="class-")))
        self.folder.chmod(0o777)
        for name, content in (
            ("secret.txt", self.secret),
            ("results.json", '{"score": 0}'),
            ("other/square.py", "def square(x):\n    return x**2\n"),
        ):
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)
            path.chmod(0o666)
        os.environ["SECRET"] = self.secret
        resources.callback(os.environ.pop, "SECRET", None)
        self._memory = ctypes.create_string_buffer(self.secret.encode())
        opened = resources.enter_context((self.folder / "secret.txt").open())
        os.set_inheritable(opened.fileno(), True)
        self._server = resources.enter_context(socket.create_server(("127.0.0.1", 0)))
        self._abstract = resources.enter_context(socket.socket(socket.AF_UNIX))
        self._abstract.bind(f"\0{self.secret}")
        self._abstract.listen()
        for server in (self._server, self._abstract):
            server.setblocking(False)
        self.target = json.dumps(
            {
                "folder": str(self.folder),
                "secret": str(self.folder / "secret.txt"),
                "results": str(self.folder / "results.json"),
                "other": str(self.folder / "other" / "square.py"),
                "package": str(Path(nnscratch.__file__).parent),
                "packages": str(Path(np.__file__).parents[1]),
                "port": self._server.getsockname()[1],
                "abstract": f"\0{self.secret}",
                "parent": os.getpid(),
                "address": ctypes.addressof(self._memory),
            }
        ).encode()
        self._watched = [
            *self.folder.rglob("*.*"),
            Path(nnscratch.__file__).parent / "layers" / "operators" / "elementwise.py",
        ]
        self._before = self._contents()
        self._expect_no_reads()

    def _expect_no_reads(self) -> None:
        for path in self.folder.rglob("*.*"):
            # Older than its last change, so that the next read is noted even with relatime.
            os.utime(path, (LONG_AGO, path.stat().st_mtime))

    def _contents(self) -> dict[Path, str]:
        return {
            path: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self._watched
            if path.exists()
        }

    def read(self) -> list[str]:
        """Names of the files in the folder that were read since the start."""
        return [path.name for path in self.folder.rglob("*.*") if path.stat().st_atime != LONG_AGO]

    def changed(self) -> list[str]:
        """Names of the files that were changed, deleted or added; call it after :meth:`read`."""
        now = self._contents()
        self._expect_no_reads()  # those were ours
        added = set(self.folder.rglob("*.*")) - set(self._before)
        return [str(path) for path in self._before if self._before[path] != now.get(path)] + [
            str(path) for path in added
        ]

    def visited(self) -> int:
        """How many connections the servers got."""
        count = 0
        for server in (self._server, self._abstract):
            try:
                server.accept()[0].close()
            except BlockingIOError:
                continue
            count += 1
        return count


@contextmanager
def place() -> Iterator[Place]:
    with ExitStack() as resources:
        yield Place(resources)


def remains() -> dict[str, object]:
    """What a worker could leave behind on the machine; equal before and after it."""
    return {
        "processes": {entry.name for entry in _entries("/proc") if _uids(entry) & set(OUR_UIDS)},
        "IPC objects": [line for kind in ("shm", "sem", "msg") for line in _ipc(kind)],
        "files": {
            path
            for folder in ("/dev/shm", "/dev/mqueue", tempfile.gettempdir())
            for path in _entries(folder)
            if _owner(path) in OUR_UIDS
        },
        "sockets": [
            line for line in Path("/proc/net/unix").read_text().splitlines() if "answers" in line
        ],
        "mounts": len(Path("/proc/self/mountinfo").read_text().splitlines()),
        "open files": len(_entries("/proc/self/fd")),
        "keys": [line for line in _keys() if "answers" in line],
    }


def _ipc(kind: str) -> list[str]:
    """Lines of /proc/sysvipc that belong to us: the column of the owner has the title uid."""
    path = Path("/proc/sysvipc", kind)
    titles, *lines = path.read_text().splitlines() if path.exists() else [""]
    return [line for line in lines if int(line.split()[titles.split().index("uid")]) in OUR_UIDS]


def _entries(folder: str) -> list[Path]:
    return list(Path(folder).iterdir()) if Path(folder).exists() else []


def _uids(process: Path) -> set[int]:
    try:
        status = (process / "status").read_text()
    except OSError:  # it is no process, or has just ended
        return set()
    [line] = [line for line in status.splitlines() if line.startswith("Uid:")]
    return {int(uid) for uid in line.split()[1:]}


def _keys() -> list[str]:
    path = Path("/proc/keys")
    return path.read_text().splitlines() if path.exists() else []


def _owner(path: Path) -> int:
    try:
        return path.stat().st_uid
    except FileNotFoundError:  # another grader's, which has just been deleted
        return -1
