"""The parent's handle on a worker: trusted code asks, a student's code computes.

What comes back is a value that was checked byte by byte, or an exception that says what happened
instead.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from nnscratch.grading.sandbox.channel import Channel, Handle, equal
from nnscratch.grading.sandbox.errors import ProtocolViolation, WorkerError
from nnscratch.grading.sandbox.limits import Limits
from nnscratch.grading.sandbox.process import Process
from nnscratch.grading.sandbox.protocol import message
from nnscratch.grading.sandbox.values import Callback

_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


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
    >>> import numpy as np
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
        self._channel: Channel | None = None
        self._modules: dict[str, Handle] = {}
        self._sent: Any = ((), {})

    def __enter__(self) -> Self:
        self._process = Process(self._level, self.limits)
        self._channel = Channel(self._process, self.limits.reply)
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

    def _talk(self) -> Channel:
        self._started()
        assert self._channel is not None  # made with the process
        return self._channel

    @property
    def output(self) -> str:
        return self._started().output.decode(errors="replace")

    @property
    def wall_seconds(self) -> float:
        return self._started().wall

    @property
    def cpu_seconds(self) -> float:
        return self._started().cpu

    def module(self, name: str) -> Handle:
        """Import a module of the files; importing it again gives the same."""
        if name not in self._modules:
            if not _MODULE.fullmatch(name):
                raise ValueError(f"module {name!r}: expected the name of a file without .py")
            self._modules[name] = self._talk().ask({"do": "module", "name": name, "keep": True})
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
        return self._talk().ask(order, subject, self._sent, most)

    def value(self, subject: Handle, most: int | None = None) -> Any:
        """Return an object that was kept, as it is now."""
        return self._talk().ask({"do": "value"}, subject, most=most)

    def offer(self, function: Callable[..., Any]) -> Callback:
        """A function of ours that student code may call: it runs here, on what it is sent.

        An exception that it raises is raised in the worker too.
        """
        return self._talk().offer(function)

    def new(self, module: str, name: str, /, *arguments: Any, **keywords: Any) -> Handle:
        """Make an object of a class."""
        made: Handle = self.call(self.module(module), name, *arguments, keep=True, **keywords)
        return made

    def function(self, module: str, name: str, /, *arguments: Any, **keywords: Any) -> Any:
        """Call a function of a module."""
        return self.call(self.module(module), name, *arguments, **keywords)

    def get(self, subject: Handle, name: str, keep: bool = False, most: int | None = None) -> Any:
        """Read an attribute, dotted or not."""
        return self._talk().ask({"do": "get", "name": name, "keep": keep}, subject, most=most)

    def set(self, subject: Handle, name: str, value: Any) -> None:
        """Write an attribute."""
        self._talk().ask({"do": "set", "name": name}, subject, value)

    def delete(self, subject: Handle, name: str) -> None:
        """Delete an attribute."""
        self._talk().ask({"do": "delete", "name": name}, subject)

    def item(self, subject: Handle, key: Any, keep: bool = False) -> Any:
        """Return ``subject[key]``."""
        return self._talk().ask({"do": "item", "keep": keep}, subject, key)

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
        outgoing = self._talk().outgoing
        sent: dict[int | str, Any] = dict(enumerate(self._sent[0]))
        sent.update(self._sent[1])
        return tuple(key for key in sent if not equal(outgoing(sent[key]), now.get(key)))

    def _inputs(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        now = self._talk().ask({"do": "inputs"})
        if not (
            isinstance(now, tuple)
            and len(now) == 2
            and isinstance(now[0], tuple)
            and isinstance(now[1], dict)
        ):
            self._started().fail(ProtocolViolation("inputs that are none"))
        return now
