"""What is said between us and a worker: a request, perhaps calls of ours in between, a reply.

Nothing that the worker says about itself is believed: a message is parsed within limits, and one
that does not belong to what was asked ends the process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnscratch.grading.sandbox.errors import (
    ForbiddenValue,
    ProtocolViolation,
    StudentError,
    TooMuch,
)
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


@dataclass(frozen=True)
class Handle:
    """An object that stays in the worker; ``name`` is what its class calls itself there."""

    kept: Kept
    name: str
    worker: int


class Channel:
    """Requests to one process, and the functions that its replies may call.

    Parameters
    ----------
    process : Process
    reply : int
        Array bytes of the largest reply.
    """

    def __init__(self, process: Process, reply: int) -> None:
        self._process, self._reply = process, reply
        self._number = 0
        self._largest = 0  # bytes of arrays of the largest message that was sent
        self._offered: list[Callable[..., Any]] = []

    def offer(self, function: Callable[..., Any]) -> Callback:
        """A function of ours that the process may call, as `Worker.offer` says."""
        self._offered.append(function)
        return Callback(len(self._offered) - 1)

    def ask(
        self,
        header: dict[str, Any],
        subject: Handle | None = None,
        value: Any = None,
        most: int | None = None,
    ) -> Any:
        """Send a request, and return the value of its reply.

        Parameters
        ----------
        header : dict
            What to do.
        subject : Handle, optional
            With what.
        value : object
            Arrays, numbers, strings, None, handles; tuples, lists and dicts of these.
        most : int, optional
            Array bytes that are received; by default some times what was sent.

        Raises
        ------
        WorkerError
            There is no value. A reply that does not belong to the request ends the process.
        """
        process = self._process
        if subject is not None:
            header["subject"] = self.outgoing(subject).number
        arrays: list[np.ndarray] = []
        header["value"] = pack(self.outgoing(value), arrays, _OURS)
        self._number += 1
        header["id"] = self._number
        process.send(message(header, arrays))
        self._largest = max(self._largest, sum(array.nbytes for array in arrays))
        usual = SPARE + TIMES * self._largest
        caps = Caps(size=min(self._reply, usual if most is None else most))
        try:
            while True:
                reply, contents = receive(process.read, caps)
                if "asks" not in reply:
                    return self._understand(header, reply, contents)
                self._answer(reply, contents)
        except TooLarge as error:
            process.fail(TooMuch(f"what came back is too large: {error}"))
        except Malformed as error:
            process.fail(ProtocolViolation(str(error)))

    def _answer(self, asked: dict[str, Any], arrays: list[np.ndarray]) -> None:
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
        self._process.send(message(answer, contents))

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

    def outgoing(self, value: Any) -> Any:
        """A value with bare references in place of handles."""
        if isinstance(value, Handle):
            if value.worker != id(self):
                raise ValueError(f"the handle of a {value.name} belongs to another worker")
            return value.kept
        if isinstance(value, tuple | list):
            return type(value)(self.outgoing(entry) for entry in value)
        if isinstance(value, dict):
            return {key: self.outgoing(entry) for key, entry in value.items()}
        return value


def equal(sent: Any, now: Any) -> bool:
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
