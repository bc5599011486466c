"""The trusted code inside a worker: does what the parent asks with the student's code.

It runs in the same process as the student's code, which can change anything here. So nothing
depends on its honesty: the parent checks every message, and compares values itself.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import random
import socket
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from nnscratch.grading.sandbox.callbacks import Asking, Exchange, counted, proxy
from nnscratch.grading.sandbox.preload import preload
from nnscratch.grading.sandbox.protocol import message, receive
from nnscratch.grading.sandbox.values import (
    Callback,
    Caps,
    Kept,
    Proxy,
    Raw,
    Unsendable,
    pack,
    unpack,
)

LONGEST_TEXT = 4000
REQUESTS = Caps(size=1 << 31)  # the parent is trusted; its data files may be large


def serve(connection: socket.socket, level: int, reply_size: int) -> NoReturn:
    """Say that the worker is ready, answer requests, and end when the parent closes the connection.

    Parameters
    ----------
    connection : socket.socket
        To the parent.
    level : int
        The sandbox level that was reached.
    reply_size : int
        The most array bytes that a reply may hold.

    Notes
    -----
    The working folder is the current one, empty. Only after this process gave up all its rights is
    this function called, and only here does student code arrive.
    """
    # A draw without a seed is the same each time, and so is the grade.
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    sys.path.insert(0, str(Path.cwd()))
    # New ones: those of the start-up process were made for other files.
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = open(number, "w", 1, errors="backslashreplace", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)

    def exchange(pieces: list[bytes | memoryview]) -> tuple[dict[str, Any], list[Any]]:
        for piece in pieces:
            connection.sendall(piece)
        return receive(lambda buffer: _read(connection, buffer), REQUESTS)

    server = _Server(Caps(size=reply_size), exchange)
    pieces = message({"ready": level}, [])
    while True:
        header, arrays = exchange(pieces)
        pieces = []
        if header["do"] == "file":
            content = bytearray(header["size"])
            _read(connection, memoryview(content))
            Path(header["name"]).write_bytes(content)
        else:
            pieces = server.answer(header, arrays)


def plain() -> None:
    """Serve at level 0; ``sys.argv[1:]`` is NumPy's folder, a socket, a limit (see launch.py)."""
    packages, descriptor, reply_size = sys.argv[1], *map(int, sys.argv[2:4])
    if sys.platform == "win32":
        connection = socket.fromshare(sys.stdin.buffer.read())
    else:
        connection = socket.socket(fileno=descriptor)
    preload(packages, "")
    serve(connection, 0, reply_size)


def _read(connection: socket.socket, buffer: memoryview) -> None:
    while buffer:
        count = connection.recv_into(buffer)
        if count == 0:
            os._exit(0)  # the parent has gone
        buffer = buffer[count:]


class _Server:
    def __init__(self, caps: Caps, exchange: Exchange) -> None:
        self._caps = caps
        self._exchange = exchange
        self._objects: list[Any] = []
        self._inputs: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})

    def answer(self, header: dict[str, Any], arrays: list[Any]) -> list[bytes | memoryview]:
        try:
            result = self._do(header, unpack(header.get("value"), arrays, references=True))
            reply, contents = self._reply(result, header.get("keep", False))
            pieces = message({"id": header["id"], **reply}, contents)
        except Unsendable as error:
            pieces = message({"id": header["id"], "forbidden": str(error)}, [])
        except BaseException as error:  # SystemExit and KeyboardInterrupt are no way out either
            pieces = message({"id": header["id"], "raised": _describe(error)}, [])
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):  # student code may have closed or replaced it
                stream.flush()
        return pieces

    def _reply(self, result: Any, keep: bool) -> tuple[dict[str, Any], list[Any]]:
        if keep:
            self._objects.append(result)
            number = len(self._objects) - 1
            return {"kept": number, "class": str(type(result).__name__)[:80]}, []
        contents: list[Any] = []
        return {"value": pack(result, contents, self._caps, "the value returned")}, contents

    def _do(self, header: dict[str, Any], value: Any) -> Any:
        if header["do"] == "module":
            return importlib.import_module(header["name"])
        if header["do"] == "inputs":
            return self._inputs
        subject = self._objects[header["subject"]]
        if header["do"] == "item":
            return subject[self._resolve(value)]
        if header["do"] == "value":
            return subject
        *path, name = header["name"].split(".")
        for part in path:
            subject = getattr(subject, part)
        if header["do"] == "get":
            return getattr(subject, name)
        if header["do"] == "set":
            return setattr(subject, name, self._resolve(value))
        if header["do"] == "delete":
            return delattr(subject, name)
        self._inputs = value
        arguments, keywords = self._resolve(value)
        function = getattr(subject, name) if name else subject
        with counted(header.get("forwards", 0), sys.path[0]):
            return function(*arguments, **keywords)

    def _resolve(self, value: Any) -> Any:
        """Put the objects themselves where the parent wrote their numbers."""
        if isinstance(value, Kept):
            return self._objects[value.number]
        if isinstance(value, Callback):
            return Asking(value.number, self._caps, self._exchange)
        if isinstance(value, Proxy):
            return proxy(value, lambda number: Asking(number, self._caps, self._exchange))
        if isinstance(value, Raw):
            return value.content
        if isinstance(value, tuple | list):
            return type(value)(self._resolve(entry) for entry in value)
        if isinstance(value, dict):
            return {key: self._resolve(entry) for key, entry in value.items()}
        return value


def _describe(error: BaseException) -> dict[str, str]:
    folder = sys.path[0] + os.sep
    frames = [
        traceback.FrameSummary(
            frame.filename[len(folder) :], frame.lineno, frame.name, line=frame.line
        )
        for frame in traceback.extract_tb(error.__traceback__, limit=-200)
        if frame.filename.startswith(folder)
    ]
    lines = traceback.format_list(frames)
    try:
        text = str(error)
        lines += traceback.format_exception_only(error)
    except BaseException:
        text = "(its text cannot be printed)"
    return {
        "exception": _capped(str(type(error).__name__)),
        "message": _capped(text),
        "traceback": _capped("".join(lines).replace(folder, "")),
    }


def _capped(text: str) -> str:
    half = LONGEST_TEXT // 2
    return text if len(text) <= LONGEST_TEXT else f"{text[:half]}\n ... \n{text[-half:]}"
