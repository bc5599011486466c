"""A file that others offer -> the same file here, whole and checked, or the reasons why not.

pooch fetches a file, compares its SHA-256 and gives it its name only then. What is added here are
the mirrors, tried in turn, and their faults in words that a newcomer understands.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nnscratch.data.sources import RemoteFile

TIMEOUT = 20.0  # seconds without an answer, or below SLOWEST
SLOWEST = 1000  # bytes per second
CHUNK = 1024


class DownloadError(OSError):
    """No mirror gave the file; `faults` maps each to the reason."""

    def __init__(self, file: RemoteFile, faults: dict[str, str]) -> None:
        hosts: dict[str, list[str]] = {}
        for mirror, reason in faults.items():
            hosts.setdefault(reason, []).append(mirror.split("/")[2])
        reasons = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in hosts.items())
        super().__init__(f"{file.name} could not be downloaded ({reasons})")
        self.faults = faults


class _Fault(ValueError):
    """What is wrong with a mirror, found by ourselves."""


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
    """
    from requests import RequestException  # slow to import

    folder.mkdir(parents=True, exist_ok=True)
    target = folder / file.name
    if target.is_file():
        return target
    faults: dict[str, str] = {}
    for mirror in mirrors:
        try:
            _fetch(mirror + file.name, file, target, timeout, progress)
        except (RequestException, ValueError) as error:
            faults[mirror] = _reason(error, timeout)
        else:
            return target
    raise DownloadError(file, faults)


def _fetch(url: str, file: RemoteFile, target: Path, timeout: float, progress: bool) -> None:
    """The file from one mirror, checked, under its name."""
    import pooch
    from tqdm import tqdm

    pooch.get_logger().setLevel("WARNING")  # the bar tells what it does
    shown = {"desc": file.name, "unit": "B", "unit_scale": True, "leave": False}
    with tqdm(total=file.size, disable=None if progress else True, **shown) as bar:
        fetch = pooch.HTTPDownloader(
            progressbar=_Watch(file, bar, timeout),
            chunk_size=CHUNK,
            timeout=timeout,
            # unpacked on the way it would not be the file that the checksum is of
            headers={"User-Agent": "nnscratch", "Accept-Encoding": "identity"},
            hooks={"response": lambda answer, **_: _check_answer(answer, file)},
        )
        checksum = f"sha256:{file.sha256}"
        pooch.retrieve(url, checksum, target.name, target.parent, downloader=fetch)


class _Watch:
    """pooch's progress bar, which gives up a mirror that is too slow, or does not end."""

    total = 0  # pooch sets it to what the server announces

    def __init__(self, file: RemoteFile, bar: Any, timeout: float) -> None:
        self.file, self.bar, self.timeout = file, bar, timeout
        self.started, self.arrived = time.monotonic(), 0

    def update(self, count: int) -> None:
        self.bar.update(count)
        self.arrived += count
        seconds = time.monotonic() - self.started
        if self.arrived > self.file.size + CHUNK:  # pooch counts whole chunks
            raise _Fault(f"sends more than the {self.file.size} bytes there should be")
        if seconds > self.timeout and self.arrived < SLOWEST * seconds:
            raise _Fault(f"sends less than {SLOWEST} bytes per second")

    def reset(self) -> None:
        self.bar.reset()
        self.arrived = 0

    def close(self) -> None:
        """The bar is closed by whoever opened it."""


def _check_answer(answer: Any, file: RemoteFile) -> None:
    """Refuse at once what cannot be the file: the page of a portal, a file of another size."""
    announced = answer.headers.get("Content-Length")
    if answer.status_code != 200 or announced == str(file.size):
        return
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        raise _Fault("answers with a web page instead of the file")
    if announced is not None:
        raise _Fault(f"offers {announced} bytes where {file.size} are expected")


def _reason(error: Exception, timeout: float) -> str:
    """An exception of pooch or requests, in words that a newcomer understands."""
    from requests import exceptions

    if isinstance(error, _Fault):
        return str(error)
    if isinstance(error, exceptions.HTTPError):
        answer: Any = error.response
        return f"answers {answer.status_code} {answer.reason}"
    if isinstance(error, exceptions.Timeout) or "timed out" in str(error):
        return f"gives no answer within {timeout:g} s"
    if isinstance(error, exceptions.SSLError):
        return "its certificate is not accepted"
    if isinstance(error, (exceptions.TooManyRedirects, exceptions.InvalidSchema)):
        return "redirects in a circle, or to what is no web address"
    if isinstance(error, exceptions.RequestException):
        cause = error.args[0] if error.args else error
        cause = getattr(cause, "reason", cause)
        words = {"NameResolutionError": "no such host, or no network"}
        words["NewConnectionError"] = "refuses the connection"
        return words.get(type(cause).__name__, "breaks the connection off")
    return "sends other bytes than those published (their SHA-256 differs)"
