"""A file that others offer -> the same file here, whole and checked, or the reasons why not.

With urllib and tqdm, which every installation has. pooch, the usual choice, would bring requests
and two packages more, and has neither mirrors nor the resuming of a transfer that broke off.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from nnscratch.data.sources import RemoteFile

TIMEOUT = 20.0  # seconds without an answer, or below SLOWEST
SLOWEST = 1000  # bytes per second
RESUMPTIONS = 20  # of one mirror's transfer, each of which must bring it forward
CHUNK = 1 << 16


class DownloadError(OSError):
    """No mirror gave the file; `faults` maps each to the reason."""

    def __init__(self, file: RemoteFile, faults: dict[str, str]) -> None:
        hosts: dict[str, list[str]] = {}
        for mirror, reason in faults.items():
            hosts.setdefault(reason, []).append(mirror.split("/")[2])
        reasons = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in hosts.items())
        super().__init__(f"{file.name} could not be downloaded ({reasons})")
        self.faults = faults


class _Fault(Exception):
    """What is wrong with a mirror: the next one is tried."""


class _BrokenOff(_Fault):
    """The transfer ended early: it is resumed, if it brought anything."""


def download(
    file: RemoteFile,
    mirrors: Sequence[str],
    folder: Path,
    timeout: float = TIMEOUT,
    progress: bool = True,
) -> Path:
    """Fetch a file into a folder from the first mirror that gives it as published.

    Parameters
    ----------
    file : RemoteFile
        Its name, size and SHA-256; nothing else is accepted.
    mirrors : sequence of str
        Addresses to which the file's name is appended.
    folder : pathlib.Path
        Made if it is missing.
    timeout : float
        After so many seconds without an answer, or with less than 1 kB per second, the mirror
        is given up.
    progress : bool
        Whether to show a bar, on a terminal.

    Returns
    -------
    path : pathlib.Path
        The file, there whole or not at all. One that is there already is not fetched again.

    Raises
    ------
    DownloadError
        Every mirror failed.
    OSError
        The folder cannot be written to.

    Notes
    -----
    What has arrived is kept beside the target as ``NAME.part``, also after Ctrl-C: the same
    mirror, the next one or the next call goes on from there (HTTP Range), or starts anew where
    the server cannot. Only when size and SHA-256 are right does it get its name. Two processes
    that want the same folder take turns.

    References
    ----------
    RFC 9110, HTTP Semantics, section 14, for Range and Content-Range.
    """
    from tqdm import tqdm  # not needed to import nnscratch

    folder.mkdir(parents=True, exist_ok=True)
    target, part = folder / file.name, folder / f"{file.name}.part"
    faults: dict[str, str] = {}
    with (
        _one_at_a_time(folder),
        tqdm(
            total=file.size,
            desc=file.name,
            unit="B",
            unit_scale=True,
            leave=False,
            disable=None if progress else True,
        ) as bar,
    ):
        if target.is_file():
            return target
        for mirror in mirrors:
            try:
                _fetch(mirror + file.name, file, part, timeout, bar)
            except _Fault as fault:
                faults[mirror] = str(fault)
            else:
                part.replace(target)
                return target
    raise DownloadError(file, faults)


def _fetch(url: str, file: RemoteFile, part: Path, timeout: float, bar: Any) -> None:
    """Complete the part from one mirror, and check it."""
    for _ in range(RESUMPTIONS):
        before = _length(part)
        try:
            _transfer(url, file, part, timeout, bar)
        except _BrokenOff:
            if _length(part) <= before:
                raise
            continue
        found = _checksum(part)
        if found == file.sha256:
            return
        part.unlink()
        if before == 0:
            raise _Fault(f"sends other bytes, of SHA-256 {found[:12]}…, not {file.sha256[:12]}…")
        # else it began with what another transfer left: once more, from the beginning
    raise _Fault(f"broke off {RESUMPTIONS} times, {_length(part)} of {file.size} bytes arrived")


def _transfer(url: str, file: RemoteFile, part: Path, timeout: float, bar: Any) -> None:
    """Append to the part what it lacks, in one request."""
    start = _length(part)
    if start > file.size:
        part.unlink()
        start = 0
    if start == file.size:
        return
    with _opened(url, start, timeout) as response:
        if response.status == 200:
            start = 0  # the server sends everything, whatever was asked for
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            raise _Fault(f"answers {response.status} {response.reason}")
        _check_length(response, file.size - start)
        with part.open("r+b" if start else "wb") as out:
            out.seek(start)
            bar.n = have = start
            for piece in _pieces(response, timeout):
                have += len(piece)
                if have > file.size:
                    out.truncate(0)
                    raise _Fault(f"sends more than the {file.size} bytes there should be")
                out.write(piece)
                bar.update(len(piece))
            out.flush()
            os.fsync(out.fileno())
    if have < file.size:
        raise _BrokenOff(f"broke off after {have} of {file.size} bytes")


@contextmanager
def _opened(url: str, start: int, timeout: float) -> Iterator[HTTPResponse]:
    """The answer to a request, from a byte on; a `_Fault` if there is none to read from."""
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    # some servers answer the name that urllib gives itself with 403
    request = Request(url, headers={"User-Agent": "nnscratch"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        response = urlopen(request, timeout=timeout)
    except HTTPError as error:
        error.close()
        if error.code == 416 and start:  # range not satisfiable: the file there is shorter
            raise _Fault("has a shorter file") from None
        if 300 <= error.code < 400:
            raise _Fault("redirects in a circle, or to what is no web address") from None
        raise _Fault(f"answers {error.code} {error.reason}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise _Fault(_reason(error, timeout)) from None
    with response:
        yield response


def _check_length(response: HTTPResponse, expected: int) -> None:
    """Refuse at once what cannot be the file: the page of a portal, a file of another size."""
    announced = response.headers.get("Content-Length")
    if announced == str(expected):
        return
    if response.headers.get_content_type() == "text/html":
        raise _Fault("answers with a web page instead of the file")
    if announced is not None:
        raise _Fault(f"offers {announced} bytes where {expected} are expected")


def _pieces(response: HTTPResponse, timeout: float) -> Iterator[bytes]:
    """The body, as it arrives; a `_BrokenOff` where it stops or becomes a trickle."""
    since, received = time.monotonic(), 0
    while True:
        try:
            piece = response.read1(CHUNK)
        except (OSError, HTTPException, ValueError) as error:
            raise _BrokenOff(_reason(error, timeout)) from None
        if not piece:
            return
        yield piece
        received += len(piece)
        now = time.monotonic()
        if now - since > timeout:
            if received < SLOWEST * (now - since):
                raise _Fault(f"sends less than {SLOWEST} bytes per second")
            since, received = now, 0


def _reason(error: Exception, timeout: float) -> str:
    """An exception of the network, in words that a newcomer understands."""
    from socket import gaierror
    from ssl import SSLError

    cause = getattr(error, "reason", error)  # URLError wraps the exception
    if isinstance(cause, TimeoutError):
        return f"gives no answer within {timeout:g} s"
    if isinstance(cause, gaierror):
        return "no such host, or no network"
    if isinstance(cause, SSLError):
        return f"its certificate is not accepted ({cause.reason or cause})"
    if isinstance(cause, ConnectionRefusedError):
        return "refuses the connection"
    if isinstance(cause, ConnectionError):
        return "closes the connection"
    if isinstance(cause, HTTPException):
        return f"gives an answer that is not HTTP ({type(cause).__name__})"
    return str(cause)


def _length(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _checksum(path: Path) -> str:
    """SHA-256 of what is on the disk, which is more than what was meant to be written."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Hold a folder against other processes that download into it."""
    try:
        import fcntl
    except ImportError:  # Windows; a part that two wrote fails its checksum
        yield
        return
    with (folder / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"nnscratch: another process downloads into {folder}; waiting", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:  # some network file systems have no locks
            pass
        yield
