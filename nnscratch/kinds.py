"""Arguments of another kind than the signature says, refused by name before they are used.

    nn.Linear("784", 100)    Linear expected in_features as a whole number, received '784'

The annotations of a signature say what an argument is; those that are known here are looked at
when an object is made or a function is called, in this one place instead of in each. What values
of the right kind are allowed is for the class or the function to say. Nothing of it runs in a
training step.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Mapping
from functools import cache, wraps
from operator import index
from typing import Any, NamedTuple, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])
SHOWN = 40  # characters of what was received


class WrongKindError(ValueError, TypeError):
    """An argument is of another kind than the signature says."""


class NotNumbersError(ValueError):
    """What came is no array of real numbers; who knows the place says it in front."""


class Kind(NamedTuple):
    """What an annotation means."""

    words: str  # "a whole number", as messages say it
    fits: Callable[[Any], bool]


def _whole(value: Any) -> bool:
    if isinstance(value, (bool, np.bool_)):
        return False
    try:
        index(value)
    except TypeError:
        return False
    return True


def _number(value: Any) -> bool:
    """A real number, also as an array without axes; not NaN."""
    if isinstance(value, (bool, np.bool_, str, bytes)) or masked(value):
        return False
    try:
        array = np.asarray(value)
    except ValueError:
        return False
    return array.ndim == 0 and array.dtype.kind in "fiu" and not np.isnan(array)


def _several(one: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Whether something that can be walked through again and again holds nothing else."""

    def fits(value: Any) -> bool:
        if isinstance(value, np.ndarray):
            return value.ndim == 1 and all(map(one, value.tolist()))
        return isinstance(value, (list, tuple, range)) and all(map(one, value))

    return fits


def _whole_or_several(value: Any) -> bool:
    return _whole(value) or _several(_whole)(value)


def _generator(value: Any) -> bool:
    if isinstance(value, (bool, np.bool_, float)):
        return False
    try:
        np.random.default_rng(value)
    except (TypeError, ValueError):
        return False
    return True


def _a(*names: str) -> Callable[[Any], bool]:
    """An object of one of the classes with these names: they are above this module."""
    return lambda value: any(of.__name__ in names for of in type(value).__mro__)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _path(value: Any) -> bool:
    return isinstance(value, (str, os.PathLike))


KINDS = {
    "int": Kind("a whole number", _whole),
    "float": Kind("a number", _number),
    "bool": Kind("True or False", lambda v: isinstance(v, (bool, np.bool_, int)) and v in (0, 1)),
    "str": Kind("text", _text),
    "None": Kind("None", lambda value: value is None),
    "Sequence[int]": Kind("a sequence of whole numbers", _several(_whole)),
    "Mapping[str, Any]": Kind("a mapping of names", lambda value: isinstance(value, Mapping)),
    "Runs": Kind("a mapping of names to runs", lambda value: isinstance(value, Mapping)),
    "Sequence[float | None]": Kind(
        "a sequence of numbers", _several(lambda one: one is None or _number(one))
    ),
    "tuple[int, ...]": Kind("a sequence of whole numbers", _several(_whole)),
    "Sequence[str]": Kind("a sequence of texts", _several(_text)),
    "tuple[str, ...]": Kind("a sequence of texts", _several(_text)),
    "Axis": Kind("a whole number, several or None", lambda v: v is None or _whole_or_several(v)),
    "Padding": Kind(
        "a whole number, one or two for each axis, or a word",
        lambda value: isinstance(value, (str, list, tuple)) or _whole(value),
    ),
    "Widths": Kind(
        "a whole number, or one or two for each axis of space",
        lambda value: isinstance(value, (list, tuple)) or _whole(value),
    ),
    "Path": Kind("a path", _path),
    "os.PathLike[str]": Kind("a path", _path),
    "np.random.Generator": Kind("a seed or a NumPy generator", _generator),
    "Layer": Kind("a layer", _a("Layer")),
    "Model": Kind("a layer", _a("Layer")),
    "Loss": Kind("a loss", _a("Loss")),
    "Optimizer": Kind("an optimizer", _a("Optimizer")),
    "Schedule": Kind("a schedule", _a("Schedule")),
    "Graph": Kind("a graph", _a("Graph")),
    "Input": Kind("an Input", _a("Input")),
    "Node": Kind("a node", _a("Node")),
    "Sequence[Input]": Kind("a list of Inputs", _several(_a("Input"))),
    "Sequence[Node]": Kind("a list of nodes", _several(_a("Node"))),
    "Names": Kind("a mapping of names", lambda value: isinstance(value, Mapping)),
    "type[Layer]": Kind("the class of a layer", lambda v: isinstance(v, type) and _a_class(v)),
    "Callable": Kind("a function", callable),
    "Initializer": Kind("a function (shape, rng) -> array", callable),
    "Groups": Kind("a dict of patterns to dicts", lambda value: isinstance(value, Mapping)),
    "Mapping[str, np.ndarray]": Kind("a mapping of arrays", lambda v: isinstance(v, Mapping)),
    "Iterable[type[Layer]]": Kind(
        "a sequence of classes of layers",
        _several(lambda v: isinstance(v, type) and _a_class(v)),
    ),
}
PER_AXIS = ("int | Sequence[int]", "int | Sequence[int] | None")
SEEDS = "int | np.random.Generator | None"  # of which an int alone is a seed


def _a_class(value: type) -> bool:
    return any(of.__name__ == "Layer" for of in value.__mro__)


