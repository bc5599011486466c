"""An object of the student's, which stays in the worker: its methods and attributes from here.

Nothing here trusts what comes back: it is arrays, numbers and strings, copied out of another
process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.grading.faults import Fault, fault_of
from nnscratch.grading.sandbox.errors import StudentError, WorkerError
from nnscratch.grading.sandbox.values import Callback, Proxy, Raw

if TYPE_CHECKING:
    from nnscratch.grading.student import Student


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
        self.student.do(lambda w: w.set(self.handle, name, _handles(value)))

    def item(self, key: Any, keep: bool = False) -> Any:
        """An entry of a dict or list."""
        got = self.student.do(lambda w: w.item(self.handle, key, keep=keep))
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
        for which in self.student.do(lambda w: w.changed_inputs()):
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
