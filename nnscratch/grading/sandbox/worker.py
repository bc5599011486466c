"""The parent's handle on a worker: trusted code asks, a student's code computes.

What comes back is a value that was checked byte by byte, or an exception that says what happened
instead. Nothing that the worker says about itself is believed.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import numpy as np

from nnscratch.grading.sandbox.errors import (
    ForbiddenValue,
    ProtocolViolation,
    StudentError,
    TooMuch,
    WorkerError,
)
from nnscratch.grading.sandbox.limits import Limits
from nnscratch.grading.sandbox.process import Process
from nnscratch.grading.sandbox.protocol import message, receive
from nnscratch.grading.sandbox.values import (
    Callback,
    Caps,
    Kept,
    Malformed,
    TooLarge,
    Unsendable,
    pack,
    unpack,
)

_OURS = Caps(size=1 << 31)  # what we send ourselves may be large
# What comes back is hardly larger than what was sent: a batch of gradients that was not summed.
SPARE, TIMES = 4 << 20, 16
_RAISED = (TypeError, ValueError)  # what student code sees of an exception of ours
_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Handle:
    """An object that stays in the worker; ``name`` is what its class calls itself there."""

    kept: Kept
    name: str
    worker: int


class Worker:
    """A fresh process with a student's files, for one item. A context manager.

    Parameters
    ----------
    files : mapping of str to bytes
        Names without folders, and contents, to be written into the empty working folder. Modules
        among them can import each other, and are imported when first asked for.
    level : int, optional
        Sandbox level (see sandbox.py); by default the highest that holds here.
    limits : Limits, optional
        See there.

    Attributes
    ----------
    level : int
        The level reached.
    output : str
        What it wrote to stdout and stderr so far, capped. Pass it through ``escape`` to show it.
    wall_seconds, cpu_seconds : float
        What it took; after the block.

    Raises
    ------
    SandboxError
        On entering the block: a worker cannot be started; on leaving: something of it is left.
    ValueError
        A name of a file has a folder in it, or is one of Python's own modules.

    Notes
    -----
    Methods that let student code run raise a :class:`WorkerError`: its subclasses say whether it
    raised, died, took too long, or returned what may not pass. After those that ended the process
    every further call raises the same again.

    Examples
    --------
    >>> source = b"def double(x):\\n    return 2 * x"
    >>> with Worker({"layers.py": source}, level=0) as worker:
    ...     worker.function("layers", "double", np.array([1.0, 2.0]))
    array([2., 4.])
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        level: int | None = None,
        limits: Limits | None = None,
    ) -> None:
        for name in files:
            stem, _, extension = name.partition(".")
            if {"/", "\\", "\0"} & set(name) or name in ("", ".", ".."):
                raise ValueError(f"file {name!r}: expected a name without folders")
            if extension == "py" and stem in {*sys.stdlib_module_names, "numpy", "nnscratch"}:
                raise ValueError(f"file {name!r}: Python has a module of that name")
        self.limits = limits or Limits()
        self._files = dict(files)
        self._level = level
        self._process: Process | None = None
        self._modules: dict[str, Handle] = {}
        self._sent: Any = ((), {})
        self._number = 0
        self._largest = 0  # bytes of arrays of the largest message that was sent
        self._offered: list[Callable[..., Any]] = []

    def __enter__(self) -> Self:
        self._process = Process(self._level, self.limits)
        self.level = self._process.level
        with suppress(WorkerError):  # every later call will raise it
            for name, content in self._files.items():
                head = {"do": "file", "name": name, "size": len(content)}
                self._process.send([*message(head, []), content])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._started().end()

    def _started(self) -> Process:
        if self._process is None:
            raise RuntimeError("the worker is not running; ask inside its with block")
        return self._process

    @property
    def output(self) -> str:
        return self._started().output.decode(errors="replace")

    @property
    def wall_seconds(self) -> float:
        return self._started().wall

    @property
    def cpu_seconds(self) -> float:
        return self._started().cpu

    # -- what trusted code asks -----------------------------------------------------------------

    def module(self, name: str) -> Handle:
        """Import a module of the files; importing it again gives the same."""
        if name not in self._modules:
            if not _MODULE.fullmatch(name):
                raise ValueError(f"module {name!r}: expected the name of a file without .py")
            self._modules[name] = self._ask({"do": "module", "name": name, "keep": True})
        return self._modules[name]

    def call(
        self,
        subject: Handle,
        name: str,
        /,
        *arguments: Any,
        keep: bool = False,
        forwards: int = 0,
        most: int | None = None,
        **keywords: Any,
    ) -> Any:
        """Call a method; with ``keep`` the result stays in the worker and a handle is returned.

        Parameters
        ----------
        subject : Handle
            Of an object, a module or a class.
        name : str
            Of the method, dotted or not; "" calls the subject itself.
        *arguments, **keywords
            Arrays, numbers, strings, None, handles; tuples, lists and dicts of these.
        keep : bool
            For results that cannot travel.
        forwards : int, optional
            How often the call may run methods named `forward` of the student's files; 0 is
            any number of times.
        most : int, optional
            Array bytes that are received; what announces more is too large. By default some
            times what was sent.
        """
        self._sent = (arguments, keywords)
        order = {"do": "call", "name": name, "keep": keep, "forwards": forwards}
        return self._ask(order, subject, self._sent, most)

    def value(self, subject: Handle, most: int | None = None) -> Any:
        """Return an object that was kept, as it is now."""
        return self._ask({"do": "value"}, subject, most=most)

    def offer(self, function: Callable[..., Any]) -> Callback:
        """A function of ours that student code may call: it runs here, on what it is sent.

        An exception that it raises is raised in the worker too.
        """
        self._offered.append(function)
        return Callback(len(self._offered) - 1)

    def new(self, module: str, name: str, /, *arguments: Any, **keywords: Any) -> Handle:
        """Make an object of a class."""
        made: Handle = self.call(self.module(module), name, *arguments, keep=True, **keywords)
        return made

    def function(self, module: str, name: str, /, *arguments: Any, **keywords: Any) -> Any:
        """Call a function of a module."""
        return self.call(self.module(module), name, *arguments, **keywords)

    def get(self, subject: Handle, name: str, keep: bool = False, most: int | None = None) -> Any:
        """Read an attribute, dotted or not."""
        return self._ask({"do": "get", "name": name, "keep": keep}, subject, most=most)

    def set(self, subject: Handle, name: str, value: Any) -> None:
        """Write an attribute."""
        self._ask({"do": "set", "name": name}, subject, value)

    def delete(self, subject: Handle, name: str) -> None:
        """Delete an attribute."""
        self._ask({"do": "delete", "name": name}, subject)

    def item(self, subject: Handle, key: Any, keep: bool = False) -> Any:
        """Return ``subject[key]``."""
        return self._ask({"do": "item", "keep": keep}, subject, key)

    def inputs(self) -> tuple[Any, ...]:
        """Return the positional arguments of the last call as they are in the worker now.

        Handles come back as bare references.
        """
        return self._inputs()[0]

    def changed_inputs(self) -> tuple[int | str, ...]:
        """Return positions and names of the arguments whose arrays the last call wrote to."""
        arguments, keywords = self._inputs()
        now: dict[int | str, Any] = dict(enumerate(arguments))
        now.update(keywords)
        sent: dict[int | str, Any] = dict(enumerate(self._sent[0]))
        sent.update(self._sent[1])
        return tuple(key for key in sent if not _equal(self._outgoing(sent[key]), now.get(key)))

    def _inputs(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        now = self._ask({"do": "inputs"})
        if not (
            isinstance(now, tuple)
            and len(now) == 2
            and isinstance(now[0], tuple)
            and isinstance(now[1], dict)
        ):
            self._started().fail(ProtocolViolation("inputs that are none"))
        return now

    # -- messages -------------------------------------------------------------------------------

    def _ask(
        self,
        header: dict[str, Any],
        subject: Handle | None = None,
        value: Any = None,
        most: int | None = None,
    ) -> Any:
        process = self._started()
        if subject is not None:
            header["subject"] = self._outgoing(subject).number
        arrays: list[np.ndarray] = []
        header["value"] = pack(self._outgoing(value), arrays, _OURS)
        self._number += 1
        header["id"] = self._number
        process.send(message(header, arrays))
        self._largest = max(self._largest, sum(array.nbytes for array in arrays))
        usual = SPARE + TIMES * self._largest
        caps = Caps(size=min(self.limits.reply, usual if most is None else most))
        try:
            while True:
                reply, contents = receive(process.read, caps)
                if "asks" not in reply:
                    return self._understand(header, reply, contents)
                self._answer(process, reply, contents)
        except TooLarge as error:
            process.fail(TooMuch(f"what came back is too large: {error}"))
        except Malformed as error:
            process.fail(ProtocolViolation(str(error)))

    def _answer(self, process: Process, asked: dict[str, Any], arrays: list[np.ndarray]) -> None:
        """Run the function that student code asks for, and send what it returns or raises."""
        number = asked["asks"]
        if type(number) is not int or not 0 <= number < len(self._offered):
            raise Malformed(f"a call of function {number!r:.20}, which was not offered")
        value = unpack(asked.get("value"), arrays)
        if not (
            isinstance(value, list)
            and len(value) == 2
            and isinstance(value[0], list)
            and isinstance(value[1], dict)
            and all(isinstance(key, str) for key in value[1])
        ):
            raise Malformed("a call without arguments")
        contents: list[np.ndarray] = []
        try:
            with np.errstate(all="ignore"):
                result = self._offered[number](*value[0], **value[1])
            answer = {"value": pack(result, contents, _OURS)}
        except Exception as error:  # whatever it was given: the student's arguments are no fault
            kind = next((k.__name__ for k in _RAISED if isinstance(error, k)), "RuntimeError")
            answer = {"raised": [kind, str(error)[:2000]]}
        process.send(message(answer, contents))

    def _understand(
        self, header: dict[str, Any], reply: dict[str, Any], arrays: list[np.ndarray]
    ) -> Any:
        """Return the value of a reply, or raise what it tells of."""
        if type(reply.get("id")) is not int or reply["id"] != self._number:
            raise Malformed(f"a reply to request {reply.get('id')!r:.20}, not {self._number}")
        if "raised" in reply:
            described = reply["raised"]
            if not isinstance(described, dict):
                raise Malformed("an exception without description")
            parts = [described.get(part) for part in ("exception", "message", "traceback")]
            texts = [part for part in parts if isinstance(part, str)]
            if len(texts) != len(parts):
                raise Malformed("an exception without description")
            raise StudentError(*texts)
        if "forbidden" in reply:
            raise ForbiddenValue(str(reply["forbidden"]))
        if header.get("keep"):
            number, name = reply.get("kept"), reply.get("class")
            if type(number) is not int or not isinstance(name, str):
                raise Malformed("a kept object without number")
            return Handle(Kept(number), name[:80], id(self))
        if "value" not in reply:
            raise Malformed("a reply without value")
        return unpack(reply["value"], arrays, references=header["do"] == "inputs")

    def _outgoing(self, value: Any) -> Any:
        if isinstance(value, Handle):
            if value.worker != id(self):
                raise ValueError(f"the handle of a {value.name} belongs to another worker")
            return value.kept
        if isinstance(value, tuple | list):
            return type(value)(self._outgoing(entry) for entry in value)
        if isinstance(value, dict):
            return {key: self._outgoing(entry) for key, entry in value.items()}
        return value


def _equal(sent: Any, now: Any) -> bool:
    """Whether two values have the same structure and the same bits."""
    both: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    try:
        if pack(sent, both[0], _OURS) != pack(now, both[1], _OURS):
            return False
    except Unsendable:  # what is there now never was sent
        return False
    return len(both[0]) == len(both[1]) and all(
        a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        for a, b in zip(*both, strict=True)
    )
