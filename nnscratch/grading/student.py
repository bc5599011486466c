"""What an item sees of a student: their classes and functions, behind the worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nnscratch.grading.faults import Fault, fault_of
from nnscratch.grading.given import GivenLayers, given_function
from nnscratch.grading.remote import Remote, entry
from nnscratch.grading.sandbox.errors import WorkerError
from nnscratch.grading.sandbox.values import Callback, Proxy, Raw

if TYPE_CHECKING:
    from nnscratch.grading.sandbox.worker import Worker

__all__ = ["Fault", "Remote", "Student", "entry", "fault_of"]  # what an assignment's items import


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
        source = self.do(lambda w: w.module(module))
        return Remote(self, self.do(lambda w: w.get(source, name, keep=True)), name)

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
                source = self.do(lambda w, n=name: w.module(f"given_{n}"))
                stand_in = self.do(lambda w, m=source, n=name: w.get(m, n, keep=True))
            else:
                stand_in = self.worker.offer(given_function(name, meaning))
            module = self._module(name)
            self.do(lambda w, m=module, n=name, s=stand_in: w.set(m, n, s))
        return layers

    def stand_ins(self, *descriptions: tuple[Any, ...]) -> list[Remote]:
        """New layers that are given, each described by its name and arguments."""
        return [self.new(name, *arguments) for name, *arguments in descriptions]

    def _find(self, name: str) -> Any:
        self.asked.add(name)
        module = self._module(name)
        try:
            return self.do(lambda w: w.get(module, name, keep=True))
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

    def do(self, action: Callable[..., Any]) -> Any:
        """What an action on the worker returns; a `Fault` where it fails."""
        try:
            return action(self.worker)
        except WorkerError as error:
            raise fault_of(error) from None
