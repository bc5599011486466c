"""What an item sees of a student: their classes and functions, behind the worker.

Nothing here trusts what comes back: it is arrays, numbers and strings, copied out of another
process. What goes wrong on the way is a `Fault`, which has a diagnosis as a wrong number has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.grading.given import GivenLayers, given_function
from nnscratch.grading.sandbox.errors import (
    ForbiddenValue,
    LimitExceeded,
    ProtocolViolation,
    StudentError,
    TimedOut,
    TooMuch,
    WorkerDied,
    WorkerError,
)
from nnscratch.grading.sandbox.values import Callback, Proxy, Raw

if TYPE_CHECKING:
    from nnscratch.grading.sandbox.worker import Worker


class Fault(Exception):
    """The student's code gave no value: why, as a code of `diagnose` and in words.

    `loading` is true where the file itself could not be loaded, `stalled` where nothing came for
    the whole wall time, though the CPU time was not used up.
    """

    def __init__(
        self, code: str, message: str, loading: bool = False, stalled: bool = False
    ) -> None:
        super().__init__(message)
        self.code, self.loading, self.stalled = code, loading, stalled


CODES: Mapping[type[WorkerError], str] = {
    ForbiddenValue: "type",
    LimitExceeded: "limit",
    ProtocolViolation: "protocol",
    TimedOut: "timeout",
    TooMuch: "too_large",
    WorkerDied: "crashed",
}


def fault_of(error: WorkerError) -> Fault:
    """What the worker says, as a diagnosis."""
    if isinstance(error, StudentError):
        if error.not_implemented:
            return Fault("not_implemented", "not implemented yet")
        if error.exception == "TooManyForwards":
            return Fault("numeric_derivative", error.message)
        lines = [str(error), *_frames(error.traceback)]
        if error.exception == "ModuleNotFoundError":
            lines.append(
                "NumPy and Python's own modules are there, and the files of the task alone"
            )
        return Fault("exception", "\n".join(lines))
    stalled = isinstance(error, TimedOut) and error.limit == "wall"
    return Fault(CODES.get(type(error), "exception"), str(error), stalled=stalled)


def _frames(traceback: str) -> list[str]:
    """The lines of a traceback that say where, without its first and last."""
    return [line for line in traceback.splitlines() if line.startswith(" ")][-4:]


class Student:
    """The student's code in one worker.

    Parameters
    ----------
    worker : Worker
    modules : mapping of str to str
        Which module a name is defined in.
    files : collection of str
        The names of the files that were handed in.

    Attributes
    ----------
    written : list of tuple of str
        (code, what) for every argument that the student's code wrote to.
    made : dict of str to GivenLayers
        What was given in place of the student's own layers.
    asked : set of str
        The names of their file that were looked at.
    """

    def __init__(
        self,
        worker: Worker,
        modules: Mapping[str, str],
        files: Any = (),
    ) -> None:
        self.worker = worker
        self._modules = modules
        self._files = set(files)
        self.written: list[tuple[str, str]] = []
        self.made: dict[str, GivenLayers] = {}
        self.asked: set[str] = set()

    def new(self, name: str, *args: Any, **kwargs: Any) -> Remote:
        """An object of the student's class."""
        made: Remote = self.named(name).call("", *args, keep=True, **kwargs)
        made.name = name
        return made

    def function(self, name: str, *args: Any, **options: Any) -> Any:
        """What the student's function returns; options as in `Remote.call`."""
        return self.named(name).call("", *args, **options)

    def named(self, name: str) -> Remote:
        """The student's class or function itself, to be called often: by `.call("", ...)`."""
        return Remote(self, self._find(name), name)

    def beside(self, module: str, name: str) -> Remote:
        """A function of a file that lies beside the student's, as `Check.beside` says."""
        source = self._do(lambda w: w.module(module))
        return Remote(self, self._do(lambda w: w.get(source, name, keep=True)), name)

    def callback(self, function: Callable[..., Any]) -> Callback:
        """A function of ours as an argument: the student's code can call it, and no more."""
        return self.worker.offer(function)

    def content(self, of_file: bytes) -> Raw:
        """Bytes as an argument, such as those of a file; at most half a million."""
        return Raw(of_file)

    def operator(self, **methods: Callable[..., Any]) -> Proxy:
        """An object with methods of ours as an argument."""
        return Proxy({name: self.worker.offer(m).number for name, m in methods.items()})

    def give(self, given: Mapping[str, Any]) -> dict[str, GivenLayers]:
        """Let these names of the student's file mean what the library has: earlier items are done.

        Parameters
        ----------
        given : mapping of str to layer class, function or text
            As in `Check`.

        Returns
        -------
        layers : dict of str to GivenLayers
            Those that were made, for each class.
        """
        layers = {}
        for name, meaning in given.items():
            stand_in: Any
            if isinstance(meaning, type):
                layers[name] = GivenLayers(meaning)
                stand_in = Proxy(
                    {
                        method: self.worker.offer(getattr(layers[name], method)).number
                        for method in GivenLayers.METHODS
                    },
                    name,
                )
            elif isinstance(meaning, str):
                source = self._do(lambda w, n=name: w.module(f"given_{n}"))
                stand_in = self._do(lambda w, m=source, n=name: w.get(m, n, keep=True))
            else:
                stand_in = self.worker.offer(given_function(name, meaning))
            module = self._module(name)
            self._do(lambda w, m=module, n=name, s=stand_in: w.set(m, n, s))
        return layers

    def stand_ins(self, *descriptions: tuple[Any, ...]) -> list[Remote]:
        """New layers that are given, each described by its name and arguments."""
        return [self.new(name, *arguments) for name, *arguments in descriptions]

    def _find(self, name: str) -> Any:
        self.asked.add(name)
        module = self._module(name)
        try:
            return self._do(lambda w: w.get(module, name, keep=True))
        except Fault as fault:
            if fault.code == "exception" and "AttributeError" in str(fault):
                file = self._modules.get(name, "?")
                raise Fault("missing", f"there is no {name} in {file}.py") from None
            raise

    def _module(self, name: str) -> Any:
        if name not in self._modules:
            raise LookupError(f"no file of the starter defines {name}")
        module = self._modules[name]
        if f"{module}.py" not in self._files:
            raise Fault("missing", f"{module}.py was not handed in")
        try:
            return self.worker.module(module)
        except WorkerError as error:
            fault = fault_of(error)
            fault.loading = True
            raise fault from None

    def _do(self, action: Any) -> Any:
        try:
            return action(self.worker)
        except WorkerError as error:
            raise fault_of(error) from None