def check_kinds(
    function: Callable[..., Any],
    name: str,
    arguments: tuple[Any, ...],
    keywords: Mapping[str, Any],
) -> None:
    """Raise the error of the first argument that is of another kind than its annotation says.

    Examples
    --------
    >>> def fit(epochs: int, rate: float | None = None): ...
    >>> check_kinds(fit, "fit", (3,), {})
    >>> check_kinds(fit, "fit", (3,), {"rate": "0.1"})
    Traceback (most recent call last):
    nnscratch.kinds.WrongKindError: fit expected rate as a number or None, received '0.1'
    """
    signature, kinds = _known(function)
    try:
        given = signature.bind_partial(*arguments, **keywords).arguments
    except TypeError:  # the call itself says that better
        return
    for argument, value in given.items():
        if argument not in kinds:
            continue
        several = signature.parameters[argument].kind is inspect.Parameter.VAR_POSITIONAL
        for one in value if several else (value,):
            if not any(kind.fits(one) for kind in kinds[argument]):
                words = list(dict.fromkeys(kind.words for kind in kinds[argument]))
                expected = " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
                what = "a model" if argument == "model" else f"{argument} as {expected}"
                raise WrongKindError(f"{name} expected {what}, received {received(one)}")


def checks_kinds(function: F) -> F:
    """A decorator: the function's arguments are of the kinds that its annotations say.

    A function may have better words for what it refuses, so it comes first, and its arguments are
    looked at where it fails without saying its name or that of an argument; those of an `__init__`
    also where it does not fail, since what it keeps would fail later.
    """
    name = function.__name__

    @wraps(function)
    def checked(*arguments: Any, **keywords: Any) -> Any:
        try:
            return function(*arguments, **keywords)
        except NotNumbersError as error:
            raise ValueError(f"{name} {error}") from None
        except Exception as error:
            if not _has_words(error, function, name):
                check_kinds(function, name, arguments, keywords)
            raise

    @wraps(function)
    def made(self: Any, *arguments: Any, **keywords: Any) -> None:
        name = type(self).__name__
        try:
            function(self, *arguments, **keywords)
        except Exception as error:
            if not _has_words(error, function, name):
                check_kinds(function, name, (self, *arguments), keywords)
            raise
        check_kinds(function, name, (self, *arguments), keywords)

    return made if name == "__init__" else checked  # type: ignore[return-value]  # takes the same


def _has_words(error: Exception, function: Callable[..., Any], name: str) -> bool:
    """Whether an error says by itself where it arose, and for what."""
    if name in str(error):
        return True
    if str(error).startswith("The truth value of an"):  # NumPy's, whose words are no argument's
        return False
    said = set(re.findall(r"\w+", str(error)))
    return isinstance(error, ValueError) and bool(said & {*_known(function)[0].parameters})


def as_array(x: Any) -> np.ndarray:
    """x as an array; masked, sparse and ragged ones are refused with the remedy."""
    if masked(x):
        raise NotNumbersError(
            "expected an array without a mask, which would be ignored, received a masked one; "
            "fill it: x.filled(0)"
        )
    if hasattr(type(x), "toarray"):
        raise NotNumbersError(
            f"expected a dense array, received a {type(x).__name__}; pass x.toarray()"
        )
    try:
        return np.asarray(x)
    except ValueError as error:
        if "inhomogeneous" not in str(error):  # somebody's __array__ has words of its own
            raise
        raise NotNumbersError(
            "expected an array, received rows of different lengths; pad them to one length"
        ) from None


def array_of(caller: str, x: Any) -> np.ndarray:
    """The same for a function, whose name is said."""
    try:
        return as_array(x)
    except NotNumbersError as error:
        raise ValueError(f"{caller} {error}") from None


def masked(value: Any) -> bool:
    """Whether it is a masked array, for which numpy.ma need not be loaded."""
    return _a("MaskedArray")(value)


def received(value: Any) -> str:
    """A value in a few words: what it is, if that says little its kind.

    Examples
    --------
    >>> received(np.ones((4, 3))), received([1, 2]), received(print)
    ('an array float64 (4, 3)', '[1, 2]', 'print')
    """
    if isinstance(value, np.ndarray) and value.ndim:
        kind = "a masked array" if masked(value) else "an array"
        return f"{kind} {value.dtype} {value.shape}"
    if callable(value) or isinstance(value, type):
        return getattr(value, "__name__", type(value).__name__)
    text = repr(value)
    plain = len(text) <= SHOWN and text.isprintable() and not text.startswith("<")
    return text if plain else f"a {type(value).__name__}"


@cache
def _known(function: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, list[Kind]]]:
    """The signature of a function, and the kinds of those of its arguments that are known here."""
    signature, found = inspect.signature(function), {}
    for name, parameter in signature.parameters.items():
        annotation = parameter.annotation
        if isinstance(annotation, type):
            annotation = annotation.__name__
        text = str(annotation).replace("numpy.random._generator", "np.random")
        text = re.sub(r"Callable\[.*\]", "Callable", text)
        words = [
            word
            for word in re.split(r" \| (?![^\[]*\])", text)
            if not (word == "int" and text == SEEDS)
        ]
        if text in PER_AXIS and function.__module__.startswith("nnscratch.layers.spatial"):
            continue  # which say more themselves
        if all(word in KINDS for word in words):
            found[name] = [KINDS[word] for word in words]
        elif name == "rng" and text == "Any":
            found[name] = [KINDS["np.random.Generator"], KINDS["None"]]
    return signature, found