class Remote:
    """An object in the worker: its methods and attributes by name.

    Parameters
    ----------
    student : Student
    handle : Handle
        The worker's.
    name : str
        What to call it in messages.
    """

    def __init__(self, student: Student, handle: Any, name: str) -> None:
        self.student, self.handle, self.name = student, handle, name

    def call(
        self,
        method: str,
        *args: Any,
        keep: bool = False,
        writes: bool = False,
        unpack: int | None = None,
        forwards: int = 0,
        most: int | None = None,
        **kwargs: Any,
    ) -> Any:
        """What a method returns; "" calls the object itself.

        Parameters
        ----------
        method : str
        *args, **kwargs : arrays, numbers, strings, Remotes, and lists, tuples, dicts of them
        keep : bool
            Leave the result in the worker and return a Remote.
        writes : bool
            The method may write to its arguments.
        unpack : int, optional
            A tuple or list of so many is expected; another is the student's fault.
        forwards, most : int, optional
            As in `Worker.call`.
        """
        worker = self.student.worker
        sent = [_handles(a) for a in args]
        named = {key: _handles(value) for key, value in kwargs.items()}
        try:
            got = worker.call(
                self.handle, method, *sent, keep=keep, forwards=forwards, most=most, **named
            )
        except WorkerError as error:
            raise self._called(error, method, args, kwargs) from None
        if not writes and (args or kwargs):
            self._note_written(method)
        if keep:
            return Remote(self.student, got, f"{self.name}.{method}")
        if unpack is not None and not (isinstance(got, (tuple, list)) and len(got) == unpack):
            code = "none" if got is None else "type"
            raise Fault(
                code, f"{self._title(method)} returned {_kind(got)}, expected {unpack} values"
            )
        return got

    def value(self, most: int | None = None) -> Any:
        """What a kept object is now."""
        try:
            return self.student.worker.value(self.handle, most)
        except WorkerError as error:
            raise fault_of(error) from None

    def get(self, name: str, keep: bool = False, most: int | None = None) -> Any:
        """An attribute; dotted names are followed."""
        try:
            got = self.student.worker.get(self.handle, name, keep=keep, most=most)
        except WorkerError as error:
            raise self._absent(error, name) from None
        return Remote(self.student, got, f"{self.name}.{name}") if keep else got

    def set(self, name: str, value: Any) -> None:
        """Write an attribute."""
        self.student._do(lambda w: w.set(self.handle, name, _handles(value)))

    def item(self, key: Any, keep: bool = False) -> Any:
        """An entry of a dict or list."""
        got = self.student._do(lambda w: w.item(self.handle, key, keep=keep))
        return Remote(self.student, got, f"{self.name}[{key!r}]") if keep else got

    def _title(self, method: str) -> str:
        return f"{self.name}.{method}" if method else self.name

    def _called(self, error: WorkerError, method: str, args: Any, kwargs: Any) -> Fault:
        """The fault with what was called, which an error about shapes does not say."""
        fault = self._absent(error, method)
        if fault.code != "exception":
            return fault
        shown = [_shape(a) for a in args] + [f"{k}={_shape(v)}" for k, v in kwargs.items()]
        call = f"{self._title(method)}({', '.join(shown)})"
        return Fault(fault.code, f"{fault}\nin {call}")

    def _absent(self, error: WorkerError, name: str) -> Fault:
        last = name.rpartition(".")[2]
        # With lines of the student's in its traceback it is their code that looked for the name.
        ours = isinstance(error, StudentError) and "File " not in error.traceback
        if name and ours and f"no attribute '{last}'" in str(error):
            return Fault("missing", f"{self.name} has no {name}")
        return fault_of(error)

    def _note_written(self, method: str) -> None:
        for which in self.student._do(lambda w: w.changed_inputs()):
            dy = method == "backward" and which == 0
            argument = which if isinstance(which, str) else f"argument {which + 1}"
            what = f"{argument} of {self._title(method)}"
            self.student.written.append(("mutated_dy" if dy else "mutated_input", what))


def entry(grads: Any, key: str, name: str = "grads") -> Any:
    """`grads[key]`, where it is the student's fault if there is no such entry."""
    if not isinstance(grads, dict):
        raise Fault("none" if grads is None else "type", f"{name} is {_kind(grads)}, not a dict")
    if key not in grads:
        raise Fault("missing", f"there is no {name}[{key!r}]")
    return grads[key]


def _handles(value: Any) -> Any:
    if isinstance(value, Remote):
        return value.handle
    if isinstance(value, (list, tuple)):
        return type(value)(_handles(v) for v in value)
    if isinstance(value, dict):
        return {key: _handles(v) for key, v in value.items()}
    return value


def _shape(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}" if value.ndim else f"array {value}"
    if isinstance(value, Remote):
        return value.name
    if isinstance(value, Proxy):
        return f"an object with {', '.join(value.methods) or 'nothing'}"
    if isinstance(value, Raw):
        return f"{len(value.content)} bytes"
    if isinstance(value, Callback):
        return "a function"
    text = repr(value)
    return text if len(text) <= 40 else _kind(value)


def _kind(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of {len(value)}"
    return "None" if value is None else f"a {type(value).__name__}"
